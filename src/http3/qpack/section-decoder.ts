// Decodes an encoded field section against both tables, RFC 9204 section 4.5. Called by QpackDecoder with the payload
// of a HEADERS frame, straight from the borrowed view.

import { connectionError, H3Error, H3ErrorCode } from '../errors.ts'
import { classesOfBytes } from '../field-grammar.ts'
import { FIELD_OVERHEAD } from '../limits.ts'
import { DynamicTable, ENTRY_OVERHEAD, type TableEntry } from './dynamic-table.ts'
import { LiteralCache } from './literal-cache.ts'
import { latin1, unpack, unpackedBytes } from './literal-text.ts'
import { addContinuation } from './prefix-integer.ts'
import { STATIC_TABLE_SIZE, staticNames, staticValues } from './static-table.ts'

/** Takes the decoded field lines one by one. */
export interface FieldReceiver {
  /**
   * @param name field name as sent, latin1
   * @param value field value as sent, latin1
   * @param nameClasses ByteClass bits of the name; 0 for static names
   * @param valueClasses ByteClass bits of the value; 0 for static values
   */
  handleField(name: string, value: string, nameClasses: number, valueClasses: number): void
}

/** Caps for one field section, checked while it is decoded and before a string is made. */
export interface FieldSectionCaps {
  /** Bytes as counted by RFC 9114 section 4.2.2. */
  readonly maxSize: number
  /** Field lines. */
  readonly maxCount: number
}

const nothing = new Uint8Array(0)

function failed(reason: string): H3Error {
  return connectionError(H3ErrorCode.QPACK_DECOMPRESSION_FAILED, reason)
}

/** Decoder of field sections; reusable, not re-entrant. */
export class FieldSectionDecoder {
  private readonly caps: FieldSectionCaps
  private readonly table: DynamicTable
  /** RFC 9204 section 4.5.1.1 */
  private readonly maxEntries: number
  private required = 0
  private base = 0
  private source: Uint8Array = nothing
  private offset = 0
  private end = 0
  private size = 0
  private classes = 0
  private cache: LiteralCache | undefined
  private sections = 0

  /** @param maxCapacity bytes of dynamic table that we announced */
  constructor(caps: FieldSectionCaps, table: DynamicTable = new DynamicTable(), maxCapacity = 0) {
    this.caps = caps
    this.table = table
    this.maxEntries = Math.floor(maxCapacity / ENTRY_OVERHEAD)
  }

  /**
   * Decodes one section and hands its field lines to `receiver`; one that is ahead of the table is left alone.
   * @param source buffer with the section
   * @param start first byte of the section
   * @param end offset behind its last byte
   * @param receiver called per field line
   * @returns the Required Insert Count; nothing was decoded when the table has had fewer insertions
   * @throws H3Error QPACK_DECOMPRESSION_FAILED (connection); H3_EXCESSIVE_LOAD (stream) over a cap; what `receiver` throws
   */
  decode(source: Uint8Array, start: number, end: number, receiver: FieldReceiver): number {
    this.source = source
    this.offset = start
    this.end = end
    this.size = 0
    this.readSectionPrefix()
    if (this.required > this.table.insertCount) return this.required
    // A connection that makes one request only has no use for a memory.
    if (++this.sections === 2) this.cache = new LiteralCache()
    let count = 0
    while (this.offset < this.end) {
      if (++count > this.caps.maxCount) this.failTooLarge('too many fields')
      this.decodeFieldLine(receiver)
    }
    this.source = nothing
    return this.required
  }

  // RFC 9204 section 4.5.1
  private readSectionPrefix(): void {
    this.required = this.expandInsertCount(this.readInteger(8))
    const hasSign = this.offset < this.end && this.source[this.offset] >= 0x80
    const delta = this.readInteger(7)
    // RFC 9204 section 4.5.1.2: Sign 1 with Required Insert Count <= Delta Base is invalid.
    if (hasSign && this.required <= delta) throw failed('negative Base')
    this.base = hasSign ? this.required - delta - 1 : this.required + delta
  }

  // RFC 9204 section 4.5.1.1: what the encoder sent modulo twice the entries that can be there, "a value of
  // EncodedInsertCount that could not have been produced by a conformant encoder" being an error.
  private expandInsertCount(encoded: number): number {
    if (encoded === 0) return 0
    const range = 2 * this.maxEntries
    if (encoded > range) throw failed('Required Insert Count out of range')
    const largest = this.table.insertCount + this.maxEntries
    let required = largest - (largest % range) + encoded - 1
    if (required > largest) required -= range
    if (required <= 0) throw failed('Required Insert Count that cannot be')
    return required
  }

