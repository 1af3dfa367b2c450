// Decodes an encoded field section, RFC 9204 section 4.5. The dynamic table has capacity zero here (that is what
// SETTINGS announces), so every reference to it is an error; a later table joins at `failDynamic`.
// Called by the request stream with the payload of a HEADERS frame, straight from the borrowed view.

import { connectionError, H3Error, H3ErrorCode } from '../errors.ts'
import { classesOfBytes } from '../field-grammar.ts'
import { FIELD_OVERHEAD } from '../limits.ts'
import { huffmanDecode, huffmanDecodedBound } from './huffman.ts'
import { LiteralCache } from './literal-cache.ts'
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

// One string is decoded at a time in the whole process, so all decoders share the scratch memory.
let scratch = Buffer.alloc(8_192)

function failed(reason: string): H3Error {
  return connectionError(H3ErrorCode.QPACK_DECOMPRESSION_FAILED, reason)
}

function failDynamic(): never {
  // RFC 9204 section 2.2.3: a reference to an entry that does not exist.
  throw failed('reference to the dynamic table, whose capacity is zero')
}

/** Decoder of field sections; reusable, not re-entrant. */
export class FieldSectionDecoder {
  private readonly caps: FieldSectionCaps
  private source: Uint8Array = scratch
  private offset = 0
  private end = 0
  private size = 0
  private classes = 0
  private cache: LiteralCache | undefined
  private sections = 0

  constructor(caps: FieldSectionCaps) {
    this.caps = caps
  }

  /**
   * Decodes one section and hands its field lines to `receiver`.
   * @param source buffer with the section
   * @param start first byte of the section
   * @param end offset behind its last byte
   * @param receiver called per field line
   * @throws H3Error QPACK_DECOMPRESSION_FAILED (connection); H3_EXCESSIVE_LOAD (stream) over a cap; what `receiver` throws
   */
  decode(source: Uint8Array, start: number, end: number, receiver: FieldReceiver): void {
    this.source = source
    this.offset = start
    this.end = end
    this.size = 0
    this.readSectionPrefix()
    // A connection that makes one request only has no use for a memory.
    if (++this.sections === 2) this.cache = new LiteralCache()
    let count = 0
    while (this.offset < this.end) {
      if (++count > this.caps.maxCount) this.failTooLarge('too many fields')
      this.decodeFieldLine(receiver)
    }
    this.source = scratch
  }

  // RFC 9204 section 4.5.1: with no dynamic table the Required Insert Count can only be zero.
  private readSectionPrefix(): void {
    if (this.readInteger(8) !== 0) throw failed('Required Insert Count is not zero')
    const hasSign = this.offset < this.end && this.source[this.offset] >= 0x80
    this.readInteger(7)
    // RFC 9204 section 4.5.1.2: Sign 1 with Required Insert Count <= Delta Base is invalid.
    if (hasSign) throw failed('negative Base')
  }

  private decodeFieldLine(receiver: FieldReceiver): void {
    const first = this.source[this.offset]
    if (first >= 0x80) this.decodeIndexed(first, receiver)
    else if (first >= 0x40) this.decodeNameReference(first, receiver)
    else if (first >= 0x20) this.decodeLiteral(receiver)
    else failDynamic() // 0001 and 0000: post-Base forms
  }

  private decodeIndexed(first: number, receiver: FieldReceiver): void {
    const index = this.readInteger(6)
    if ((first & 0x40) === 0) failDynamic()
    if (index >= STATIC_TABLE_SIZE) throw failed(`static index ${index}`)
    const name = staticNames[index]
    const value = staticValues[index]
    this.charge(name.length + value.length + FIELD_OVERHEAD)
    receiver.handleField(name, value, 0, 0)
  }

  private decodeNameReference(first: number, receiver: FieldReceiver): void {
    const index = this.readInteger(4)
    if ((first & 0x10) === 0) failDynamic()
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
    const bound = huffmanDecodedBound(end - start)
    if (bound > scratch.length) scratch = Buffer.alloc(bound)
    const length = huffmanDecode(this.source, start, end, scratch)
    if (length < 0) throw failed('invalid Huffman code')
    return this.makeString(scratch, 0, length)
  }

  private makeString(bytes: Uint8Array, start: number, end: number): string {
    if (start === end) {
      this.classes = 0
      return ''
    }
    this.charge(end - start)
    this.classes = classesOfBytes(bytes, start, end)
    return Buffer.prototype.latin1Slice.call(bytes, start, end)
  }

  private charge(bytes: number): void {
    this.size += bytes
    if (this.size > this.caps.maxSize) this.failTooLarge('field section too large')
  }

  private failTooLarge(reason: string): never {
    throw new H3Error(H3ErrorCode.H3_EXCESSIVE_LOAD, reason, 'stream')
  }
}
