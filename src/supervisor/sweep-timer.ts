// The endpoint's look at everything that has a deadline, once a second while there is anything to look after: without
// it there is no timer either. Owned by endpoint.ts.
import type { Clock, TimerHandle } from '../transport/io/clock.ts'
import type { Counters } from './counters.ts'
import { SWEEP_INTERVAL } from './limits.ts'

export class SweepTimer {
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #sweep: () => void
  #timer: TimerHandle | undefined

  constructor(clock: Clock, counters: Counters, sweep: () => void) {
    this.#clock = clock
    this.#counters = counters
    this.#sweep = sweep
  }

  arm(): void {
    if (this.#timer !== undefined) return
    this.#counters.timersArmed++
    this.#timer = this.#clock.setTimer(this.#clock.now() + SWEEP_INTERVAL, () => {
      this.#counters.timersArmed--
      this.#timer = undefined
      // Armed before it looks: whatever the look finds, it is not the last one.
      this.arm()
      this.#sweep()
    })
  }

  /** There is nothing left to look after. */
  disarm(): void {
    if (this.#timer === undefined) return
    this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#counters.timersArmed--
  }
}
