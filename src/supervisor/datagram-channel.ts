// The datagrams of one request, between their arrival and their reader: bounded, the oldest dropped first, counted
// (RFC 9297 section 2). Registered by the connection supervisor under the stream's ID, and gone with the stream.
import { DATAGRAM_CHANNEL_BYTES, DATAGRAM_CHANNEL_LENGTH } from './limits.ts'

export class DatagramChannel {
  /** Datagrams that gave way to newer ones. */
  dropped = 0
  /** Datagrams that were too old when somebody took one. */
  expired = 0
  /** Datagrams that may wait; the session's application can set less. */
  #limit = DATAGRAM_CHANNEL_LENGTH
  received = 0
  /** Called when a datagram has arrived, and once more at the end. */
  onChange: (() => void) | undefined
  #queue: { readonly payload: Uint8Array; readonly time: number }[] = []
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

  get limit(): number {
    return this.#limit
  }

  set limit(value: number) {
    this.#limit = Math.min(value, DATAGRAM_CHANNEL_LENGTH)
    this.#dropOldest()
  }

  /** Takes a copy of a borrowed payload. The caps are enforced here and nowhere else. @param time of arrival, ms */
  push(payload: Uint8Array, time = 0): void {
    if (this.#isClosed) return
    this.received++
    this.#queue.push({ payload: new Uint8Array(payload), time })
    this.#bytes += payload.length
    this.#dropOldest()
    this.onChange?.()
  }

  #dropOldest(): void {
    while (this.#queue.length > this.#limit || this.#bytes > DATAGRAM_CHANNEL_BYTES) {
      this.#bytes -= this.#queue.shift()!.payload.length
      this.dropped++
    }
  }

  /** The oldest datagram, or undefined when none waits. @param since older ones are dropped, ms */
  take(since = Number.NEGATIVE_INFINITY): Uint8Array | undefined {
    for (;;) {
      const oldest = this.#queue.shift()
      if (oldest === undefined) return undefined
      this.#bytes -= oldest.payload.length
      if (oldest.time >= since) return oldest.payload
      this.expired++
    }
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
