// Heads that a connection's writer has encoded before: a handler tends to give the same one again, and a hit copies some
// bytes instead of checking and encoding every field. A head is kept when it comes the second time, and only in its
// shortest form: what the dynamic table may still shorten is encoded again. Owned by MessageWriter.

import { REPEATED_HEAD_CHARACTERS, REPEATED_HEADS } from './limits.ts'
import type { WrittenSection } from './message-writer.ts'
import type { TableEntry } from './qpack/dynamic-table.ts'

/** An encoded field section, and what `scan` found out about its fields. */
export interface RepeatedHead {
  readonly status: number
  readonly section: WrittenSection
  readonly fields: readonly string[]
  readonly declaredLength: number
  readonly priority: string | undefined
  /** Upper bound of its bytes when it has to be encoded anew. */
  readonly bound: number
  /** The encoded field section. */
  readonly bytes: Uint8Array
  /** Its Required Insert Count, and the entries of the dynamic table that it refers to. */
  readonly required: number
  readonly references: readonly TableEntry[]
}

export class RepeatedHeads {
  readonly #heads: (RepeatedHead | undefined)[] = []
  /** What was last missed in each place. */
  readonly #missed: (readonly string[] | undefined)[] = []

  /** The head with these fields, or undefined. */
  find(status: number, section: WrittenSection, fields: readonly string[]): RepeatedHead | undefined {
    const head = this.#heads[placeOf(status, fields)]
    if (head === undefined || head.status !== status || head.section !== section) return undefined
    return isSame(head.fields, fields) ? head : undefined
  }

  /**
   * Whether a head that was not found should be kept: it was the last one that was missed in its place.
   * @param characters of all names and values
   */
  isWorthKeeping(status: number, fields: readonly string[], characters: number): boolean {
    if (characters > REPEATED_HEAD_CHARACTERS) return false
    const place = placeOf(status, fields)
    const missed = this.#missed[place]
    if (missed !== undefined && isSame(missed, fields)) return true
    this.#missed[place] = fields
    return false
  }

  keep(head: RepeatedHead): void {
    this.#heads[placeOf(head.status, head.fields)] = head
  }

  /** The peer's settings have changed what may be sent. */
  clear(): void {
    this.#heads.length = 0
    this.#missed.length = 0
  }
}

// Heads of one handler differ in status, number of fields or the length of the last value, if in anything.
function placeOf(status: number, fields: readonly string[]): number {
  const { length } = fields
  const last = length === 0 ? 0 : String(fields[length - 1]).length
  return (status + (length >>> 1) + last) & (REPEATED_HEADS - 1)
}

function isSame(known: readonly string[], fields: readonly string[]): boolean {
  const { length } = known
  if (fields.length !== length) return false
  for (let index = 0; index < length; index++) if (known[index] !== fields[index]) return false
  return true
}
