// Encoded forms of field values that responses repeat (content types, dates, server names), for the section encoder:
// a hit copies some bytes instead of running the Huffman code. Two generations: when the young one is full it becomes
// the old one, and what is used again moves back. Values of secret fields are never put in.

import { VALUE_CACHE_ENTRIES, VALUE_CACHE_LENGTH } from '../limits.ts'

/** Shorter values are encoded faster than found. */
const SHORTEST_VALUE = 4

export class ValueCache {
  private young = new Map<string, Uint8Array>()
  private old = new Map<string, Uint8Array>()

  /** Entries kept in both generations. */
  get size(): number {
    return this.young.size + this.old.size
  }

  isCacheable(value: string): boolean {
    return value.length >= SHORTEST_VALUE && value.length <= VALUE_CACHE_LENGTH
  }

  /** The value as string literal with a prefix of seven bits, or undefined. */
  find(value: string): Uint8Array | undefined {
    const encoded = this.young.get(value)
    if (encoded !== undefined) return encoded
    const aged = this.old.get(value)
    if (aged !== undefined) this.add(value, aged)
    return aged
  }

  /** Keeps a copy of `source[start, end)`, which is the encoded literal. */
  keep(value: string, source: Uint8Array, start: number, end: number): void {
    this.add(value, new Uint8Array(source.subarray(start, end)))
  }

  private add(value: string, encoded: Uint8Array): void {
    if (this.young.size >= VALUE_CACHE_ENTRIES) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(value, encoded)
  }
}
