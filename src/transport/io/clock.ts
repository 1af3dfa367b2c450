// Time as everything right of the transport sees it: one interface, so that a simulator can put virtual time
// under a whole server. systemClock() is the real one. Created by serve() and connect(), used by supervisor/.
import { AsyncLocalStorage } from 'node:async_hooks'
import { TimerHeap } from './timer-heap.ts'

/**
 * Runs a function outside of the asynchronous context at hand. Turns and timers serve everybody: they must neither
 * count as the work of the handler that happened to arm them, nor keep it alive.
 */
const outsideOfContexts: <Result>(run: () => Result) => Result = AsyncLocalStorage.snapshot()

/** One armed callback. Opaque to whoever armed it, apart from its due time. */
export interface TimerHandle {
  /** When the callback is due, ms on the clock that armed it. */
  readonly at: number
}

export interface Clock {
  /** Monotonic time, ms with a fraction. Its zero means nothing. */
  now(): number
  /** Time of day, ms since 1970: for what other processes or later runs must understand. It may jump. */
  wallTime(): number
  /** Runs `callback` once, not before `at` (ms on this clock). A time in the past runs in the next turn. */
  setTimer(at: number, callback: () => void): TimerHandle
  /** Forgets the timer; one that has run or was cleared before is ignored. */
  clearTimer(handle: TimerHandle): void
  /** Runs `callback` after the input that is at hand has been read: the place to answer many datagrams at once. */
  immediate(callback: () => void): void
}

interface ArmedTimer extends TimerHandle {
  readonly at: number
  callback: (() => void) | undefined
  position: number
}

/** Node's shortest timer, ms: it rounds anything below up to this. */
const SHORTEST_TIMEOUT = 1

/** Node's longest timer, ms: a longer one would fire at once. */
const LONGEST_TIMEOUT = 2_147_483_647

/**
 * The clock of the machine. All timers share one Node timer, armed for the earliest of them: arming and clearing
 * is then a step in a heap instead of a Node timer per connection.
 */
export class SystemClock implements Clock {
  #heap = new TimerHeap<ArmedTimer>()
  #nodeTimer: ReturnType<typeof setTimeout> | undefined
  #nodeTimerAt = Number.POSITIVE_INFINITY
  #isRef = true

  now(): number {
    return performance.now()
  }

  wallTime(): number {
    return Date.now()
  }

  /** Timers armed at the moment. */
  get armed(): number {
    return this.#heap.size
  }

  setTimer(at: number, callback: () => void): TimerHandle {
    if (Number.isNaN(at)) throw new RangeError('a timer needs a time')
    const timer: ArmedTimer = { at, callback, position: -1 }
    this.#heap.push(timer)
    if (at < this.#nodeTimerAt) this.#arm(at)
    return timer
  }

  clearTimer(handle: TimerHandle): void {
    const timer = handle as ArmedTimer
    if (timer.callback === undefined) return
    timer.callback = undefined
    this.#heap.remove(timer)
    if (this.#heap.size === 0) this.#disarm()
  }

  /** Timers keep the process alive again, as they do from the start. */
  ref(): void {
    this.#isRef = true
    this.#nodeTimer?.ref()
  }

  /** Lets the process end although timers are armed. */
  unref(): void {
    this.#isRef = false
    this.#nodeTimer?.unref()
  }

  immediate(callback: () => void): void {
    outsideOfContexts(() => setImmediate(callback))
  }

  #arm(at: number): void {
    if (this.#nodeTimer !== undefined) clearTimeout(this.#nodeTimer)
    this.#nodeTimerAt = at
    const delay = Math.min(Math.max(at - this.now(), SHORTEST_TIMEOUT), LONGEST_TIMEOUT)
    this.#nodeTimer = outsideOfContexts(() => setTimeout(this.#run, delay))
    if (!this.#isRef) this.#nodeTimer.unref()
  }

  #disarm(): void {
    if (this.#nodeTimer !== undefined) clearTimeout(this.#nodeTimer)
    this.#nodeTimer = undefined
    this.#nodeTimerAt = Number.POSITIVE_INFINITY
  }

  #run = (): void => {
    this.#nodeTimer = undefined
    this.#nodeTimerAt = Number.POSITIVE_INFINITY
    const now = this.now()
    try {
      for (let timer = this.#heap.peek(); timer !== undefined && timer.at <= now; timer = this.#heap.peek()) {
        this.#heap.remove(timer)
        const callback = timer.callback
        timer.callback = undefined
        callback?.()
      }
    } finally {
      const next = this.#heap.peek()
      if (next !== undefined && next.at < this.#nodeTimerAt) this.#arm(next.at)
    }
  }
}

/** A clock on the machine's monotonic time. */
export function systemClock(): SystemClock {
  return new SystemClock()
}