  private decodeFieldLine(receiver: FieldReceiver): void {
    const first = this.source[this.offset]
    if (first >= 0x80) this.decodeIndexed(first, receiver)
    else if (first >= 0x40) this.decodeNameReference(first, receiver)
    else if (first >= 0x20) this.decodeLiteral(receiver)
    else if (first >= 0x10) this.emit(this.entry(this.base + this.readInteger(4)), receiver)
    else this.decodeNamed(this.entry(this.base + this.readInteger(3)), receiver)
  }

  /** RFC 9204 section 2.2.3: evicted, or at or above the Required Insert Count. */
  private entry(index: number): TableEntry {
    if (index >= this.required) throw failed('reference beyond the Required Insert Count')
    const entry = this.table.get(index)
    if (entry === undefined) throw failed('reference to an entry that was evicted')
    return entry
  }

  private emit({ name, value, nameClasses, valueClasses }: TableEntry, receiver: FieldReceiver): void {
    this.charge(name.length + value.length + FIELD_OVERHEAD)
    receiver.handleField(name, value, nameClasses, valueClasses)
  }

  private decodeNamed({ name, nameClasses }: TableEntry, receiver: FieldReceiver): void {
    this.charge(name.length + FIELD_OVERHEAD)
    const value = this.readString(7)
    receiver.handleField(name, value, nameClasses, this.classes)
  }

  private decodeIndexed(first: number, receiver: FieldReceiver): void {
    const index = this.readInteger(6)
    if ((first & 0x40) === 0) {
      this.emit(this.entry(this.base - 1 - index), receiver)
      return
    }
    if (index >= STATIC_TABLE_SIZE) throw failed(`static index ${index}`)
    const name = staticNames[index]
    const value = staticValues[index]
    this.charge(name.length + value.length + FIELD_OVERHEAD)
    receiver.handleField(name, value, 0, 0)
  }

  private decodeNameReference(first: number, receiver: FieldReceiver): void {
    const index = this.readInteger(4)
    if ((first & 0x10) === 0) {
      this.decodeNamed(this.entry(this.base - 1 - index), receiver)
      return
    }
    if (index >= STATIC_TABLE_SIZE) throw failed(`static index ${index}`)
    const name = staticNames[index]
    this.charge(name.length + FIELD_OVERHEAD)
    const value = this.readString(7)
    receiver.handleField(name, value, 0, this.classes)
  }

  private decodeLiteral(receiver: FieldReceiver): void {
    this.charge(FIELD_OVERHEAD)
    const name = this.readString(3)
    const nameClasses = this.classes
    const value = this.readString(7)
    receiver.handleField(name, value, nameClasses, this.classes)
  }

  private readInteger(prefixBits: number): number {
    if (this.offset >= this.end) throw failed('truncated integer')
    const mask = (1 << prefixBits) - 1
    let value = this.source[this.offset++] & mask
    if (value < mask) return value
    for (let position = 0; ; position++) {
      if (this.offset >= this.end) throw failed('truncated integer')
      const byte = this.source[this.offset++]
      value = addContinuation(value, byte, position)
      if (value < 0) throw failed('integer too large')
      if (byte < 0x80) return value
    }
  }

  /** String literal whose length has `prefixBits` bits and whose H bit stands in front of them (section 4.1.2). */
  private readString(prefixBits: number): string {
    if (this.offset >= this.end) throw failed('truncated string')
    const isHuffman = (this.source[this.offset] & (1 << prefixBits)) !== 0
    const length = this.readInteger(prefixBits)
    const start = this.offset
    if (length > this.end - start) throw failed('string longer than its section')
    this.offset = start + length
    return this.readLiteral(start, start + length, isHuffman)
  }

  private readLiteral(start: number, end: number, isHuffman: boolean): string {
    const cache = this.cache
    if (cache === undefined) return this.decodeLiteralText(start, end, isHuffman)
    if (cache.find(this.source, start, end, isHuffman)) {
      this.charge(cache.text.length)
      this.classes = cache.classes
      return cache.text
    }
    const text = this.decodeLiteralText(start, end, isHuffman)
    cache.keep(this.source, start, end, isHuffman, text, this.classes)
    return text
  }

  private decodeLiteralText(start: number, end: number, isHuffman: boolean): string {
    if (!isHuffman) return this.makeString(this.source, start, end)
    const length = unpack(this.source, start, end)
    if (length < 0) throw failed('invalid Huffman code')
    return this.makeString(unpackedBytes(), 0, length)
  }

  private makeString(bytes: Uint8Array, start: number, end: number): string {
    if (start === end) {
      this.classes = 0
      return ''
    }
    this.charge(end - start)
    this.classes = classesOfBytes(bytes, start, end)
    return latin1(bytes, start, end)
  }

  private charge(bytes: number): void {
    this.size += bytes
    if (this.size > this.caps.maxSize) this.failTooLarge('field section too large')
  }

  private failTooLarge(reason: string): never {
    throw new H3Error(H3ErrorCode.H3_EXCESSIVE_LOAD, reason, 'stream')
  }
}
