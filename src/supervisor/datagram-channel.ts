// The datagrams of one request, between their arrival and their reader: bounded, the oldest dropped first, counted
// (RFC 9297 section 2). Registered by the connection supervisor under the stream's ID, and gone with the stream.
import { DATAGRAM_CHANNEL_BYTES, DATAGRAM_CHANNEL_LENGTH } from './limits.ts'

export class DatagramChannel {
  /** Datagrams that gave way to newer ones. */
  dropped = 0
  received = 0
  /** Called when a datagram has arrived, and once more at the end. */
  onChange: (() => void) | undefined
  #queue: Uint8Array[] = []
  #bytes = 0
  #isClosed = false

  get isClosed(): boolean {
    return this.#isClosed
  }

  get queued(): number {
    return this.#queue.length
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  /** Takes a copy of a borrowed payload. The caps are enforced here and nowhere else. */
  push(payload: Uint8Array): void {
    if (this.#isClosed) return
    this.received++
    this.#queue.push(new Uint8Array(payload))
    this.#bytes += payload.length
    while (this.#queue.length > DATAGRAM_CHANNEL_LENGTH || this.#bytes > DATAGRAM_CHANNEL_BYTES) {
      this.#bytes -= this.#queue.shift()!.length
      this.dropped++
    }
    this.onChange?.()
  }

  /** The oldest datagram, or undefined when none waits. */
  take(): Uint8Array | undefined {
    const payload = this.#queue.shift()
    if (payload !== undefined) this.#bytes -= payload.length
    return payload
  }

  /** The stream is gone: nothing waits and nothing is taken any more. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue = []
    this.#bytes = 0
    this.onChange?.()
  }
}
