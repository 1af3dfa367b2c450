// Reads the peer's encoder stream at any split and applies it to our table, RFC 9204 section 4.3. Every length is held
// against the capacity before a byte behind it is waited for, so an unfinished instruction stays small.
// Fed by the unidirectional stream that carries it; owned by QpackDecoder.
import { connectionError, H3ErrorCode } from '../errors.ts'
import { classesOfBytes } from '../field-grammar.ts'
import { type DynamicTable, ENTRY_OVERHEAD, type TableEntry } from './dynamic-table.ts'
import { latin1, unpack, unpackedBytes } from './literal-text.ts'
import { addContinuation } from './prefix-integer.ts'
import { STATIC_TABLE_SIZE, staticNames } from './static-table.ts'

/** What the reader tells its decoder. */
export interface EncoderStreamOwner {
  /** The capacity that we announced, bytes. */
  readonly maxCapacity: number
  readonly table: DynamicTable
  /** Counts bytes before they are read. */
  noteEncoderBytes(count: number): void
  /** All complete instructions of a chunk were applied. */
  handleInsertions(): void
}

/** Longest code of a symbol in bits: so much can a string shrink when it is decoded (RFC 7541 appendix B). */
const LONGEST_CODE = 30

const nothing = new Uint8Array(0)

function fail(reason: string): never {
  throw connectionError(H3ErrorCode.QPACK_ENCODER_STREAM_ERROR, reason)
}

export class EncoderStreamReader {
  readonly #owner: EncoderStreamOwner
  readonly #table: DynamicTable
  /** The beginning of an instruction whose rest has not arrived. */
  #held: Uint8Array = nothing
  #source: Uint8Array = nothing
  #offset = 0
  // What the last readers found.
  #integer = 0
  #text = ''
  #classes = 0

  constructor(owner: EncoderStreamOwner) {
    this.#owner = owner
    this.#table = owner.table
  }

  /** Bytes that wait for the rest of their instruction. */
  get heldBytes(): number {
    return this.#held.length
  }

  /**
   * Takes bytes of the stream.
   * @throws H3Error QPACK_ENCODER_STREAM_ERROR (connection)
   */
  push(bytes: Uint8Array): void {
    this.#owner.noteEncoderBytes(bytes.length)
    const source = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    this.#source = source
    let end = 0
    for (;;) {
      this.#offset = end
      if (end === source.length || !this.#readInstruction()) break
      end = this.#offset
    }
    this.#source = nothing
    this.#held = end === source.length ? nothing : new Uint8Array(source.subarray(end))
    this.#owner.handleInsertions()
  }

  /** Applies the next instruction; false while it is incomplete. */
  #readInstruction(): boolean {
    const first = this.#source[this.#offset]
    if (first >= 0x80) return this.#readNameReference(first)
    if (first >= 0x40) return this.#readLiteralName()
    if (!this.#readInteger(5)) return false
    if (first >= 0x20) this.#setCapacity(this.#integer)
    else this.#duplicate(this.#integer)
    return true
  }

  // RFC 9204 section 4.3.1
  #setCapacity(bytes: number): void {
    if (bytes > this.#owner.maxCapacity) fail('capacity above the limit')
    this.#table.setCapacity(bytes)
  }

  // RFC 9204 section 4.3.4
  #duplicate(relative: number): void {
    const entry = this.#entry(relative)
    this.#insert(entry.name, entry.value, entry.nameClasses, entry.valueClasses)
  }

  // RFC 9204 section 4.3.2
  #readNameReference(first: number): boolean {
    if (!this.#readInteger(6)) return false
    const index = this.#integer
    let name: string
    let nameClasses = 0
    if ((first & 0x40) !== 0) {
      // RFC 9204 section 3.1
      if (index >= STATIC_TABLE_SIZE) fail(`static index ${index}`)
      name = staticNames[index]
    } else {
      const entry = this.#entry(index)
      name = entry.name
      nameClasses = entry.nameClasses
    }
    if (!this.#readString(7, name.length)) return false
    this.#insert(name, this.#text, nameClasses, this.#classes)
    return true
  }

  // RFC 9204 section 4.3.3
  #readLiteralName(): boolean {
    if (!this.#readString(5, 0)) return false
    const name = this.#text
    const nameClasses = this.#classes
    if (!this.#readString(7, name.length)) return false
    this.#insert(name, this.#text, nameClasses, this.#classes)
    return true
  }

  #insert(name: string, value: string, nameClasses: number, valueClasses: number): void {
    this.#checkSize(name.length + value.length)
    this.#table.insert(name, value, nameClasses, valueClasses)
  }

  /** RFC 9204 section 2.2.3: a reference to an entry that was evicted, or never inserted. */
  #entry(relative: number): TableEntry {
    return (
      this.#table.get(this.#table.insertCount - 1 - relative) ??
      fail('reference to an entry that is not there')
    )
  }

  /** RFC 9204 section 3.2.2: an entry larger than the capacity. */
  #checkSize(textBytes: number): void {
    if (textBytes + ENTRY_OVERHEAD > this.#table.capacity) fail('entry larger than the table')
  }

  #readInteger(prefixBits: number): boolean {
    const source = this.#source
    if (this.#offset >= source.length) return false
    const mask = (1 << prefixBits) - 1
    let value = source[this.#offset++] & mask
    for (let position = 0; value >= mask; position++) {
      if (this.#offset >= source.length) return false
      const byte = source[this.#offset++]
      value = addContinuation(value, byte, position)
      if (value < 0) fail('integer too large')
      if (byte < 0x80) break
    }
    this.#integer = value
    return true
  }

  /**
   * Reads a string literal (RFC 9204 section 4.1.2).
   * @param prefixBits bits of its length; the H bit stands in front of them
   * @param nameBytes what the entry has already
   */
  #readString(prefixBits: number, nameBytes: number): boolean {
    if (this.#offset >= this.#source.length) return false
    const isHuffman = (this.#source[this.#offset] & (1 << prefixBits)) !== 0
    if (!this.#readInteger(prefixBits)) return false
    const length = this.#integer
    this.#checkSize(nameBytes + (isHuffman ? Math.floor((length * 8) / LONGEST_CODE) : length))
    const start = this.#offset
    if (length > this.#source.length - start) return false
    this.#offset = start + length
    if (isHuffman) {
      const unpacked = unpack(this.#source, start, start + length)
      if (unpacked < 0) fail('invalid Huffman code')
      this.#checkSize(nameBytes + unpacked)
      this.#keepText(unpackedBytes(), 0, unpacked)
    } else this.#keepText(this.#source, start, start + length)
    return true
  }

  #keepText(bytes: Uint8Array, start: number, end: number): void {
    this.#text = start === end ? '' : latin1(bytes, start, end)
    this.#classes = classesOfBytes(bytes, start, end)
  }
}
