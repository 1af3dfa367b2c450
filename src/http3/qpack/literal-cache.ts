// Remembers the string literals of earlier field sections of one connection by their encoded bytes: a client repeats
// most of its fields in every request, and a hit saves Huffman decoding, checking and making the string. Open
// addressing over one arena of bytes; when either is full, all is forgotten, and the next sections fill it again.
// Never shared between connections, whose values are private.
//
//   slot   key (length, Huffman)   offset   text            classes        arena
//   0      17 | 0x8000             0        "https://..."   0              [ 9d 29 ad ... | 61 62 63 | free      ]
//   1      free                                                            ^ 0             ^ 17
//   2      3                       17       "abc"           0

import { LITERAL_CACHE_BYTES, LITERAL_CACHE_SLOTS, LONGEST_CACHED_LITERAL } from '../limits.ts'

/** Shorter literals are not worth a look. */
const SHORTEST_LITERAL = 3

/** Slots looked at before a literal counts as unknown. */
const PROBES = 8

const SLOT_MASK = LITERAL_CACHE_SLOTS - 1

export class LiteralCache {
  /** Text of the literal last found. */
  text = ''
  /** ByteClass bits of the literal last found. */
  classes = 0
  private readonly arena = new Uint8Array(LITERAL_CACHE_BYTES)
  private used = 0
  /** Encoded length, with 0x8000 for Huffman; 0 = free. */
  private readonly keys = new Uint16Array(LITERAL_CACHE_SLOTS)
  private readonly offsets = new Uint16Array(LITERAL_CACHE_SLOTS)
  private readonly classBits = new Uint8Array(LITERAL_CACHE_SLOTS)
  private readonly texts: string[] = new Array<string>(LITERAL_CACHE_SLOTS).fill('')

  /**
   * Looks for `source[start, end)`; on success `text` and `classes` are set.
   * @returns whether it was there
   */
  find(source: Uint8Array, start: number, end: number, isHuffman: boolean): boolean {
    if (!isCacheable(end - start)) return false
    const key = keyOf(end - start, isHuffman)
    let slot = slotOf(source, start, end)
    for (let probe = 0; probe < PROBES; probe++) {
      const found = this.keys[slot]
      if (found === 0) return false
      if (found === key && this.holds(this.offsets[slot], source, start, end)) {
        this.text = this.texts[slot]
        this.classes = this.classBits[slot]
        return true
      }
      slot = (slot + 1) & SLOT_MASK
    }
    return false
  }

  /** Keeps what `source[start, end)` was decoded to. */
  keep(
    source: Uint8Array,
    start: number,
    end: number,
    isHuffman: boolean,
    text: string,
    classes: number,
  ): void {
    const length = end - start
    if (!isCacheable(length)) return
    let slot = this.freeSlot(slotOf(source, start, end))
    if (slot < 0 || this.used + length > LITERAL_CACHE_BYTES) {
      this.clear()
      slot = slotOf(source, start, end)
    }
    this.keys[slot] = keyOf(length, isHuffman)
    this.offsets[slot] = this.used
    this.classBits[slot] = classes
    this.texts[slot] = text
    for (let offset = start; offset < end; offset++) this.arena[this.used++] = source[offset]
  }

  private holds(kept: number, source: Uint8Array, start: number, end: number): boolean {
    let position = kept
    for (let offset = start; offset < end; offset++) {
      if (this.arena[position++] !== source[offset]) return false
    }
    return true
  }

  private freeSlot(first: number): number {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (first + probe) & SLOT_MASK
      if (this.keys[slot] === 0) return slot
    }
    return -1
  }

  private clear(): void {
    this.keys.fill(0)
    this.texts.fill('')
    this.used = 0
  }
}

function isCacheable(length: number): boolean {
  return length >= SHORTEST_LITERAL && length <= LONGEST_CACHED_LITERAL
}

function keyOf(length: number, isHuffman: boolean): number {
  return length | (isHuffman ? 0x8000 : 0)
}

// Looks at a few bytes only: a peer that collides costs itself its hits, and at most PROBES comparisons.
function slotOf(source: Uint8Array, start: number, end: number): number {
  const mixed =
    Math.imul(source[start] ^ (source[end - 1] << 8) ^ (source[end - 2] << 16), 0x9e3779b1) ^
    Math.imul(source[(start + end) >>> 1] ^ ((end - start) << 8), 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) & SLOT_MASK
}
