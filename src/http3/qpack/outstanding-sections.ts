// Sections that we sent with references to the peer's dynamic table and that it has not acknowledged (RFC 9204 sections
// 2.1.1 to 2.1.2): they hold their entries in place, and some of them may block their streams. Owned by QpackEncoder.
import type { TableEntry } from './dynamic-table.ts'

/** One unacknowledged section. */
interface Section {
  /** Required Insert Count. */
  readonly required: number
  /** Entries that it refers to, each as often as its count was raised. */
  readonly references: readonly TableEntry[]
  /** The next section of the same stream. */
  next: Section | undefined
}

function release(section: Section): void {
  for (const entry of section.references) entry.references--
}

export class OutstandingSections {
  /** Unacknowledged sections of all streams. */
  count = 0
  /** The oldest section of each stream. */
  readonly #streams = new Map<number, Section>()
  /** Streams that may be blocked, and the insertions that would unblock them. */
  readonly #risky = new Map<number, number>()

  /** Streams that may be blocked at the peer. */
  get riskyStreams(): number {
    return this.#risky.size
  }

  isRisky(streamId: number): boolean {
    return this.#risky.has(streamId)
  }

  /**
   * Remembers a section that is being sent; its references are counted already.
   * @param known insertions that the peer is known to have
   */
  add(streamId: number, required: number, references: readonly TableEntry[], known: number): void {
    const section: Section = { required, references, next: undefined }
    let last = this.#streams.get(streamId)
    if (last === undefined) this.#streams.set(streamId, section)
    else {
      while (last.next !== undefined) last = last.next
      last.next = section
    }
    this.count++
    if (required > known) this.#risky.set(streamId, Math.max(required, this.#risky.get(streamId) ?? 0))
  }

  /**
   * The oldest section of a stream was decoded.
   * @returns its Required Insert Count, 0 when the stream has no such section
   */
  acknowledge(streamId: number, known: number): number {
    const section = this.#streams.get(streamId)
    if (section === undefined) return 0
    this.count--
    release(section)
    if (section.next === undefined) this.#streams.delete(streamId)
    else this.#streams.set(streamId, section.next)
    if (this.#risky.size > 0) this.#assess(streamId, section.next, Math.max(known, section.required))
    return section.required
  }

  /** The peer will not decode what is left of a stream. Returns whether anything was. */
  cancel(streamId: number): boolean {
    let section = this.#streams.get(streamId)
    if (section === undefined) return false
    this.#streams.delete(streamId)
    this.#risky.delete(streamId)
    for (; section !== undefined; section = section.next) {
      this.count--
      release(section)
    }
    return true
  }

  /** The peer has so many insertions: streams that waited for them wait no longer. */
  handleKnown(known: number): void {
    for (const [streamId, required] of this.#risky) {
      if (required <= known) this.#risky.delete(streamId)
    }
  }

  /** What is left of a stream may need less than the section that is gone. */
  #assess(streamId: number, first: Section | undefined, known: number): void {
    let required = 0
    for (let section = first; section !== undefined; section = section.next) {
      required = Math.max(required, section.required)
    }
    if (required > known) this.#risky.set(streamId, required)
    else this.#risky.delete(streamId)
  }
}
