// Test support: the machine of a table run by XState's createActor, with everything it does written down.
import {
  type Actor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type StateValue,
  transition,
} from 'xstate'
import type { ActorOwner, CompiledMachine, LifeActor } from '../../src/machines/index.ts'

/** What can be observed of one step, whichever actor took it. */
export interface Observation {
  value: StateValue
  status: string
  output: unknown
  actions: string[]
  /** Values that subscribers were told during the step, and `complete`. */
  told: unknown[]
}

/** An owner that writes down what it is told. */
export class RecordingOwner implements ActorOwner {
  time = 0
  inspector: ActorOwner['inspector'] = undefined
  readonly finals: LifeActor[] = []
  readonly missed: string[] = []

  handleFinal(actor: LifeActor): void {
    this.finals.push(actor)
  }

  handleMissed(actor: LifeActor, state: number, event: number): void {
    this.missed.push(`${actor.table.name[state]} ${actor.table.events[event] ?? event}`)
  }
}

/** Shortest sequence of events from the initial state to each state, found in the table. */
export function pathsTo(table: CompiledMachine): number[][] {
  const paths: number[][] = []
  paths[table.initial] = []
  const queue = [table.initial]
  for (const state of queue) {
    for (let event = 0; event < table.width; event++) {
      const next = table.next[state * table.width + event]!
      if (paths[next] !== undefined) continue
      paths[next] = [...paths[state]!, event]
      queue.push(next)
    }
  }
  return paths
}

/** Runs XState's interpreter along a path and observes what one further event does. */
export function observeXState(table: CompiledMachine, path: readonly number[], event: number): Observation {
  const actions: string[] = []
  const noting = Object.fromEntries(table.actions.map((name) => [name, () => void actions.push(name)]))
  const actor: Actor<AnyStateMachine> = createActor(table.machine.provide({ actions: noting }))
  actor.start()
  for (const step of path) actor.send({ type: table.events[step]! })
  actions.length = 0
  if (actor.getSnapshot().status === 'done') return observeDone(table, actor.getSnapshot(), event)
  const told: unknown[] = []
  actor.subscribe({ next: (snapshot) => told.push(snapshot.value), complete: () => told.push('complete') })
  actor.send({ type: table.events[event]! })
  const { value, status, output } = actor.getSnapshot()
  return { value, status, output, actions, told }
}

/** A stopped interpreter takes no event, so what a final state does with one is asked of the pure step. */
function observeDone(table: CompiledMachine, snapshot: AnyMachineSnapshot, event: number): Observation {
  const [next, executed] = transition(table.machine, snapshot, { type: table.events[event]! })
  const { value, status, output } = next as AnyMachineSnapshot
  return { value, status, output, actions: executed.map((action) => action.type), told: [] }
}

/** The same for an actor of ours. */
export function observeLife(
  path: readonly number[],
  event: number,
  create: (owner: RecordingOwner, actions: string[]) => LifeActor,
): Observation & { owner: RecordingOwner; actor: LifeActor; outcome: number } {
  const actions: string[] = []
  const owner = new RecordingOwner()
  const actor = create(owner, actions)
  actor.start()
  for (const step of path) actor.raise(step)
  actions.length = 0
  const told: unknown[] = []
  actor.subscribe({ next: (snapshot) => told.push(snapshot.value), complete: () => told.push('complete') })
  if (actor.status === 'done') told.length = 0
  const outcome = actor.raise(event)
  const { value, status, output } = actor.getSnapshot()
  return { value, status, output, actions, told, owner, actor, outcome }
}

/** A subject that notes the names of the actions it is given. */
export function notingSubject(table: CompiledMachine, actions: string[]): { perform(action: number): void } {
  return { perform: (action) => void actions.push(table.actions[action]!) }
}
