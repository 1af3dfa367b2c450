// What arrives on the peer's QPACK encoder and decoder streams, RFC 9204 sections 4.3 and 4.4, while our dynamic
// table and our use of the peer's have capacity zero. Nearly every instruction is then an error; the rest are counted.
// Fed at any split by the unidirectional streams; nothing is ever buffered.

import { connectionError, H3ErrorCode } from '../errors.ts'
import { IntegerProgress, PrefixIntegerReader } from './prefix-integer.ts'

/** Reads the peer's encoder stream. */
export class EncoderInstructionReader {
  private readonly integer = new PrefixIntegerReader()
  private isInInteger = false

  /** Takes bytes of the stream; throws H3Error QPACK_ENCODER_STREAM_ERROR. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const progress = this.isInInteger ? this.integer.push(byte) : this.begin(byte)
      if (progress === IntegerProgress.overflow) this.fail('capacity out of range')
      this.isInInteger = progress === IntegerProgress.more
      // RFC 9204 section 4.3.1: a capacity above SETTINGS_QPACK_MAX_TABLE_CAPACITY, which is zero.
      if (progress === IntegerProgress.done && this.integer.value > 0) this.fail('capacity above the limit')
    }
  }

  private begin(byte: number): number {
    // 1..: insert with name reference, 01.: insert with literal name, 000: duplicate. No entry fits (section 3.2.2).
    if ((byte & 0xe0) !== 0x20) this.fail('insertion into a table of capacity zero')
    return this.integer.begin(byte, 5)
  }

  private fail(reason: string): never {
    throw connectionError(H3ErrorCode.QPACK_ENCODER_STREAM_ERROR, reason)
  }
}

/** Reads the peer's decoder stream. */
export class DecoderInstructionReader {
  private readonly integer = new PrefixIntegerReader()
  private isInInteger = false

  /** Takes bytes of the stream; throws H3Error QPACK_DECODER_STREAM_ERROR. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const progress = this.isInInteger ? this.integer.push(byte) : this.begin(byte)
      if (progress === IntegerProgress.overflow) this.fail('integer out of range')
      this.isInInteger = progress === IntegerProgress.more
    }
  }

  private begin(byte: number): number {
    // RFC 9204 section 4.4.1: no section of ours has a Required Insert Count, so none can be acknowledged.
    if (byte >= 0x80) this.fail('acknowledgment of a section without dynamic references')
    // RFC 9204 section 4.4.3: zero, and anything beyond what we inserted (nothing), is an error.
    if (byte < 0x40) this.fail('Insert Count Increment, but nothing was inserted')
    // RFC 9204 section 4.4.2: Stream Cancellation is always allowed and says nothing to us.
    return this.integer.begin(byte, 6)
  }

  private fail(reason: string): never {
    throw connectionError(H3ErrorCode.QPACK_DECODER_STREAM_ERROR, reason)
  }
}
