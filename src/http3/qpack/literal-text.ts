// Huffman-coded string literals in memory that all decoders share: one string is decoded at a time in the whole process.
// Called by the section decoder and the reader of encoder streams.
import { huffmanDecode, huffmanDecodedBound } from './huffman.ts'

let shared = Buffer.alloc(8_192)

/**
 * Decodes `source[start, end)`.
 * @returns number of bytes that `unpackedBytes()` begins with, or -1 for an invalid code
 */
export function unpack(source: Uint8Array, start: number, end: number): number {
  const bound = huffmanDecodedBound(end - start)
  if (bound > shared.length) shared = Buffer.alloc(bound)
  return huffmanDecode(source, start, end, shared)
}

/** What the last `unpack` wrote; valid until the next one. */
export function unpackedBytes(): Uint8Array {
  return shared
}

/** Text of `bytes[start, end)`, one character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end)
}
