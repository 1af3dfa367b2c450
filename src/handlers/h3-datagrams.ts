// The HTTP datagrams of one exchange (RFC 9297), as a handler uses them: what arrives is iterated, what is sent may get
// lost. Made by H3Exchange when the handler first asks for it.
import type { RequestStream } from '../http3/index.ts'
import type { DatagramChannel } from '../supervisor/datagram-channel.ts'
import type { DatagramWatcher } from '../transport/connection/index.ts'
import type { DatagramFrames } from '../tunnels/tunnel-datagrams.ts'
import { type ExchangeDatagrams, quietly } from './exchange.ts'
import { Waiter } from './waiter.ts'

const DONE: IteratorResult<Uint8Array> = { value: undefined, done: true }

/** DATAGRAM frames, once both sides have announced them (RFC 9297 section 2.1.1). */
export function framesOf(request: RequestStream): DatagramFrames {
  const { connection } = request
  return {
    get maxPayload(): number {
      const { settings, peerSettings } = connection
      return settings.h3Datagram && peerSettings.h3Datagram ? connection.datagrams.maxPayload(request) : 0
    },
    send: (payload: Uint8Array, watcher?: DatagramWatcher) =>
      connection.datagrams.send(request, payload, watcher),
  }
}

export class H3Datagrams implements ExchangeDatagrams, AsyncIterator<Uint8Array> {
  readonly #request: RequestStream
  readonly #channel: DatagramChannel
  #reading: Waiter<IteratorResult<Uint8Array>> | undefined

  constructor(request: RequestStream, channel: DatagramChannel) {
    this.#request = request
    this.#channel = channel
    channel.onChange = () => this.#deliver()
  }

  get maxPayload(): number {
    return this.#channel.isClosed ? 0 : this.#request.connection.datagrams.maxPayload(this.#request)
  }

  send(payload: Uint8Array, watcher?: DatagramWatcher): void {
    if (this.#channel.isClosed) watcher?.handleDatagramFate('dropped')
    else this.#request.connection.datagrams.send(this.#request, payload, watcher)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const result = this.#take()
    if (result !== undefined) return Promise.resolve(result)
    if (this.#reading !== undefined) {
      return quietly(Promise.reject(new Error('the datagrams are being read already')))
    }
    this.#reading = new Waiter()
    return this.#reading.promise
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    return Promise.resolve(DONE)
  }

  #take(): IteratorResult<Uint8Array> | undefined {
    const value = this.#channel.take()
    if (value !== undefined) return { value, done: false }
    return this.#channel.isClosed ? DONE : undefined
  }

  #deliver(): void {
    const waiter = this.#reading
    const result = waiter === undefined ? undefined : this.#take()
    if (result === undefined) return
    this.#reading = undefined
    waiter!.resolve(result)
  }
}
