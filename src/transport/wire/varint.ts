// Variable-length integers, writing side and lengths (RFC 9000 section 16). Reading is in cursor.ts.
// Called by every codec of wire and by http3 for its frames.

const TWO_POW_32 = 0x1_0000_0000

/**
 * Encoded size of a value.
 * @param value integer 0..2^53-1
 * @returns bytes
 */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1
  if (value < 0x4000) return 2
  if (value < 0x4000_0000) return 4
  return 8
}

/**
 * Writes a value in its shortest form.
 * @param buffer target; the caller guarantees room for varintLength(value) bytes
 * @param offset byte offset
 * @param value integer 0..2^53-1
 * @returns offset after the value
 */
export function writeVarint(buffer: Uint8Array, offset: number, value: number): number {
  if (value < 0x40) {
    buffer[offset] = value
    return offset + 1
  }
  if (value < 0x4000) return writeVarint2(buffer, offset, value)
  if (value < 0x4000_0000) {
    buffer[offset] = 0x80 | (value >>> 24)
    buffer[offset + 1] = value >>> 16
    buffer[offset + 2] = value >>> 8
    buffer[offset + 3] = value
    return offset + 4
  }
  const high = Math.floor(value / TWO_POW_32)
  buffer[offset] = 0xc0 | (high >>> 24)
  buffer[offset + 1] = high >>> 16
  buffer[offset + 2] = high >>> 8
  buffer[offset + 3] = high
  return writeUint32(buffer, offset + 4, value % TWO_POW_32)
}

/**
 * Writes a value in the two-byte form, whatever its size; for fields that are patched later.
 * @param value integer 0..16383
 * @returns offset after the value
 */
export function writeVarint2(buffer: Uint8Array, offset: number, value: number): number {
  buffer[offset] = 0x40 | (value >>> 8)
  buffer[offset + 1] = value
  return offset + 2
}

/**
 * Writes a big-endian 16-bit integer.
 * @returns offset after it
 */
export function writeUint16(buffer: Uint8Array, offset: number, value: number): number {
  buffer[offset] = value >>> 8
  buffer[offset + 1] = value
  return offset + 2
}

/**
 * Writes a big-endian 32-bit integer.
 * @returns offset after it
 */
export function writeUint32(buffer: Uint8Array, offset: number, value: number): number {
  buffer[offset] = value >>> 24
  buffer[offset + 1] = value >>> 16
  buffer[offset + 2] = value >>> 8
  buffer[offset + 3] = value
  return offset + 4
}
