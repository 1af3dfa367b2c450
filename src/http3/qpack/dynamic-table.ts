// The dynamic table of RFC 9204 section 3.2: entries in the order of their insertion, found by absolute index, evicted
// from the oldest end when the bytes run out. The decoder uses it as it is; encoder-table.ts adds the search by content.
//
//   slot    0       1       2       3            mask 3, dropped 2, inserted 6
//         [abs 4] [abs 5] [abs 2] [abs 3]        slot = absolute index & mask
//                           ^ oldest

/** Bytes that an entry counts besides its name and value (RFC 9204 section 3.2.1). */
export const ENTRY_OVERHEAD = 32

const FIRST_SLOTS = 8

/** Size of an entry in bytes (RFC 9204 section 3.2.1); names and values are latin1, so characters are bytes. */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD
}

/** One line of the table. */
export class TableEntry {
  /** Absolute index (RFC 9204 section 3.2.4). */
  readonly index: number
  readonly name: string
  readonly value: string
  /** ByteClass bits of name and value. */
  readonly nameClasses: number
  readonly valueClasses: number
  /** Bytes of all entries inserted before it: tells how far it is from eviction. */
  readonly start: number
  /** Encoder: unacknowledged sections that refer to it. */
  references = 0

  constructor(
    index: number,
    start: number,
    name: string,
    value: string,
    nameClasses: number,
    valueClasses: number,
  ) {
    this.index = index
    this.start = start
    this.name = name
    this.value = value
    this.nameClasses = nameClasses
    this.valueClasses = valueClasses
  }

  get size(): number {
    return this.name.length + this.value.length + ENTRY_OVERHEAD
  }
}

export class DynamicTable {
  /** Most bytes that the entries may have together (RFC 9204 section 3.2.2). */
  capacity = 0
  /** Bytes of the entries that are there. */
  size = 0
  /** Entries inserted so far: the absolute index of the next one. */
  insertCount = 0
  /** Entries evicted so far: the absolute index of the oldest one that is left. */
  droppedCount = 0
  /** Bytes of all entries inserted so far. */
  insertedBytes = 0
  #slots: (TableEntry | undefined)[] = []
  #mask = -1

  /** Entry with an absolute index; undefined when it was evicted or is not yet there. */
  get(index: number): TableEntry | undefined {
    if (index < this.droppedCount || index >= this.insertCount) return undefined
    return this.#slots[index & this.#mask]
  }

  /** Changes the capacity and evicts what no longer fits. */
  setCapacity(bytes: number): void {
    this.capacity = bytes
    this.#makeRoom(0)
  }

  /**
   * Adds an entry and evicts what stands in its way.
   * @throws RangeError when it is larger than the capacity; nothing is evicted then
   */
  insert(name: string, value: string, nameClasses: number, valueClasses: number): TableEntry {
    const entry = new TableEntry(this.insertCount, this.insertedBytes, name, value, nameClasses, valueClasses)
    const { size } = entry
    if (size > this.capacity) throw new RangeError('entry larger than the table')
    this.#makeRoom(size)
    if (this.insertCount - this.droppedCount > this.#mask) this.#grow()
    this.#slots[this.insertCount & this.#mask] = entry
    this.insertCount++
    this.insertedBytes += size
    this.size += size
    return entry
  }

  /** Called for each entry that leaves. */
  protected forget(_entry: TableEntry): void {}

  #makeRoom(bytes: number): void {
    while (this.size > this.capacity - bytes) {
      const slot = this.droppedCount & this.#mask
      const entry = this.#slots[slot]!
      this.#slots[slot] = undefined
      this.droppedCount++
      this.size -= entry.size
      this.forget(entry)
    }
  }

  // The slots grow with what is really inserted, never with what was announced.
  #grow(): void {
    const count = Math.max(FIRST_SLOTS, 2 * this.#slots.length)
    const slots = new Array<TableEntry | undefined>(count).fill(undefined)
    for (let index = this.droppedCount; index < this.insertCount; index++) {
      slots[index & (count - 1)] = this.#slots[index & this.#mask]
    }
    this.#slots = slots
    this.#mask = count - 1
  }
}
