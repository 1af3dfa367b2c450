// Prefixed integers, RFC 7541 section 5.1 as used by RFC 9204 section 4.1.1: reader at any split for the QPACK
// streams, and the writer. The field-section decoder has its own in-place reader in section-decoder.ts.

import { MAX_INTEGER_BYTES } from '../limits.ts'

/**
 * Adds one continuation byte to an integer, without bit operations so that it works up to 2^53-1.
 * @param value what is known so far
 * @param byte the continuation byte
 * @param position 0 for the first continuation byte
 * @returns the new value, or -1 when it left the range of RFC 9204 section 4.1.1 as narrowed in limits.ts
 */
export function addContinuation(value: number, byte: number, position: number): number {
  if (position >= MAX_INTEGER_BYTES - 1) return -1
  const sum = value + (byte & 0x7f) * 2 ** (7 * position)
  return sum <= Number.MAX_SAFE_INTEGER ? sum : -1
}

/** Result of {@link PrefixIntegerReader.push}. */
export const IntegerProgress = { more: 0, done: 1, overflow: 2 } as const

/** Reads one integer that may arrive in pieces. */
export class PrefixIntegerReader {
  value = 0
  private position = 0

  /**
   * Takes the first byte.
   * @param byte the byte with the pattern bits in front
   * @param prefixBits how many low bits belong to the integer, 3..8
   * @returns a value of {@link IntegerProgress}
   */
  begin(byte: number, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    this.value = byte & mask
    this.position = 0
    return this.value < mask ? IntegerProgress.done : IntegerProgress.more
  }

  /** Takes a continuation byte; returns a value of {@link IntegerProgress}. */
  push(byte: number): number {
    const sum = addContinuation(this.value, byte, this.position++)
    if (sum < 0) return IntegerProgress.overflow
    this.value = sum
    return byte < 0x80 ? IntegerProgress.done : IntegerProgress.more
  }
}

/**
 * Writes an integer.
 * @param target buffer to write to
 * @param start first offset written
 * @param pattern the pattern bits in front of the prefix, already in place
 * @param prefixBits how many low bits belong to the integer, 3..8
 * @param value 0..2^53-1
 * @returns offset behind the last byte written
 */
export function writePrefixInteger(
  target: Uint8Array,
  start: number,
  pattern: number,
  prefixBits: number,
  value: number,
): number {
  const mask = (1 << prefixBits) - 1
  if (value < mask) {
    target[start] = pattern | value
    return start + 1
  }
  target[start] = pattern | mask
  let offset = start + 1
  let rest = value - mask
  while (rest >= 0x80) {
    target[offset++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[offset++] = rest
  return offset
}
