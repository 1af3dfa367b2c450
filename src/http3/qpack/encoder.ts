// Our use of the peer's dynamic table, RFC 9204 sections 2.1 and 4.3. A section is planned first, which may insert, and
// then written; with Base = Required Insert Count its bytes depend on absolute indices only, so that they stay right as
// long as the entries are there. It never waits: what flow control, the peer's limits or lost acknowledgments forbid is
// encoded without the table. One per connection; called by the message writer and by the peer's decoder stream.
import { connectionError, H3ErrorCode } from '../errors.ts'
import type { GlitchBudget } from '../glitch-budget.ts'
import {
  ENCODER_TABLE_CAPACITY,
  IDLE_CANCELLATIONS_PER_GLITCH,
  MAX_ENCODER_STREAM_BACKLOG,
  MAX_OUTSTANDING_SECTIONS,
  MAX_RISKED_STREAMS,
} from '../limits.ts'
import type { H3Settings } from '../settings.ts'
import type { DecoderStreamOwner } from './decoder-stream.ts'
import { ENTRY_OVERHEAD, entrySize, type TableEntry } from './dynamic-table.ts'
import { EncoderTable, type NameGroup } from './encoder-table.ts'
import { InsertionPolicy, isNeverIndexed } from './insertion-policy.ts'
import { InstructionOutput } from './instruction-output.ts'
import { OutstandingSections } from './outstanding-sections.ts'
import { writePrefixInteger } from './prefix-integer.ts'
import {
  FIELD_LINE_OVERHEAD,
  writeFieldLine,
  writeName,
  writeSectionPrefix,
  writeValue,
} from './section-encoder.ts'
import { type StaticName, staticByName } from './static-table.ts'

/** How a planned line is written. */
const LineForm = {
  /** Static table or literal. */
  plain: 0,
  /** The whole line is an entry. */
  indexed: 1,
  /** The name is that of an entry. */
  named: 2,
  /** And everything above: the line is in the static table, at the index that is left over. */
  fixed: 3,
} as const

/** Longest capacity, duplicate or prefix integer in bytes. */
const MAX_INTEGER = 10

export class QpackEncoder implements DecoderStreamOwner {
  readonly table = new EncoderTable()
  readonly output = new InstructionOutput()
  readonly #sections = new OutstandingSections()
  readonly #policy = new InsertionPolicy()
  /** Bytes of the peer's table that we use. */
  #capacity = 0
  /** Twice the entries that the peer's table can have: the Required Insert Count is sent modulo this. */
  #insertCountRange = 0
  #maxRisky = 0
  /** Pays for instructions of the peer that are of no use. */
  budget: GlitchBudget | undefined
  #idleCancellations = 0
  // The section being planned.
  #forms: number[] = []
  #entries: (TableEntry | undefined)[] = []
  #lines = 0
  #canRisk = false
  /** Required Insert Count of the planned section. */
  required = 0
  /** What the planned section refers to. */
  references: TableEntry[] = []
  /** The planned section would not become shorter if it were planned again. */
  isSettled = true

  /** The table can be used for a section now; otherwise sections are written without a plan. */
  get isReady(): boolean {
    return this.#capacity > 0 && this.#sections.count < MAX_OUTSTANDING_SECTIONS
  }

  /** Unacknowledged sections with references. */
  get outstandingSections(): number {
    return this.#sections.count
  }

  /** Streams that may be blocked at the peer. */
  get riskyStreams(): number {
    return this.#sections.riskyStreams
  }

  /**
   * The peer's SETTINGS have arrived. Not called for remembered settings: early data does without the table, because
   * what it would say to a server that rejects it is sent again as it is (RFC 9204 section 3.2.3).
   */
  configure({ qpackMaxTableCapacity, qpackBlockedStreams }: H3Settings): void {
    const capacity = Math.min(qpackMaxTableCapacity, ENCODER_TABLE_CAPACITY)
    this.#capacity = capacity < ENTRY_OVERHEAD ? 0 : capacity
    this.#insertCountRange = 2 * Math.floor(qpackMaxTableCapacity / ENTRY_OVERHEAD)
    this.#maxRisky = Math.min(qpackBlockedStreams, MAX_RISKED_STREAMS)
  }

  /** A section is written without a plan: nothing refers to the table. */
  skip(): void {
    this.required = 0
    this.references = []
    // One that only waits for acknowledgments can become shorter.
    this.isSettled = this.#capacity === 0
  }

  /** Begins a section of a stream. */
  begin(streamId: number): void {
    this.#lines = 0
    this.required = 0
    this.references = []
    this.isSettled = true
    this.#canRisk = this.#allowsRisk(streamId)
  }

