// XState's idea of a clock on the server's: `after` of a machine runs on virtual time in a simulation. Used by
// hosted-actor.ts.
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'

/** As XState's actor option `clock` wants it. */
export interface ActorClock {
  setTimeout(callback: () => void, delay: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
}

const clocks = new WeakMap<Clock, ActorClock>()

/** The same object for the same clock. */
export function actorClock(clock: Clock): ActorClock {
  let made = clocks.get(clock)
  if (made === undefined) {
    made = {
      setTimeout: (callback, delay) => clock.setTimer(clock.now() + delay, callback),
      clearTimeout: (handle) => clock.clearTimer(handle),
    }
    clocks.set(clock, made)
  }
  return made
}
