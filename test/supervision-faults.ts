// What must never happen in any test, whatever the test is about: an event where it is impossible, and a broken
// invariant. Supervisors publish both on diagnostics channels; here they are collected for the whole process, and
// test/setup.ts fails the test in which one is left. A test that provokes one takes it and looks at it.
import { channel, subscribe } from 'node:diagnostics_channel'
import type { InvariantViolation } from '../src/supervisor/invariants.ts'
import type { MissedTransition } from '../src/supervisor/missed-transitions.ts'

let missed: MissedTransition[] = []
let violations: InvariantViolation[] = []

const missedChannel = channel('quactor:missedTransition')

subscribe('quactor:missedTransition', (message) => missed.push(message as MissedTransition))
subscribe('quactor:invariantViolation', (message) => violations.push(message as InvariantViolation))

/** Missed transitions since the last call; after it they no longer fail the test. */
export function takeMissed(): MissedTransition[] {
  const taken = missed
  missed = []
  return taken
}

/** Broken invariants since the last call; after it they no longer fail the test. */
export function takeViolations(): InvariantViolation[] {
  const taken = violations
  violations = []
  return taken
}

/**
 * Throws when there were any since the last call.
 * @throws Error that names each
 */
export function failOnFaults(): void {
  const misses = takeMissed().map(
    ({ machine, actor, state, event }) => `missed transition: ${machine} ${actor}: ${event} in ${state}`,
  )
  const broken = takeViolations().map(({ rule, detail }) => `broken invariant: ${rule}: ${detail}`)
  const faults = [...misses, ...broken]
  if (faults.length > 0) throw new Error(faults.join('\n'))
}

/** For owners of actors that are no supervisor, in tests without one. */
export function noteMissed(machine: string, actor: string, state: string, event: string): void {
  missedChannel.publish({ connection: '', machine, actor, state, event } satisfies MissedTransition)
}
