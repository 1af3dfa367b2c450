// A set of integers kept as sorted, disjoint, half-open ranges:
//
//     starts  0        40            90
//     ends        17        80           91
//             [0..17)  [40..80)     [90..91)
//
// Ranges that touch are joined. Used for packet numbers (recovery) and for byte offsets (streams). Two number
// arrays that are reused; appending at the top, the usual case, touches only the last element.

export class RangeSet {
  private readonly starts: number[] = []
  private readonly ends: number[] = []
  private count = 0

  /** Number of ranges. */
  get size(): number {
    return this.count
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** First integer of range `index`; ranges ascend. */
  startAt(index: number): number {
    return this.starts[index]
  }

  /** First integer after range `index`. */
  endAt(index: number): number {
    return this.ends[index]
  }

  /** Smallest integer in the set, -1 when empty. */
  get min(): number {
    return this.count === 0 ? -1 : this.starts[0]
  }

  /** Largest integer in the set, -1 when empty. */
  get max(): number {
    return this.count === 0 ? -1 : this.ends[this.count - 1] - 1
  }

  /**
   * Adds [start, end).
   * @returns how many integers were not in the set before
   */
  add(start: number, end: number): number {
    if (start >= end) return 0
    const last = this.count - 1
    if (last < 0 || start > this.ends[last]) {
      this.starts[last + 1] = start
      this.ends[last + 1] = end
      this.count++
      return end - start
    }
    if (start === this.ends[last]) {
      this.ends[last] = end
      return end - start
    }
    return this.merge(start, end)
  }

  // Joins [start, end) with the ranges it overlaps or touches: first..after-1.
  private merge(start: number, end: number): number {
    const { starts, ends } = this
    const first = this.firstEndingAtOrAfter(start)
    let after = first
    let known = 0
    let from = start
    let to = end
    while (after < this.count && starts[after] <= end) {
      known += Math.max(0, Math.min(ends[after], end) - Math.max(starts[after], start))
      if (starts[after] < from) from = starts[after]
      if (ends[after] > to) to = ends[after]
      after++
    }
    if (after === first) this.shiftUp(first)
    else this.shiftDown(first + 1, after)
    starts[first] = from
    ends[first] = to
    return end - start - known
  }

  /**
   * Removes [start, end).
   * @returns how many integers were removed
   */
  remove(start: number, end: number): number {
    if (start >= end || this.count === 0) return 0
    const { starts, ends } = this
    let index = this.firstEndingAtOrAfter(start + 1)
    if (index === this.count || starts[index] >= end) return 0
    let removed = 0
    if (starts[index] < start) {
      if (ends[index] > end) {
        this.shiftUp(index)
        ends[index] = start
        starts[index + 1] = end
        return end - start
      }
      removed += ends[index] - start
      ends[index] = start
      index++
    }
    let after = index
    while (after < this.count && ends[after] <= end) {
      removed += ends[after] - starts[after]
      after++
    }
    if (after < this.count && starts[after] < end) {
      removed += end - starts[after]
      starts[after] = end
    }
    this.shiftDown(index, after)
    return removed
  }

  /** Removes the lowest range. */
  removeFirst(): void {
    this.shiftDown(0, Math.min(1, this.count))
  }

  clear(): void {
    this.count = 0
  }

  contains(value: number): boolean {
    const index = this.firstEndingAtOrAfter(value + 1)
    return index < this.count && this.starts[index] <= value
  }

  /** Whether all of [start, end) is in the set; an empty range is. */
  containsRange(start: number, end: number): boolean {
    if (start >= end) return true
    const index = this.firstEndingAtOrAfter(start + 1)
    return index < this.count && this.starts[index] <= start && this.ends[index] >= end
  }

  /** Smallest integer at or above `from` that is not in the set. */
  firstGap(from: number): number {
    const index = this.firstEndingAtOrAfter(from + 1)
    if (index === this.count || this.starts[index] > from) return from
    return this.ends[index]
  }

  /** Index of the first range that holds `value` or lies above it; `size` when there is none. */
  indexAtOrAbove(value: number): number {
    return this.firstEndingAtOrAfter(value + 1)
  }

  /** How many integers the set holds. */
  total(): number {
    let sum = 0
    for (let i = 0; i < this.count; i++) sum += this.ends[i] - this.starts[i]
    return sum
  }

  private firstEndingAtOrAfter(value: number): number {
    const ends = this.ends
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle] < value) low = middle + 1
      else high = middle
    }
    return low
  }

  // Makes room for one range at `index`, which afterwards is in both places.
  private shiftUp(index: number): void {
    for (let i = this.count; i > index; i--) {
      this.starts[i] = this.starts[i - 1]
      this.ends[i] = this.ends[i - 1]
    }
    this.count++
  }

  // Drops the ranges from..to-1.
  private shiftDown(from: number, to: number): void {
    const gone = to - from
    if (gone <= 0) return
    for (let i = to; i < this.count; i++) {
      this.starts[i - gone] = this.starts[i]
      this.ends[i - gone] = this.ends[i]
    }
    this.count -= gone
  }
}