  /**
   * Decides about the next line.
   * @throws TypeError for characters that are forbidden, before anything is inserted; `abandon` has to follow
   */
  plan(name: string, value: string, forbiddenInName: number, forbiddenInValue: number): void {
    const known = staticByName.get(name)
    const fixed = known?.values.get(value)
    if (fixed !== undefined || isNeverIndexed(name, value)) {
      this.#note(fixed === undefined ? LineForm.plain : LineForm.fixed + fixed, undefined)
      return
    }
    const group = this.table.find(name)
    const found = group?.values.get(value)
    const entry =
      found === undefined
        ? this.#enter(name, value, known, group, forbiddenInName, forbiddenInValue)
        : this.#referable(found)
    if (entry !== undefined) this.#note(LineForm.indexed, entry)
    else this.#planLiteral(name, value, known, forbiddenInName)
  }

  /** Ends the plan: the section is about to be sent. */
  finish(streamId: number): void {
    if (this.required > 0) this.#track(streamId, this.required, this.references)
  }

  /** Ends the plan of a section that is not sent. */
  abandon(): void {
    for (const entry of this.references) entry.references--
    this.references = []
  }

  /** Writes the prefix of the planned section (RFC 9204 section 4.5.1); returns the next offset. */
  writePrefix(target: Uint8Array, start: number): number {
    if (this.required === 0) return writeSectionPrefix(target, start)
    const offset = writePrefixInteger(target, start, 0, 8, (this.required % this.#insertCountRange) + 1)
    target[offset] = 0
    return offset + 1
  }

  /** Writes the planned line `line`; parameters and errors as {@link writeFieldLine}. */
  writeLine(
    target: Uint8Array,
    start: number,
    line: number,
    name: string,
    value: string,
    forbiddenInName: number,
    forbiddenInValue: number,
  ): number {
    const form = this.#forms[line]
    if (form >= LineForm.fixed) return writePrefixInteger(target, start, 0xc0, 6, form - LineForm.fixed)
    if (form === LineForm.plain) {
      return writeFieldLine(target, start, name, value, forbiddenInName, forbiddenInValue)
    }
    const relative = this.required - 1 - this.#entries[line]!.index
    if (form === LineForm.indexed) return writePrefixInteger(target, start, 0x80, 6, relative)
    const offset = writePrefixInteger(target, start, 0x40, 4, relative)
    return writeValue(target, offset, name, value, forbiddenInValue)
  }

  /**
   * Sends an earlier section again on another stream.
   * @returns false when it has to be planned anew
   */
  repeat(streamId: number, required: number, references: readonly TableEntry[]): boolean {
    if (required === 0) return true
    if (!this.isReady || (required > this.table.knownReceived && !this.#allowsRisk(streamId))) return false
    for (const entry of references) if (this.table.isDraining(entry)) return false
    for (const entry of references) entry.references++
    this.#track(streamId, required, references)
    return true
  }

  // DecoderStreamOwner

  handleAcknowledgment(streamId: number): void {
    const required = this.#sections.acknowledge(streamId, this.table.knownReceived)
    // RFC 9204 section 4.4.1: "every encoded field section with a non-zero Required Insert Count has already been
    // acknowledged".
    if (required === 0) throw decoderStreamError('acknowledgment of a section that was not sent')
    if (required > this.table.knownReceived) this.#raiseKnown(required)
  }

  // RFC 9204 section 4.4.2: legal for every stream; those that free nothing cost the peer a little.
  handleCancellation(streamId: number): void {
    if (this.#sections.cancel(streamId) || ++this.#idleCancellations < IDLE_CANCELLATIONS_PER_GLITCH) return
    this.#idleCancellations = 0
    this.budget?.charge(1)
  }

  handleIncrement(count: number): void {
    const known = this.table.knownReceived + count
    // RFC 9204 section 4.4.3: "an Increment field equal to zero, or one that increases the Known Received Count beyond
    // what the encoder has sent".
    if (count === 0 || known > this.table.insertCount) throw decoderStreamError('Insert Count Increment')
    this.#raiseKnown(known)
  }

  #raiseKnown(known: number): void {
    this.table.knownReceived = known
    if (this.#sections.riskyStreams > 0) this.#sections.handleKnown(known)
  }

  #track(streamId: number, required: number, references: readonly TableEntry[]): void {
    this.#sections.add(streamId, required, references, this.table.knownReceived)
  }

  // RFC 9204 section 2.1.2: "MUST limit the number of streams that could become blocked".
  #allowsRisk(streamId: number): boolean {
    return this.#sections.riskyStreams < this.#maxRisky || this.#sections.isRisky(streamId)
  }

  #isReferable(entry: TableEntry): boolean {
    return this.#canRisk || entry.index < this.table.knownReceived
  }

  #note(form: number, entry: TableEntry | undefined): void {
    this.#forms[this.#lines] = form
    this.#entries[this.#lines++] = entry
    if (entry === undefined) return
    entry.references++
    this.references.push(entry)
    if (entry.index >= this.required) this.required = entry.index + 1
  }

  #planLiteral(name: string, value: string, known: StaticName | undefined, forbiddenInName: number): void {
    if (entrySize(name, value) <= this.#capacity) this.isSettled = false
    const entry = known === undefined ? this.#nameEntry(name, forbiddenInName) : undefined
    const isUsable = entry !== undefined && this.#isReferable(entry)
    this.#note(isUsable ? LineForm.named : LineForm.plain, isUsable ? entry : undefined)
  }

  /** An entry whose name can be referred to; a name that comes again with ever other values gets one without value. */
  #nameEntry(name: string, forbiddenInName: number): TableEntry | undefined {
    // Looked for again: the insertion of another line may have brought the name, or evicted it.
    const group = this.table.find(name)
    if (group !== undefined && !this.#isLeaving(group.latest)) return group.latest
    if (group === undefined && !this.#policy.isNameRepeated(name)) return undefined
    return this.#insert(name, '', undefined, group, forbiddenInName, 0)
  }

  /** About to be evicted; an entry that was not acknowledged cannot be, whatever its age. */
  #isLeaving(entry: TableEntry): boolean {
    return entry.index < this.table.knownReceived && this.table.isDraining(entry)
  }

  /** The entry, or its copy at the young end when it is about to leave (RFC 9204 section 2.1.1.1). */
  #referable(entry: TableEntry): TableEntry | undefined {
    if (!this.#isLeaving(entry)) return this.#isReferable(entry) ? entry : undefined
    if (!this.#canRisk) return this.#copyInTime(entry)
    return this.#canInsert(entry.size, MAX_INTEGER) ? this.#duplicate(entry) : undefined
  }

  /** While only acknowledged entries may be referred to, the old one serves until its copy is. */
  #copyInTime(entry: TableEntry): TableEntry {
    const isRoomy = this.table.size + entry.size - this.table.capacity <= this.#bytesBefore(entry)
    if (isRoomy && this.#canInsert(entry.size, MAX_INTEGER)) {
      this.#duplicate(entry)
      this.isSettled = false
    }
    return entry
  }

  /** Bytes that can be evicted without the entry. */
  #bytesBefore(entry: TableEntry): number {
    return entry.start - (this.table.insertedBytes - this.table.size)
  }

