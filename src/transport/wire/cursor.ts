// A reading position in a byte buffer; decodes varints in place (RFC 9000 section 16).
// One Cursor per connection is reused for every packet. Used by all parsers of wire, and by tls and http3.
import { QuicError, TransportErrorCode } from './errors.ts'

const TWO_POW_32 = 0x1_0000_0000
// The upper 30 bits of a 62-bit integer may use 21 before it leaves 2^53.
const MAX_EXACT_HIGH = 0x1f_ffff
const TWO_POW_60_HIGH = 0x1000_0000

const EMPTY = new Uint8Array(0)

export class Cursor {
  buffer: Uint8Array = EMPTY
  offset = 0
  end = 0
  /** Type of the frame being parsed; goes into the errors thrown. */
  frameType = 0

  /**
   * Points the cursor at [start, end) of a buffer.
   * @returns this
   */
  reset(buffer: Uint8Array, start = 0, end: number = buffer.length): this {
    this.buffer = buffer
    this.offset = start
    this.end = end
    this.frameType = 0
    return this
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.offset
  }

  /**
   * Raises a transport error for the current frame.
   * @throws QuicError always
   */
  fail(reason: string, code: number = TransportErrorCode.FRAME_ENCODING_ERROR): never {
    throw new QuicError(code, reason, this.frameType)
  }

  readUint8(): number {
    if (this.offset >= this.end) this.fail('truncated')
    return this.buffer[this.offset++]
  }

  readUint16(): number {
    const at = this.skip(2)
    return (this.buffer[at] << 8) | this.buffer[at + 1]
  }

  readUint32(): number {
    const at = this.skip(4)
    const buffer = this.buffer
    return ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0
  }

  /**
   * Reads a variable-length integer. Values of 2^53 and above saturate to 2^53-1: no limit we grant comes
   * near, so they fail the check of their field as the exact value would.
   * @throws QuicError FRAME_ENCODING_ERROR past the end
   */
  readVarint(): number {
    const offset = this.offset
    if (offset >= this.end) this.fail('truncated')
    const buffer = this.buffer
    const first = buffer[offset]
    if (first < 0x40) {
      this.offset = offset + 1
      return first
    }
    if (first < 0x80) {
      this.skip(2)
      return ((first & 0x3f) << 8) | buffer[offset + 1]
    }
    if (first < 0xc0) return this.readUint32() & 0x3fff_ffff
    const high = this.readUint32() & 0x3fff_ffff
    const low = this.readUint32OfVarint(offset)
    return high > MAX_EXACT_HIGH ? Number.MAX_SAFE_INTEGER : high * TWO_POW_32 + low
  }

  /** Reads a stream ID; saturates like readVarint but keeps the two type bits (RFC 9000 section 2.1). */
  readStreamId(): number {
    const id = this.readVarint()
    if (id !== Number.MAX_SAFE_INTEGER) return id
    return Number.MAX_SAFE_INTEGER - 3 + (this.buffer[this.offset - 1] & 3)
  }

  /**
   * Reads a count of streams.
   * @throws QuicError FRAME_ENCODING_ERROR above 2^60 (RFC 9000 sections 4.6, 19.11 and 19.14)
   */
  readStreamCount(code: number = TransportErrorCode.FRAME_ENCODING_ERROR): number {
    const at = this.offset
    const count = this.readVarint()
    if (count !== Number.MAX_SAFE_INTEGER) return count
    const high = wordAt(this.buffer, at) & 0x3fff_ffff
    const isAbove = high > TWO_POW_60_HIGH || (high === TWO_POW_60_HIGH && wordAt(this.buffer, at + 4) !== 0)
    if (isAbove) this.fail('more than 2^60 streams', code)
    return count
  }

  /** A view (not a copy) of the next `length` bytes. */
  readBytes(length: number): Uint8Array {
    const at = this.skip(length)
    return this.buffer.subarray(at, at + length)
  }

  /**
   * Steps over `length` bytes.
   * @returns offset of the first byte stepped over
   */
  skip(length: number): number {
    const at = this.offset
    if (length > this.end - at) this.fail('truncated')
    this.offset = at + length
    return at
  }

  // A truncated 8-byte integer leaves the cursor where the integer began.
  private readUint32OfVarint(start: number): number {
    if (this.remaining < 4) {
      this.offset = start
      this.fail('truncated')
    }
    return this.readUint32()
  }
}

function wordAt(buffer: Uint8Array, at: number): number {
  return ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0
}
