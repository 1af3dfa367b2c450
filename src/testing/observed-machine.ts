// A machine that tells what it does while somebody else runs it. Used by machine-service-suite.ts, whose machines are
// run by the server.
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate'

/** Told of every step: the state before, the event, the state after. */
export type StepObserver = (
  before: AnyMachineSnapshot,
  event: AnyEventObject,
  after: AnyMachineSnapshot,
) => void

/** A copy of the machine that does the same; `provide` without implementations returns it as it is. */
export function observed<Machine extends AnyStateMachine>(machine: Machine, observer: StepObserver): Machine {
  const copy = machine.provide({})
  const step = copy.transition.bind(copy)
  const watched: typeof copy.transition = (snapshot, event, scope) => {
    const after = step(snapshot, event, scope)
    observer(snapshot, event as AnyEventObject, after)
    return after
  }
  return Object.assign(copy, { transition: watched, provide: () => copy }) as unknown as Machine
}
