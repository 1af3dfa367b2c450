// A binary heap ordered by due time whose entries know their place, so that clearing one costs a step down or
// up instead of a search. Used by the clock beside it.
//
//            at 10            position 0
//           /     \
//        at 25   at 12        positions 1, 2
//        /
//      at 40                  position 3

/** What the heap needs of an entry. `position` belongs to the heap: -1 while the entry is not in it. */
export interface HeapEntry {
  readonly at: number
  position: number
}

export class TimerHeap<Entry extends HeapEntry> {
  #entries: Entry[] = []

  get size(): number {
    return this.#entries.length
  }

  /** The entry that is due first. */
  peek(): Entry | undefined {
    return this.#entries[0]
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#rise(this.#entries.length - 1, entry)
  }

  /** Takes the entry out; one that is not in the heap is ignored. */
  remove(entry: Entry): void {
    const position = entry.position
    if (position < 0) return
    entry.position = -1
    const last = this.#entries.pop()!
    if (last === entry) return
    if (position > 0 && last.at < this.#entries[(position - 1) >> 1]!.at) this.#rise(position, last)
    else this.#sink(position, last)
  }

  #rise(start: number, entry: Entry): void {
    const entries = this.#entries
    let position = start
    while (position > 0) {
      const parentPosition = (position - 1) >> 1
      const parent = entries[parentPosition]!
      if (parent.at <= entry.at) break
      entries[position] = parent
      parent.position = position
      position = parentPosition
    }
    entries[position] = entry
    entry.position = position
  }

  #sink(start: number, entry: Entry): void {
    const entries = this.#entries
    const size = entries.length
    let position = start
    for (;;) {
      let childPosition = 2 * position + 1
      if (childPosition >= size) break
      if (childPosition + 1 < size && entries[childPosition + 1]!.at < entries[childPosition]!.at)
        childPosition++
      const child = entries[childPosition]!
      if (entry.at <= child.at) break
      entries[position] = child
      child.position = position
      position = childPosition
    }
    entries[position] = entry
    entry.position = position
  }
}
