// Virtual time: an implementation of the Clock of transport/io that jumps from one due callback to the next.
// Everything in a simulated world (endpoints, network, handlers) uses the same instance.
import type { Clock } from '../../transport/io/clock.ts'

/** One armed callback; its heap slot is abandoned, not searched for, when it is cleared. */
export class VirtualTimer {
  readonly at: number
  readonly order: number
  callback: (() => void) | undefined

  constructor(at: number, order: number, callback: () => void) {
    this.at = at
    this.order = order
    this.callback = callback
  }
}

/** Time of day when now() is zero, ms: some day in 2027. */
const EPOCH = 1_800_000_000_000

/** Callbacks run in order of their due time, and in order of arming where that is equal. */
export class VirtualClock implements Clock {
  /** Timers armed and neither run nor cleared, in total over all users of the clock. */
  armed = 0
  /** Callbacks run so far: the length of a run, and a guard against runs that never end. */
  steps = 0
  #now: number
  #order = 0
  #heap: VirtualTimer[] = []
  #immediates: (() => void)[] = []

  /** @param start first value of now(), ms; not zero, so that code that treats 0 as "unset" shows */
  constructor(start = 1_000) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return EPOCH + this.#now
  }

  setTimer(at: number, callback: () => void): VirtualTimer {
    if (Number.isNaN(at)) throw new RangeError('timer armed for NaN')
    const timer = new VirtualTimer(Math.max(at, this.#now), this.#order++, callback)
    this.armed++
    this.#push(timer)
    return timer
  }

  clearTimer(handle: unknown): void {
    const timer = handle as VirtualTimer | undefined
    if (timer?.callback === undefined) return
    timer.callback = undefined
    this.armed--
  }

  immediate(callback: () => void): void {
    this.#immediates.push(callback)
  }

  /** When something is due next, ms; Infinity when nothing is armed. */
  nextDue(): number {
    if (this.#immediates.length > 0) return this.#now
    this.#dropCleared()
    return this.#heap.length > 0 ? this.#heap[0]!.at : Number.POSITIVE_INFINITY
  }

  /** Runs one turn: all immediates of this moment, or else the next timer (advancing the time). False = idle. */
  step(): boolean {
    if (this.#immediates.length > 0) {
      const turn = this.#immediates
      this.#immediates = []
      for (const callback of turn) {
        this.steps++
        callback()
      }
      return true
    }
    this.#dropCleared()
    if (this.#heap.length === 0) return false
    const timer = this.#pop()
    const callback = timer.callback!
    timer.callback = undefined
    this.armed--
    this.steps++
    this.#now = timer.at
    callback()
    return true
  }

  #dropCleared(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === undefined) this.#pop()
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(timer, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  #pop(): VirtualTimer {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= size) break
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Lets every promise reaction and process.nextTick that is ready run, however long the chain. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
