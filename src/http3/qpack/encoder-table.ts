// The encoder's copy of the peer's dynamic table: search by name and value, and what may be evicted or referred to
// (RFC 9204 section 2.1.1). Owned by QpackEncoder.
import { DynamicTable, type TableEntry } from './dynamic-table.ts'

/** All entries with one name. */
export interface NameGroup {
  /** The youngest. */
  latest: TableEntry
  /** The youngest for each value. */
  readonly values: Map<string, TableEntry>
}

export class EncoderTable extends DynamicTable {
  /** Insertions that the peer is known to have (RFC 9204 section 2.1.4). */
  knownReceived = 0
  readonly #groups = new Map<string, NameGroup>()

  find(name: string): NameGroup | undefined {
    return this.#groups.get(name)
  }

  /** Inserts, and makes the entry the one that a search finds. */
  add(name: string, value: string): TableEntry {
    const entry = this.insert(name, value, 0, 0)
    const group = this.#groups.get(name)
    if (group === undefined) this.#groups.set(name, { latest: entry, values: new Map([[value, entry]]) })
    else {
      group.latest = entry
      group.values.set(value, entry)
    }
    return entry
  }

  /**
   * Whether an entry of so many bytes can be inserted. RFC 9204 section 2.1.1: "the encoder MUST NOT insert that entry"
   * when that would evict one that was not acknowledged, or that unacknowledged sections refer to.
   */
  canInsert(bytes: number): boolean {
    if (bytes > this.capacity) return false
    let missing = this.size + bytes - this.capacity
    for (let index = this.droppedCount; missing > 0; index++) {
      const oldest = this.get(index)
      if (oldest === undefined || index >= this.knownReceived || oldest.references > 0) return false
      missing -= oldest.size
    }
    return true
  }

  /**
   * Close to eviction, or evicted already: not to be referred to, so that it becomes evictable (RFC 9204 section
   * 2.1.1.1). The oldest eighth of the capacity drains.
   */
  isDraining(entry: TableEntry): boolean {
    return this.insertedBytes - entry.start > this.capacity - (this.capacity >>> 3)
  }

  protected override forget(entry: TableEntry): void {
    const group = this.#groups.get(entry.name)!
    if (group.values.get(entry.value) === entry) group.values.delete(entry.value)
    if (group.values.size === 0) this.#groups.delete(entry.name)
  }
}
