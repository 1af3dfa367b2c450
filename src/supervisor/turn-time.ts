// The time of the current turn, shared by all supervisors of an endpoint. Every change of state of an actor notes
// it, so it is a stored number and not a system call: refreshed whenever the endpoint reads its clock, at least once
// a second by the sweep. What a handler does between two turns is dated back to the latest of these, never by more
// than that second. Used by endpoint.ts, turn-scheduler.ts and connection-supervisor.ts.
import type { Clock } from '../transport/io/clock.ts'

export class TurnTime {
  /** Whole ms, which engines keep unboxed. */
  now = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    this.read()
  }

  /** Reads the clock: the exact time, ms. */
  read(): number {
    const exact = this.#clock.now()
    this.now = Math.floor(exact)
    return exact
  }
}
