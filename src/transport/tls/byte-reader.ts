// Reads the presentation language of RFC 8446 section 3: big-endian integers and length-prefixed vectors. A read
// past the end is a decode_error. Vectors come back as views: whoever keeps one copies it.

import { Alert, alertError } from './alerts.ts'

export class ByteReader {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  readUint8(): number {
    this.#need(1)
    return this.bytes[this.offset++]
  }

  readUint16(): number {
    this.#need(2)
    const value = (this.bytes[this.offset] << 8) | this.bytes[this.offset + 1]
    this.offset += 2
    return value
  }

  readUint24(): number {
    this.#need(3)
    const { bytes, offset } = this
    this.offset += 3
    return (bytes[offset] << 16) | (bytes[offset + 1] << 8) | bytes[offset + 2]
  }

  readUint32(): number {
    const high = this.readUint16()
    return high * 0x10000 + this.readUint16()
  }

  /** The next `length` bytes as a view. */
  readBytes(length: number): Uint8Array {
    this.#need(length)
    const start = this.offset
    this.offset += length
    return this.bytes.subarray(start, this.offset)
  }

  /** `opaque x<min..2^8-1>` as a view. */
  readVector8(min = 0): Uint8Array {
    return this.#vector(this.readUint8(), min)
  }

  /** `opaque x<min..2^16-1>` as a view. */
  readVector16(min = 0): Uint8Array {
    return this.#vector(this.readUint16(), min)
  }

  /** `opaque x<min..2^24-1>` as a view. */
  readVector24(min = 0): Uint8Array {
    return this.#vector(this.readUint24(), min)
  }

  /** Vectors of two-byte items: `X x<2..2^16-1>`. Not empty, not odd. */
  readUint16List(length: number): number[] {
    if (length === 0 || length % 2 !== 0) throw alertError(Alert.decodeError, 'list of odd or no length')
    this.#need(length)
    const items: number[] = []
    for (const end = this.offset + length; this.offset < end; ) items.push(this.readUint16())
    return items
  }

  /** RFC 9846 section 4.3: trailing data is forbidden, decode_error. */
  expectEnd(): void {
    if (this.offset !== this.end) throw alertError(Alert.decodeError, 'bytes after the end of a structure')
  }

  #vector(length: number, min: number): Uint8Array {
    if (length < min) throw alertError(Alert.decodeError, 'vector shorter than its lower bound')
    return this.readBytes(length)
  }

  #need(length: number): void {
    if (this.end - this.offset < length) throw alertError(Alert.decodeError, 'structure ends too early')
  }
}
