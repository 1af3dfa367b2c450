// HTTP datagrams of one request, RFC 9297: unordered, unreliable, bound to the request's stream and gone with it.
// Made by client-exchange.ts when the first one comes or goes; callers see it as ClientResponse.datagrams.
import type { RequestStream } from '../http3/index.ts'
import { DatagramChannel } from '../supervisor/datagram-channel.ts'

export class ClientDatagrams implements AsyncIterable<Uint8Array> {
  readonly #stream: RequestStream
  readonly #channel = new DatagramChannel()
  #wake: (() => void) | undefined
  /** What had arrived when the request ended, and was not taken by then. */
  #rest: Uint8Array[] = []

  constructor(stream: RequestStream) {
    this.#stream = stream
    this.#channel.onChange = () => this.#wake?.()
  }

  /** Datagrams that gave way to newer ones because nobody took them. */
  get dropped(): number {
    return this.#channel.dropped
  }

  /** Largest payload that send() takes now, bytes; 0 when the server takes no datagrams. */
  get maxPayload(): number {
    return this.#stream.connection.datagrams.maxPayload(this.#stream)
  }

  /**
   * Sends one datagram; the payload is copied. It may be lost, as datagrams may.
   * @throws RangeError when it is larger than maxPayload
   */
  send(payload: Uint8Array): void {
    if (!this.#channel.isClosed) this.#stream.connection.datagrams.send(this.#stream, payload)
  }

  /** The oldest datagram that was not taken yet; undefined when the request is over. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const payload = this.#channel.take() ?? this.#rest.shift()
      if (payload !== undefined || this.#channel.isClosed) return payload
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const payload = await this.next()
      if (payload === undefined) return
      yield payload
    }
  }

  /** A datagram has arrived; the view is borrowed. Called by the exchange. */
  handleDatagram(payload: Uint8Array): void {
    this.#channel.push(payload)
  }

  /** The request is over. Called by the exchange. */
  close(): void {
    for (;;) {
      const payload = this.#channel.take()
      if (payload === undefined) break
      this.#rest.push(payload)
    }
    this.#channel.close()
  }
}
