// Our half of the compression that the peer does: its table, the sections that refer to it, the streams that wait for
// it, and what is told back on the decoder stream. RFC 9204 sections 2.1.2, 2.2 and 4.4.
// One per connection; fed by the receiving halves of request streams and by the peer's encoder stream.
import { connectionError, type H3Error, H3ErrorCode } from '../errors.ts'
import { MAX_DECODER_STREAM_BACKLOG, MAX_UNUSED_ENCODER_BYTES } from '../limits.ts'
import { DynamicTable } from './dynamic-table.ts'
import type { EncoderStreamOwner } from './encoder-stream.ts'
import { InstructionOutput } from './instruction-output.ts'
import { writePrefixInteger } from './prefix-integer.ts'
import { type FieldReceiver, type FieldSectionCaps, FieldSectionDecoder } from './section-decoder.ts'

/** A stream whose section waits for the table. */
export interface SectionWaiter {
  /** Stream ID. */
  readonly id: number
  /** The table has what the section needs: decode it now. Catches its own errors. */
  resume(): void
}

/** What our SETTINGS say about QPACK (RFC 9204 section 5). */
export interface QpackLimits {
  /** Bytes of dynamic table that the peer may use. */
  readonly maxTableCapacity: number
  /** Streams that may wait for it at a time. */
  readonly blockedStreams: number
}

interface Blocked {
  readonly waiter: SectionWaiter
  readonly required: number
}

/** Longest instruction: a stream ID below 2^53. */
const MAX_INSTRUCTION_BYTES = 10

export class QpackDecoder implements EncoderStreamOwner {
  readonly table = new DynamicTable()
  readonly maxCapacity: number
  readonly output = new InstructionOutput()
  readonly #maxBlocked: number
  readonly #fail: (error: H3Error) => void
  readonly #sections: FieldSectionDecoder
  /** Oldest first: they are woken in this order. */
  readonly #blocked = new Map<number, Blocked>()
  /** Insertions that the peer knows we have (RFC 9204 section 2.1.4). */
  #acknowledged = 0
  /** Bytes of encoder stream since a section made use of the table. */
  #unusedBytes = 0
  #isClosed = false

  /** @param fail ends the connection */
  constructor(limits: QpackLimits, caps: FieldSectionCaps, fail: (error: H3Error) => void) {
    this.#fail = fail
    this.maxCapacity = limits.maxTableCapacity
    this.#maxBlocked = limits.blockedStreams
    this.#sections = new FieldSectionDecoder(caps, this.table, limits.maxTableCapacity)
  }

  /** Streams that wait for the table now. */
  get blockedStreams(): number {
    return this.#blocked.size
  }

  /**
   * Decodes the section of a stream, or finds that it has to wait: `wait` has to follow then.
   * @returns 0 when `receiver` got everything, else the insertions that the section needs
   * @throws H3Error QPACK_DECOMPRESSION_FAILED, H3_EXCESSIVE_LOAD (connection); over a cap of the section (stream)
   */
  decode(streamId: number, source: Uint8Array, start: number, end: number, receiver: FieldReceiver): number {
    const required = this.#sections.decode(source, start, end, receiver)
    if (required > this.table.insertCount) return required
    if (this.#blocked.size > 0) this.#blocked.delete(streamId)
    if (required > 0) this.#acknowledge(streamId, required)
    return 0
  }

  /**
   * A section waits until the table has had `required` insertions.
   * @throws H3Error QPACK_DECOMPRESSION_FAILED (connection) for one more than we announced (RFC 9204 section 2.1.2)
   */
  wait(waiter: SectionWaiter, required: number): void {
    if (this.#blocked.size >= this.#maxBlocked) {
      throw connectionError(H3ErrorCode.QPACK_DECOMPRESSION_FAILED, 'more blocked streams than announced')
    }
    this.#blocked.set(waiter.id, { waiter, required })
  }

  /** Nothing more of a stream will be read, although sections of it may have been sent (RFC 9204 section 2.2.2.2). */
  cancel(streamId: number): void {
    this.#blocked.delete(streamId)
    // "A decoder with a maximum dynamic table capacity equal to zero MAY omit sending Stream Cancellations".
    if (this.maxCapacity > 0) this.#send(0x40, 6, streamId)
  }

  /** The connection ends: nobody is woken and nothing is told any more. */
  close(): void {
    this.#isClosed = true
    this.#blocked.clear()
  }

  // EncoderStreamOwner

  noteEncoderBytes(count: number): void {
    this.#unusedBytes += count
    if (this.#unusedBytes > MAX_UNUSED_ENCODER_BYTES) {
      throw connectionError(H3ErrorCode.H3_EXCESSIVE_LOAD, 'a dynamic table that is written and never used')
    }
  }

  handleInsertions(): void {
    const { insertCount } = this.table
    if (this.#blocked.size > 0) {
      for (const [id, { waiter, required }] of this.#blocked) {
        if (required > insertCount) continue
        this.#blocked.delete(id)
        waiter.resume()
      }
    }
    // RFC 9204 section 2.2.2.3: one increment for all that the chunk brought and no acknowledgment has told.
    if (insertCount <= this.#acknowledged) return
    const increment = insertCount - this.#acknowledged
    this.#acknowledged = insertCount
    this.#send(0x00, 6, increment)
  }

  // RFC 9204 section 4.4.1: after every section "whose declared Required Insert Count is not zero".
  #acknowledge(streamId: number, required: number): void {
    this.#unusedBytes = 0
    if (required > this.#acknowledged) this.#acknowledged = required
    this.#send(0x80, 7, streamId)
  }

  #send(pattern: number, prefixBits: number, value: number): void {
    if (this.#isClosed) return
    const { output } = this
    const buffer = output.reserve(MAX_INSTRUCTION_BYTES)
    output.commit(writePrefixInteger(buffer, output.start, pattern, prefixBits, value))
    if (output.bufferedBytes > MAX_DECODER_STREAM_BACKLOG) {
      this.#fail(connectionError(H3ErrorCode.H3_EXCESSIVE_LOAD, 'the decoder stream is not read'))
    }
  }
}
