// The sockets of an endpoint: those it was made with, and those that a client adds when it changes its address. A part
// of endpoint.ts.
import type { DatagramReceiver, DatagramSocket } from '../transport/io/datagram-socket.ts'

export class EndpointSockets {
  readonly #sockets: Set<DatagramSocket>
  readonly #receiverOf: (socket: DatagramSocket) => DatagramReceiver

  /** @param receiverOf what a socket delivers to */
  constructor(sockets: readonly DatagramSocket[], receiverOf: (socket: DatagramSocket) => DatagramReceiver) {
    this.#sockets = new Set(sockets)
    this.#receiverOf = receiverOf
  }

  /** Begins to receive. */
  start(): void {
    for (const socket of this.#sockets) socket.start(this.#receiverOf(socket))
  }

  /** Receives from this socket too; output leaves by it for connections that have moved there. */
  add(socket: DatagramSocket): void {
    this.#sockets.add(socket)
    socket.start(this.#receiverOf(socket))
  }

  remove(socket: DatagramSocket): Promise<void> {
    this.#sockets.delete(socket)
    return socket.close()
  }

  /** @throws Error when no socket speaks this IP version */
  forFamily(family: 4 | 6): DatagramSocket {
    for (const socket of this.#sockets) {
      if (socket.localAddress.includes(':') === (family === 6)) return socket
    }
    throw new Error(`no socket for IPv${family}`)
  }

  /** Number of a socket: the same for the same address in all workers. */
  indexOf(socket: DatagramSocket): number {
    let index = 0
    for (const each of this.#sockets) {
      if (each === socket) return index
      index++
    }
    return -1
  }

  at(index: number): DatagramSocket | undefined {
    for (const socket of this.#sockets) if (index-- === 0) return socket
    return undefined
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => socket.close()))
  }
}
