// Bytes accepted from the application until the peer has acknowledged them, RFC 9000 sections 2.2 and 13.3.
// Used by the sending part of a stream and by CRYPTO streams.
//
//   released   acknowledged, scattered     in flight        never sent
//   |----------|======|.....|=====|........................|-----------------|F|
//   0          base   (acked ranges)                       next              length
//
// The FIN counts as one more position after the last byte (F), so that its loss and its acknowledgement are
// ranges like all others and completion is computed, never stored.
import { RangeSet } from '../wire/index.ts'

export class SendBuffer {
  /** Bytes accepted so far: the offset of the next byte written. */
  length = 0
  /** First position that has never been sent. */
  next = 0
  /** Everything below this position is acknowledged and released. */
  base = 0
  #isEnded = false
  #chunks: Uint8Array[] = []
  #starts: number[] = []
  #head = 0
  #acked: RangeSet | undefined
  #lost: RangeSet | undefined

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Positions to send in all: the bytes, and one for the FIN. */
  get limit(): number {
    return this.#isEnded ? this.length + 1 : this.length
  }

  get isComplete(): boolean {
    return this.#isEnded && this.base > this.length
  }

  /** Bytes held for sending or resending. */
  get bufferedBytes(): number {
    return this.base >= this.length ? 0 : this.length - this.base
  }

  get hasLost(): boolean {
    return this.#lost !== undefined && !this.#lost.isEmpty
  }

  get hasUnsent(): boolean {
    return this.next < this.limit
  }

  /** Keeps a reference: the caller must not change the bytes afterwards. */
  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#starts.push(this.length)
    this.length += chunk.length
  }

  end(): void {
    this.#isEnded = true
  }

  /** First lost range; only valid while hasLost. */
  get lostStart(): number {
    return this.#lost!.startAt(0)
  }

  get lostEnd(): number {
    return this.#lost!.endAt(0)
  }

  /** The range has been written into a packet again. */
  takeLost(start: number, end: number): void {
    this.#lost?.remove(start, end)
  }

  /** Copies bytes [start, end) to `target` at `offset`. They must lie at or above `base`. */
  copyTo(target: Uint8Array, offset: number, start: number, end: number): void {
    let index = this.#find(start)
    let position = start
    while (position < end) {
      const chunk = this.#chunks[index]
      const from = position - this.#starts[index]
      const take = Math.min(chunk.length - from, end - position)
      if (from === 0 && take === chunk.length) target.set(chunk, offset)
      else target.set(chunk.subarray(from, from + take), offset)
      offset += take
      position += take
      index++
    }
  }

  /** What lies beyond a cut was forgotten while it was on its way, and does not count. */
  acknowledge(start: number, end: number): void {
    this.#lost?.remove(start, end)
    const to = Math.min(end, this.limit)
    if (to <= this.base || to <= start) return
    if (start > this.base) {
      this.#acked ??= new RangeSet()
      this.#acked.add(start, to)
      return
    }
    this.base = to
    const acked = this.#acked
    if (acked !== undefined && !acked.isEmpty) {
      if (acked.min <= this.base) this.base = Math.max(this.base, acked.endAt(0))
      acked.remove(0, this.base)
    }
    this.#release()
  }

  /** Only the first `size` bytes still have to arrive, and no FIN: the rest is forgotten, sent or not. */
  cut(size: number): void {
    this.#isEnded = false
    this.#lost?.remove(size, Number.MAX_SAFE_INTEGER)
    // What the peer has acknowledged stays counted.
    const kept = Math.max(size, this.base)
    this.#acked?.remove(kept, Number.MAX_SAFE_INTEGER)
    if (kept < this.length) this.#dropFrom(kept)
    this.next = Math.min(this.next, this.length)
  }

  #dropFrom(size: number): void {
    const chunks = this.#chunks
    const starts = this.#starts
    this.length = size
    while (chunks.length > this.#head && starts[chunks.length - 1] >= size) {
      chunks.pop()
      starts.pop()
    }
    const last = chunks.length - 1
    // A copy, so that a few bytes do not pin what came after them.
    if (last >= this.#head && starts[last] + chunks[last].length > size) {
      chunks[last] = new Uint8Array(chunks[last].subarray(0, size - starts[last]))
    }
    this.#release()
  }

  /** Marks what was lost, except for what has been acknowledged since. */
  lose(start: number, end: number): void {
    const from = Math.max(start, this.base)
    const to = Math.min(end, this.limit)
    if (from >= to) return
    this.#lost ??= new RangeSet()
    this.#lost.add(from, to)
    const acked = this.#acked
    if (acked === undefined) return
    for (let i = 0; i < acked.size; i++) {
      if (acked.startAt(i) >= to) break
      this.#lost.remove(acked.startAt(i), acked.endAt(i))
    }
  }

  /** Everything sent and unacknowledged counts as lost: for a Retry. */
  loseInFlight(): void {
    this.lose(this.base, this.next)
  }

  /** Nothing has been sent: for rejected early data, of which nothing can have been acknowledged. */
  rewind(): void {
    this.next = Math.min(this.base, this.limit)
    this.#lost = undefined
  }

  /** Drops all bytes, sent or not; nothing will be sent from here again. */
  discard(): void {
    this.#chunks = []
    this.#starts = []
    this.#head = 0
    this.#acked = undefined
    this.#lost = undefined
    this.base = Math.max(this.base, this.length)
    this.next = this.limit
  }

  #find(position: number): number {
    const starts = this.#starts
    let low = this.#head
    let high = starts.length - 1
    // The newest chunk is asked for most often.
    if (starts[high] <= position) return high
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (starts[middle] <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #release(): void {
    const chunks = this.#chunks
    while (this.#head < chunks.length && this.#starts[this.#head] + chunks[this.#head].length <= this.base) {
      chunks[this.#head] = EMPTY
      this.#head++
    }
    if (this.#head === chunks.length) {
      this.#chunks.length = 0
      this.#starts.length = 0
      this.#head = 0
    } else if (this.#head >= 64 && this.#head * 2 >= chunks.length) {
      this.#chunks.splice(0, this.#head)
      this.#starts.splice(0, this.#head)
      this.#head = 0
    }
  }
}

const EMPTY = new Uint8Array(0)
