// Streams that have something to send, served in turn (RFC 9000 section 2.3). A linked list through the streams
// themselves, so that queueing costs no allocation.
import type { QuicStream } from './stream.ts'

export class SendQueue {
  #head: QuicStream | undefined
  #tail: QuicStream | undefined
  /** Streams in the queue. */
  size = 0

  get head(): QuicStream | undefined {
    return this.#head
  }

  push(stream: QuicStream): void {
    if (stream.isQueued) return
    stream.isQueued = true
    stream.nextQueued = undefined
    if (this.#tail === undefined) this.#head = stream
    else this.#tail.nextQueued = stream
    this.#tail = stream
    this.size++
  }

  shift(): QuicStream | undefined {
    const stream = this.#head
    if (stream === undefined) return undefined
    this.#head = stream.nextQueued
    if (this.#head === undefined) this.#tail = undefined
    stream.nextQueued = undefined
    stream.isQueued = false
    this.size--
    return stream
  }

  clear(): void {
    while (this.shift() !== undefined);
  }
}
