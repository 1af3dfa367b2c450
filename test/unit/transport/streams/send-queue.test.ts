// Whose turn it is to send (RFC 9218 section 10), against a twin that looks at every stream for every turn.
import { describe, expect, test } from 'vitest'
import {
  AGED_TURN,
  CRITICAL_URGENCY,
  LOWEST_URGENCY,
  QueueEntry,
  SendQueue,
} from '../../../../src/transport/streams/index.ts'
import { TestEntropy } from '../connection/pair.ts'

class Entry extends QueueEntry {
  readonly id: number

  constructor(id: number) {
    super()
    this.id = id
  }
}

/** The same rules, without a heap, a ring or a list: stamps that are compared each time. */
class PlainQueue {
  readonly #waiting = new Map<Entry, { since: number; ring: number }>()
  readonly #isRingNext = new Map<number, boolean>()
  #stamp = 0
  #turn = 0

  push(entry: Entry): void {
    if (this.#waiting.has(entry)) return
    this.#waiting.set(entry, { since: this.#stamp++, ring: this.#stamp++ })
  }

  remove(entry: Entry): void {
    this.#waiting.delete(entry)
  }

  yield(entry: Entry): void {
    const place = this.#waiting.get(entry)!
    place.since = this.#stamp++
    place.ring = this.#stamp++
  }

  setPriority(entry: Entry, change: () => void, isChange: boolean): void {
    change()
    const place = this.#waiting.get(entry)
    if (place !== undefined && isChange) place.ring = this.#stamp++
  }

  choose(): Entry | undefined {
    const entries = [...this.#waiting.keys()]
    if (entries.length === 0) return undefined
    const urgency = Math.min(...entries.map((entry) => entry.urgency))
    if (urgency !== CRITICAL_URGENCY && ++this.#turn === AGED_TURN) {
      this.#turn = 0
      return entries.reduce((a, b) => (this.#waiting.get(a)!.since < this.#waiting.get(b)!.since ? a : b))
    }
    const level = entries.filter((entry) => entry.urgency === urgency)
    const [ordered] = level.filter((entry) => !entry.incremental).sort((a, b) => a.id - b.id)
    const [shared] = level
      .filter((entry) => entry.incremental)
      .sort((a, b) => this.#waiting.get(a)!.ring - this.#waiting.get(b)!.ring)
    if (ordered === undefined || shared === undefined) return ordered ?? shared
    const isRing = this.#isRingNext.get(urgency) ?? false
    this.#isRingNext.set(urgency, !isRing)
    return isRing ? shared : ordered
  }
}

function runTwins(seed: number, steps: number): void {
  const random = new TestEntropy(seed * 7919 + 1)
  const below = (limit: number) => (random.next() >>> 4) % limit
  const queue = new SendQueue<Entry>()
  const plain = new PlainQueue()
  const entries = Array.from({ length: 1 + below(40) }, (_, index) => new Entry(index * 4))
  const levels = 1 + below(9)
  for (let step = 0; step < steps; step++) {
    const entry = entries[below(entries.length)]
    const operation = below(10)
    if (operation < 2) {
      queue.push(entry)
      plain.push(entry)
    } else if (operation === 2) {
      queue.remove(entry)
      plain.remove(entry)
    } else if (operation === 3) {
      const urgency = below(levels) + CRITICAL_URGENCY
      const incremental = below(2) === 1
      const isChange = entry.urgency !== urgency || entry.incremental !== incremental
      plain.setPriority(entry, () => queue.setPriority(entry, urgency, incremental), isChange)
    } else {
      const chosen = queue.choose()
      expect(chosen?.id, `seed ${seed}, step ${step}`).toBe(plain.choose()?.id)
      if (chosen === undefined) continue
      const isDone = below(6) === 0
      if (isDone) queue.remove(chosen)
      else queue.yield(chosen)
      if (isDone) plain.remove(chosen)
      else plain.yield(chosen)
    }
  }
  queue.clear()
  expect(queue.size).toBe(0)
  expect(queue.choose()).toBeUndefined()
  expect(entries.some((entry) => entry.isQueued)).toBe(false)
}

test('the plain twin chooses the same stream, whatever comes, goes and changes', () => {
  for (let seed = 1; seed <= 60; seed++) runTwins(seed, 1_500)
})

/** IDs in the order in which they are served when every stream has `turns` turns to fill. */
function served(entries: readonly Entry[], turns: number): number[] {
  const queue = new SendQueue<Entry>()
  const left = new Map(entries.map((entry) => [entry, turns]))
  for (const entry of entries) queue.push(entry)
  const order: number[] = []
  for (let entry = queue.choose(); entry !== undefined; entry = queue.choose()) {
    order.push(entry.id)
    left.set(entry, left.get(entry)! - 1)
    if (left.get(entry) === 0) queue.remove(entry)
    else queue.yield(entry)
  }
  return order
}

function entry(id: number, urgency = 3, incremental = false): Entry {
  const made = new Entry(id)
  new SendQueue<Entry>().setPriority(made, urgency, incremental)
  return made
}

describe('turns', () => {
  test('lower numbers of urgency come first (RFC 9218 section 4.1)', () => {
    expect(served([entry(0, 7), entry(4, 3), entry(8, 0)], 2)).toEqual([8, 8, 4, 4, 0, 0])
  })

  test('streams that are not incremental are served in the order of their IDs (section 10)', () => {
    expect(served([entry(8), entry(0), entry(4)], 3)).toEqual([0, 0, 0, 4, 4, 4, 8, 8, 8])
  })

  test('incremental ones share (section 10)', () => {
    expect(served([entry(0, 3, true), entry(4, 3, true), entry(8, 3, true)], 2)).toEqual([0, 4, 8, 0, 4, 8])
  })

  test('neither kind starves the other (section 10: "RECOMMENDED that servers avoid such starvation")', () => {
    expect(served([entry(0), entry(4, 3, true), entry(8), entry(12, 3, true)], 2)).toEqual([
      0, 4, 0, 12, 8, 4, 8, 12,
    ])
  })

  test('critical streams wait for nobody, even when another is due by its age', () => {
    const queue = new SendQueue<Entry>()
    const bulk = entry(0, 0)
    const control = entry(3, CRITICAL_URGENCY)
    queue.push(bulk)
    queue.push(control)
    for (let turn = 0; turn < 3 * AGED_TURN; turn++) {
      expect(queue.choose()).toBe(control)
      queue.yield(control)
    }
  })

  test('every so many turns belong to whoever waits longest, so that endless streams block none for ever', () => {
    const queue = new SendQueue<Entry>()
    const waiting = [entry(0, 0), entry(4, 0), entry(8, 5), entry(12, 7, true)]
    for (const each of waiting) queue.push(each)
    const turns = new Map<number, number>()
    for (let turn = 0; turn < AGED_TURN * 30; turn++) {
      const chosen = queue.choose()!
      turns.set(chosen.id, (turns.get(chosen.id) ?? 0) + 1)
      queue.yield(chosen)
    }
    expect([turns.get(4), turns.get(8), turns.get(12)]).toEqual([10, 10, 10])
  })

  test('a change counts for streams that wait already', () => {
    const queue = new SendQueue<Entry>()
    const [first, second] = [entry(0), entry(4)]
    queue.push(first)
    queue.push(second)
    queue.setPriority(second, 1, false)
    expect(queue.choose()).toBe(second)
    queue.setPriority(second, 4, true)
    expect(queue.choose()).toBe(first)
  })

  test.each([-2, LOWEST_URGENCY + 1, 1.5, Number.NaN])('there is no urgency %d', (urgency) => {
    expect(() => new SendQueue<Entry>().setPriority(new Entry(0), urgency, false)).toThrow(RangeError)
  })
})