  #duplicate(entry: TableEntry): TableEntry {
    this.#sendInteger(0x00, 5, this.table.insertCount - 1 - entry.index)
    return this.table.add(entry.name, entry.value)
  }

  /** A new entry for the line, if it is worth one and can be referred to. */
  #enter(
    name: string,
    value: string,
    known: StaticName | undefined,
    group: NameGroup | undefined,
    forbiddenInName: number,
    forbiddenInValue: number,
  ): TableEntry | undefined {
    if (!this.#policy.shouldInsert(name, value)) return undefined
    const entry = this.#insert(name, value, known, group, forbiddenInName, forbiddenInValue)
    return entry !== undefined && this.#isReferable(entry) ? entry : undefined
  }

  #insert(
    name: string,
    value: string,
    known: StaticName | undefined,
    group: NameGroup | undefined,
    forbiddenInName: number,
    forbiddenInValue: number,
  ): TableEntry | undefined {
    if (!this.#canInsert(entrySize(name, value), name.length + value.length + FIELD_LINE_OVERHEAD)) {
      return undefined
    }
    const { output } = this
    this.#sendCapacity()
    const target = output.reserve(name.length + value.length + FIELD_LINE_OVERHEAD)
    let offset = output.start
    if (known !== undefined) offset = writePrefixInteger(target, offset, 0xc0, 6, known.index)
    else if (group !== undefined) {
      const relative = this.table.insertCount - 1 - group.latest.index
      offset = writePrefixInteger(target, offset, 0x80, 6, relative)
    } else offset = writeName(target, offset, 0x40, 5, name, forbiddenInName)
    output.commit(writeValue(target, offset, name, value, forbiddenInValue))
    return this.table.add(name, value)
  }

  /**
   * Whether an entry of `size` bytes may be inserted by an instruction of at most `bytes` bytes. RFC 9204 section 2.1.3:
   * "SHOULD NOT write an instruction unless sufficient stream and connection flow-control credit is available".
   */
  #canInsert(size: number, bytes: number): boolean {
    const { output, table } = this
    if (table.capacity === 0 ? size > this.#capacity : !table.canInsert(size)) return false
    if (output.room < bytes + MAX_INTEGER || output.bufferedBytes > MAX_ENCODER_STREAM_BACKLOG) return false
    return this.#canRisk || this.#isHeard
  }

  /** Entries that nobody may refer to before they are acknowledged are worth it only where acknowledgments come. */
  get #isHeard(): boolean {
    const first = this.table.get(this.table.knownReceived)
    return first === undefined || this.table.insertedBytes - first.start <= this.table.capacity >>> 1
  }

  #sendCapacity(): void {
    if (this.table.capacity > 0) return
    this.#sendInteger(0x20, 5, this.#capacity)
    this.table.setCapacity(this.#capacity)
  }

  #sendInteger(pattern: number, prefixBits: number, value: number): void {
    const target = this.output.reserve(MAX_INTEGER)
    this.output.commit(writePrefixInteger(target, this.output.start, pattern, prefixBits, value))
  }
}

function decoderStreamError(reason: string): Error {
  return connectionError(H3ErrorCode.QPACK_DECODER_STREAM_ERROR, reason)
}
