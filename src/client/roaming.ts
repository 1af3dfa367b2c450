// A session that changes its address without losing its connection (RFC 9000 section 9): another socket is bound, the
// server is probed from there, and when it answers, everything goes on there. Part of ClientSession.
import { ConnectionPhase } from '../machines/index.ts'
import type { Endpoint } from '../supervisor/endpoint.ts'
import type { QuicConnection } from '../transport/connection/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { ClientError } from './client-error.ts'
import { MAX_SESSION_SOCKETS } from './limits.ts'

/** Binds a socket of the IP version of the server's address. */
export type SocketBinder = () => Promise<DatagramSocket>

export class Roaming {
  readonly #endpoint: Endpoint
  readonly #connection: QuicConnection
  readonly #bind: SocketBinder
  /** Those that were bound here, oldest first. */
  readonly #sockets: DatagramSocket[] = []

  constructor(endpoint: Endpoint, connection: QuicConnection, bind: SocketBinder) {
    this.#endpoint = endpoint
    this.#connection = connection
    this.#bind = bind
  }

  /**
   * Moves to a new socket; resolves when the server has answered there.
   * @throws ClientError of kind 'connect' when it has not, when it forbids moves, or when it has given no connection ID
   *   for another path (each needs one; a new one comes when an old path is forgotten); the session stays where it was
   */
  async migrate(): Promise<void> {
    await this.#confirmed()
    const socket = await this.#bind()
    this.#endpoint.sockets.add(socket)
    if (!(await this.#move(socket))) {
      await this.#endpoint.sockets.remove(socket)
      throw new ClientError('connect', 'the server cannot be reached from another address')
    }
    this.#sockets.push(socket)
    // What is on its way to the socket that was left still has somewhere to arrive.
    if (this.#sockets.length > MAX_SESSION_SOCKETS)
      await this.#endpoint.sockets.remove(this.#sockets.shift()!)
  }

  /** RFC 9000 section 9: nobody moves "before the handshake is confirmed". */
  #confirmed(): Promise<void> {
    const { actor } = this.#connection
    if (actor.phase >= ConnectionPhase.confirmed) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const isOver = (): void => reject(new ClientError('closed', 'the connection has ended'))
      const subscription = actor.subscribe({
        next: () => {
          if (actor.phase < ConnectionPhase.confirmed) return
          subscription.unsubscribe()
          resolve()
        },
        complete: isOver,
        error: isOver,
      })
    })
  }

  #move(socket: DatagramSocket): Promise<boolean> {
    const { paths, path } = this.#connection
    return new Promise((resolve) => {
      if (!paths.move(socket, path.remote, resolve)) resolve(false)
    })
  }
}
