// Streams that have something to send, and whose turn it is (RFC 9000 section 2.3, RFC 9218 section 10). Filled by
// ConnectionStreams, asked by the transmitter for every frame of stream data, so that nothing here depends on the
// number of streams by more than its logarithm, and nothing is allocated per turn.
//
//   level -1   critical: always first            each level:  ordered  heap by stream ID, served to its end
//   level 0    urgency 0                                      shared   ring, one turn each
//   ...                                                       ordered and shared take turns
//   level 7    urgency 7
//
//   besides, through all levels: oldest <-> ... <-> youngest, by the time since their last turn
//
// Nothing starves. Within a level an endless ordered stream leaves half of the turns to the shared ones, and the other
// way round. Everything else that waits - behind a lower stream ID, or a more urgent level - is the oldest one day, and
// every AGED_TURN-th turn belongs to the oldest. Only critical streams go before it; they carry next to nothing.

/** Urgency of streams without which the others make no sense: HTTP/3's control stream and those of QPACK. */
export const CRITICAL_URGENCY = -1

/** Urgency of streams about which nothing was said, RFC 9218 section 4.1. */
export const DEFAULT_URGENCY = 3

/** The last of the 8 urgencies of RFC 9218 section 4.1. */
export const LOWEST_URGENCY = 7

/** Every so many turns, the stream that has waited longest is served whatever its urgency: 3 % of the path. */
export const AGED_TURN = 32

/** What a stream brings to stand in the queue: its priority, and its places in the lists. */
export abstract class QueueEntry {
  abstract readonly id: number
  /** 0 (first) to 7, or CRITICAL_URGENCY. Changed by `SendQueue.setPriority` only. */
  urgency = DEFAULT_URGENCY
  /**
   * Shares with others of its urgency instead of waiting for those before it (RFC 9218 section 4.2). Streams about which
   * nothing was said share: that is fair, and RFC 9218's other default is for those who know of priorities.
   */
  incremental = true
  isQueued = false
  /** Place in the heap of its level; of no meaning for incremental streams. */
  heapIndex = 0
  /** Neighbours in the ring of its level. */
  ringNext: QueueEntry | undefined
  ringPrevious: QueueEntry | undefined
  /** Neighbours by the time of waiting. */
  older: QueueEntry | undefined
  younger: QueueEntry | undefined
}

class Level {
  readonly ordered: QueueEntry[] = []
  /** Whose turn is next in the ring. */
  ringHead: QueueEntry | undefined
  isRingNext = false

  get isEmpty(): boolean {
    return this.ringHead === undefined && this.ordered.length === 0
  }

  insert(entry: QueueEntry): void {
    if (entry.incremental) this.#joinRing(entry)
    else {
      entry.heapIndex = this.ordered.length
      this.ordered.push(entry)
      this.#rise(entry)
    }
  }

  remove(entry: QueueEntry): void {
    if (entry.incremental) {
      this.#leaveRing(entry)
      return
    }
    const { ordered } = this
    const last = ordered.pop()!
    if (last === entry) return
    last.heapIndex = entry.heapIndex
    ordered[last.heapIndex] = last
    this.#rise(last)
    this.#sink(last)
  }

  choose(): QueueEntry {
    const { ordered, ringHead } = this
    if (ringHead === undefined) return ordered[0]
    if (ordered.length === 0) return ringHead
    this.isRingNext = !this.isRingNext
    return this.isRingNext ? ordered[0] : ringHead
  }

  /** The entry goes to the end of the ring; ordered ones stay where they are. */
  rotate(entry: QueueEntry): void {
    if (!entry.incremental) return
    if (this.ringHead === entry) this.ringHead = entry.ringNext
    else {
      this.#leaveRing(entry)
      this.#joinRing(entry)
    }
  }

  #joinRing(entry: QueueEntry): void {
    const head = this.ringHead
    if (head === undefined) {
      this.ringHead = entry
      entry.ringNext = entry
      entry.ringPrevious = entry
      return
    }
    const last = head.ringPrevious!
    entry.ringNext = head
    entry.ringPrevious = last
    last.ringNext = entry
    head.ringPrevious = entry
  }

  #leaveRing(entry: QueueEntry): void {
    const next = entry.ringNext!
    const previous = entry.ringPrevious!
    if (next === entry) this.ringHead = undefined
    else {
      previous.ringNext = next
      next.ringPrevious = previous
      if (this.ringHead === entry) this.ringHead = next
    }
    entry.ringNext = undefined
    entry.ringPrevious = undefined
  }

  #rise(entry: QueueEntry): void {
    const { ordered } = this
    let index = entry.heapIndex
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1
      const parent = ordered[parentIndex]
      if (parent.id <= entry.id) break
      ordered[index] = parent
      parent.heapIndex = index
      index = parentIndex
    }
    ordered[index] = entry
    entry.heapIndex = index
  }

  #sink(entry: QueueEntry): void {
    const { ordered } = this
    let index = entry.heapIndex
    for (let child = index * 2 + 1; child < ordered.length; child = index * 2 + 1) {
      if (child + 1 < ordered.length && ordered[child + 1].id < ordered[child].id) child++
      const least = ordered[child]
      if (least.id >= entry.id) break
      ordered[index] = least
      least.heapIndex = index
      index = child
    }
    ordered[index] = entry
    entry.heapIndex = index
  }
}

