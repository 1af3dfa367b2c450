/**
 * A UDP proxy in user space between a peer and the server: loses datagrams in both directions, and gives the peer new
 * addresses as a NAT does that forgets. So the networks of the simulator are also those of peers that have no switch
 * for it. The dice are seeded; what they decide depends on the order of the datagrams.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface ProxyOptions {
  /** Port of the server on 127.0.0.1. */
  readonly target: number
  /** Share of datagrams that vanish, each way, 0 to 1. */
  readonly loss?: number
  /** ms after which a peer gets another source port, again and again; absent: never. */
  readonly rebindEvery?: number
  readonly seed?: number
}

/** The far side of one peer: the socket that the server sees. */
interface Mapping {
  socket: Socket
  timer: NodeJS.Timeout | undefined
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

export class LossyProxy {
  readonly counters = { forwarded: 0, lost: 0, rebindings: 0 }
  readonly #options: ProxyOptions
  readonly #front = createSocket('udp4')
  readonly #mappings = new Map<string, Mapping>()
  readonly #dice: () => number

  private constructor(options: ProxyOptions) {
    this.#options = options
    this.#dice = dice(options.seed ?? 1)
    this.#front.on('message', (bytes, { address, port }) => this.#toServer(bytes, address, port))
  }

  /** @param port on 127.0.0.1 to listen on; 0 = any */
  static async start(options: ProxyOptions, port = 0): Promise<LossyProxy> {
    const proxy = new LossyProxy(options)
    proxy.#front.bind(port, '127.0.0.1')
    await once(proxy.#front, 'listening')
    return proxy
  }

  get port(): number {
    return this.#front.address().port
  }

  close(): void {
    this.#front.close()
    for (const { socket, timer } of this.#mappings.values()) {
      clearInterval(timer)
      socket.close()
    }
    this.#mappings.clear()
  }

  get #isLost(): boolean {
    const isLost = this.#dice() < (this.#options.loss ?? 0)
    if (isLost) this.counters.lost++
    else this.counters.forwarded++
    return isLost
  }

  #toServer(bytes: Buffer, address: string, port: number): void {
    const key = `${address}:${port}`
    let mapping = this.#mappings.get(key)
    if (mapping === undefined) {
      mapping = { socket: this.#upstream(address, port), timer: undefined }
      this.#mappings.set(key, mapping)
      this.#rebindLater(mapping, address, port)
    }
    if (!this.#isLost) mapping.socket.send(bytes, this.#options.target, '127.0.0.1')
  }

  #upstream(address: string, port: number): Socket {
    const socket = createSocket('udp4')
    socket.on('message', (bytes) => {
      if (!this.#isLost) this.#front.send(bytes, port, address)
    })
    // A server that has gone answers with ICMP; that is no failure of the proxy.
    socket.on('error', () => {})
    return socket
  }

  #rebindLater(mapping: Mapping, address: string, port: number): void {
    const { rebindEvery } = this.#options
    if (rebindEvery === undefined) return
    mapping.timer = setInterval(() => {
      mapping.socket.close()
      mapping.socket = this.#upstream(address, port)
      this.counters.rebindings++
    }, rebindEvery)
  }
}
