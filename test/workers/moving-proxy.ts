// A UDP proxy of one client whose outer port changes whenever it is told to: a NAT that forgets. To the server the client
// comes from another address each time, so that the kernel may give its datagrams to another worker.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export class MovingProxy {
  readonly port: number
  moves = 0
  readonly #inner: Socket
  readonly #target: number
  readonly #outer = new Set<Socket>()
  #current: Socket
  #client: { readonly port: number; readonly address: string } | undefined

  constructor(inner: Socket, target: number) {
    this.#inner = inner
    this.#target = target
    this.port = inner.address().port
    this.#current = this.#open()
    inner.on('message', (message, from) => {
      this.#client = from
      this.#current.send(message, this.#target, '127.0.0.1')
    })
  }

  /** @param target UDP port of the server on 127.0.0.1 */
  static async to(target: number): Promise<MovingProxy> {
    const inner = createSocket('udp4')
    inner.bind(0, '127.0.0.1')
    await once(inner, 'listening')
    return new MovingProxy(inner, target)
  }

  /** From now on the client comes from another port; what was sent to the old one is lost. */
  move(): void {
    this.moves++
    const old = this.#current
    this.#current = this.#open()
    this.#outer.delete(old)
    old.close()
  }

  close(): void {
    this.#inner.close()
    for (const socket of this.#outer) socket.close()
  }

  #open(): Socket {
    const socket = createSocket('udp4')
    this.#outer.add(socket)
    socket.on('message', (message) => {
      if (this.#client !== undefined) this.#inner.send(message, this.#client.port, this.#client.address)
    })
    return socket
  }
}