export class SendQueue<T extends QueueEntry> {
  /** Streams in the queue. */
  size = 0
  /** Made when first needed: most connections use two. */
  readonly #levels: (Level | undefined)[] = new Array(LOWEST_URGENCY - CRITICAL_URGENCY + 1).fill(undefined)
  /** Bit n is set while level n has an entry. */
  #filled = 0
  #turn = 0
  #oldest: QueueEntry | undefined
  #youngest: QueueEntry | undefined

  /** Adds a stream at the place that its priority gives it; nothing happens when it is there already. */
  push(entry: T): void {
    if (entry.isQueued) return
    entry.isQueued = true
    this.size++
    this.#enterLevel(entry)
    this.#becomeYoungest(entry)
  }

  /** Whose turn it is. It stays in the queue: `yield` or `remove` has to follow. */
  choose(): T | undefined {
    const filled = this.#filled
    if (filled === 0) return undefined
    const isCritical = (filled & CRITICAL_BIT) !== 0
    if (!isCritical && ++this.#turn >= AGED_TURN) {
      this.#turn = 0
      return this.#oldest as T
    }
    const index = 31 - Math.clz32(filled & -filled)
    return this.#levels[index]!.choose() as T
  }

  /** The stream has had its turn and has more to send. */
  yield(entry: T): void {
    this.#levels[entry.urgency - CRITICAL_URGENCY]!.rotate(entry)
    if (this.#youngest === entry) return
    this.#forgetAge(entry)
    this.#becomeYoungest(entry)
  }

  /** The stream has nothing to send, or must not; nothing happens when it is not in the queue. */
  remove(entry: T): void {
    if (!entry.isQueued) return
    entry.isQueued = false
    this.size--
    this.#leaveLevel(entry)
    this.#forgetAge(entry)
  }

  /**
   * Changes the priority of a stream, queued or not; how long it has waited stays.
   * @param urgency 0 (first) to 7, or CRITICAL_URGENCY
   * @throws RangeError for any other urgency
   */
  setPriority(entry: T, urgency: number, incremental: boolean): void {
    if (!Number.isInteger(urgency) || urgency < CRITICAL_URGENCY || urgency > LOWEST_URGENCY) {
      throw new RangeError(`urgency ${urgency} is not one of 0 to 7`)
    }
    if (entry.urgency === urgency && entry.incremental === incremental) return
    if (entry.isQueued) this.#leaveLevel(entry)
    entry.urgency = urgency
    entry.incremental = incremental
    if (entry.isQueued) this.#enterLevel(entry)
  }

  clear(): void {
    while (this.#oldest !== undefined) this.remove(this.#oldest as T)
  }

  #enterLevel(entry: QueueEntry): void {
    const index = entry.urgency - CRITICAL_URGENCY
    let level = this.#levels[index]
    if (level === undefined) {
      level = new Level()
      this.#levels[index] = level
    }
    level.insert(entry)
    this.#filled |= 1 << index
  }

  #leaveLevel(entry: QueueEntry): void {
    const index = entry.urgency - CRITICAL_URGENCY
    const level = this.#levels[index]!
    level.remove(entry)
    if (level.isEmpty) this.#filled &= ~(1 << index)
  }

  #becomeYoungest(entry: QueueEntry): void {
    const youngest = this.#youngest
    entry.older = youngest
    entry.younger = undefined
    if (youngest === undefined) this.#oldest = entry
    else youngest.younger = entry
    this.#youngest = entry
  }

  #forgetAge(entry: QueueEntry): void {
    const { older, younger } = entry
    if (older === undefined) this.#oldest = younger
    else older.younger = younger
    if (younger === undefined) this.#youngest = older
    else younger.older = older
    entry.older = undefined
    entry.younger = undefined
  }
}

const CRITICAL_BIT = 1
