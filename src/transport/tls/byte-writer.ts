// Writes the presentation language of RFC 8446 section 3 into a growing buffer. A vector is opened, filled and
// closed; closing patches its length. Used by every message encoder of this room.

const INITIAL_BYTES = 512

export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  writeUint8(value: number): void {
    this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  writeUint16(value: number): void {
    this.#grow(2)
    this.#bytes[this.#length++] = value >> 8
    this.#bytes[this.#length++] = value
  }

  writeUint24(value: number): void {
    this.writeUint8(value >> 16)
    this.writeUint16(value)
  }

  writeUint32(value: number): void {
    this.writeUint16(value >>> 16)
    this.writeUint16(value)
  }

  writeBytes(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Opens a vector whose length takes `prefix` bytes; returns where to close it. */
  open(prefix: 1 | 2 | 3): number {
    this.#grow(prefix)
    this.#length += prefix
    return this.#length
  }

  /** Closes the vector that `open(prefix)` started at `start`. */
  close(prefix: 1 | 2 | 3, start: number): void {
    const length = this.#length - start
    if (length >= 2 ** (8 * prefix)) throw new RangeError(`vector of ${length} bytes exceeds its prefix`)
    for (let i = 1, rest = length; i <= prefix; i++, rest >>>= 8) this.#bytes[start - i] = rest
  }

  writeVector8(bytes: Uint8Array): void {
    const start = this.open(1)
    this.writeBytes(bytes)
    this.close(1, start)
  }

  writeVector16(bytes: Uint8Array): void {
    const start = this.open(2)
    this.writeBytes(bytes)
    this.close(2, start)
  }

  writeVector24(bytes: Uint8Array): void {
    const start = this.open(3)
    this.writeBytes(bytes)
    this.close(3, start)
  }

  /** Items as a two-byte-prefixed list of two-byte numbers. */
  writeUint16List(items: readonly number[]): void {
    this.writeUint16(items.length * 2)
    for (const item of items) this.writeUint16(item)
  }

  /** What has been written. The writer must not be used afterwards: the view is not copied. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(extra: number): void {
    const need = this.#length + extra
    if (need <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(need, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
