// Turns an XState machine into a dense table by walking XState's own pure `initialTransition` and
// `transition` over every reachable state and every event. Called once per machine by tables.ts; LifeActor
// runs the result. Throws when a state leaves an event undeclared, so that no outcome is ever implicit.
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  initialTransition,
  type StateValue,
  transition,
} from 'xstate'
import type { DeclaredMeta } from './declare.ts'

/** What an event does in a state. */
export const Outcome = { transition: 0, ignore: 1, impossible: 2 } as const

/** Codes for the states of one part. A machine with a single part consists of that part alone. */
export interface PartCodes {
  readonly name: string
  readonly codes: Readonly<Record<string, number>>
}

/** A machine as numbers. The index of a pair is `state * events.length + event`. */
export interface CompiledMachine {
  readonly id: string
  readonly machine: AnyStateMachine
  readonly events: readonly string[]
  readonly actions: readonly string[]
  readonly stateCount: number
  readonly initial: number
  /** Number of events: the width of a row of the table. */
  readonly width: number
  /** Next state per pair; the state itself when nothing changes. */
  readonly next: Uint8Array
  /** Outcome per pair. */
  readonly outcome: Uint8Array
  /** Actions per pair in the order of execution, undefined when there are none. */
  readonly actionList: readonly (readonly number[] | undefined)[]
  /** 1 for a state in which the whole machine is done. */
  readonly final: Uint8Array
  readonly output: readonly unknown[]
  readonly value: readonly StateValue[]
  /** Printable state, e.g. `send.dataSent|receive.recv`. */
  readonly name: readonly string[]
  /** XState's snapshot per state; shared by all actors and never changed. */
  readonly snapshots: readonly AnyMachineSnapshot[]
  /** One shared event object per event. */
  readonly eventObjects: readonly AnyEventObject[]
  readonly eventIndex: ReadonlyMap<string, number>
  /** Phase per state of the sending part, the receiving part, and of a machine without parts. */
  readonly sendPhase: Uint8Array
  readonly receivePhase: Uint8Array
  readonly phase: Uint8Array
  /** Phase code per state for a part; all 0 when the machine has no such part. */
  part(name: string): Uint8Array
  /** Index of a state by its value; throws for a value that no walk reached. */
  stateOf(value: StateValue): number
}

interface Edge {
  readonly next: number
  readonly outcome: number
  readonly actions: readonly number[] | undefined
}

/** States the table can hold: one byte per entry keeps a row in one cache line. */
const MAX_STATES = 255

/** Longest run of internal steps in one transition; the charts need two. XState's own default has no end. */
const MAX_ITERATIONS = 8

/**
 * @param machine - a machine whose guards depend on nothing but state and event, without context
 * @param events - its whole alphabet; the position is the event's index
 * @param actions - the names of its actions; the position is the action's index
 * @param parts - phase codes of its parts, for the data plane
 * @throws Error when a pair is undeclared, an outcome contradicts the chart, or an action is unknown
 */
export function compile(
  machine: AnyStateMachine,
  events: readonly string[],
  actions: readonly string[],
  parts: readonly PartCodes[] = [],
): CompiledMachine {
  machine.options = { ...machine.options, maxIterations: MAX_ITERATIONS }
  const walk = new Walk(machine, events, actions)
  const count = walk.snapshots.length
  const phases = new Map(parts.map((part) => [part.name, phasesOf(walk.snapshots, part, parts.length === 1)]))
  const part = (name: string): Uint8Array => phases.get(name) ?? new Uint8Array(count)
  const { edges, snapshots } = walk
  return {
    id: machine.id,
    machine,
    events,
    actions,
    stateCount: count,
    initial: 0,
    width: events.length,
    next: Uint8Array.from(edges, (edge) => edge.next),
    outcome: Uint8Array.from(edges, (edge) => edge.outcome),
    actionList: edges.map((edge) => edge.actions),
    final: Uint8Array.from(snapshots, (snapshot) => (snapshot.status === 'done' ? 1 : 0)),
    output: snapshots.map((snapshot) => snapshot.output as unknown),
    value: snapshots.map((snapshot) => snapshot.value),
    name: snapshots.map((snapshot) => nameOf(snapshot)),
    snapshots,
    eventObjects: events.map((type) => Object.freeze({ type })),
    eventIndex: new Map(events.map((type, index) => [type, index])),
    sendPhase: part('send'),
    receivePhase: part('receive'),
    phase: part('whole'),
    part,
    stateOf: (value) => walk.stateOf(value),
  }
}

/** Breadth-first walk from the initial state, so that a state's index is stable as long as its chart is. */
class Walk {
  readonly snapshots: AnyMachineSnapshot[] = []
  readonly edges: Edge[] = []
  readonly #indexes = new Map<string, number>()
  readonly #machine: AnyStateMachine
  readonly #actions: readonly string[]

  constructor(machine: AnyStateMachine, events: readonly string[], actions: readonly string[]) {
    this.#machine = machine
    this.#actions = actions
    const [initial, initialActions] = initialTransition(machine)
    if (initialActions.length > 0) throw new Error(`${machine.id}: a start without actions is required`)
    this.#indexOf(initial)
    for (let state = 0; state < this.snapshots.length; state++) {
      for (const type of events) this.edges.push(this.#edge(state, type))
    }
  }

  stateOf(value: StateValue): number {
    const index = this.#indexes.get(keyOf(value))
    if (index === undefined) throw new Error(`${this.#machine.id}: unreachable ${JSON.stringify(value)}`)
    return index
  }

  #indexOf(snapshot: AnyMachineSnapshot): number {
    const key = keyOf(snapshot.value)
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    const index = this.snapshots.length
    if (index >= MAX_STATES) throw new Error(`${this.#machine.id}: more than ${MAX_STATES} states`)
    this.snapshots.push(snapshot)
    this.#indexes.set(key, index)
    return index
  }

  #edge(state: number, type: string): Edge {
    const snapshot = this.snapshots[state]!
    const outcome = declaredOutcome(this.#machine, snapshot, type)
    const [nextSnapshot, executed] = transition(this.#machine, snapshot, { type })
    const actions = executed.map((action) => this.#actionIndex(action.type))
    const next = this.#indexOf(nextSnapshot)
    const changes = next !== state || actions.length > 0
    const final = snapshot.status === 'done'
    if (changes && (outcome !== Outcome.transition || final)) {
      throw new Error(`${this.#machine.id}: ${nameOf(snapshot)} must not change on ${type}`)
    }
    return { next, outcome, actions: actions.length > 0 ? actions : undefined }
  }

  #actionIndex(type: string): number {
    const index = this.#actions.indexOf(type)
    if (index < 0) throw new Error(`${this.#machine.id}: unknown action ${type}`)
    return index
  }
}

/**
 * The outcome that a chart declares for an event in a state: a transition of any region wins, then impossible.
 * @throws Error when no active state names the event
 */
export function declaredOutcome(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  type: string,
): number {
  const selected = machine.getTransitionData(snapshot, { type })
  if (selected.length === 0) throw new Error(`${machine.id}: ${nameOf(snapshot)} does not declare ${type}`)
  let outcome: number = Outcome.ignore
  for (const { target, actions, meta } of selected) {
    if (target !== undefined || actions.length > 0) return Outcome.transition
    const declared = (meta as DeclaredMeta | undefined)?.outcome
    if (declared === undefined)
      throw new Error(`${machine.id}: ${nameOf(snapshot)} gives no reason for ${type}`)
    if (declared === 'impossible') outcome = Outcome.impossible
  }
  return outcome
}

/** The parts of a state: those of a parallel state, or those a final state says it was reached with. */
function partsOf(snapshot: AnyMachineSnapshot): Readonly<Record<string, string>> | undefined {
  for (const meta of Object.values(snapshot.getMeta())) {
    const parts = (meta as { parts?: Record<string, string> } | undefined)?.parts
    if (parts !== undefined) return parts
  }
  const { value } = snapshot
  const inner = typeof value === 'object' ? Object.values(value)[0] : undefined
  return typeof inner === 'object' ? (inner as Record<string, string>) : undefined
}

/** The same text for equal state values, whatever the order of their keys. */
function keyOf(value: StateValue): string {
  if (typeof value === 'string') return value
  const regions = Object.keys(value).sort()
  return `{${regions.map((region) => `${region}:${keyOf(value[region]!)}`).join(',')}}`
}

function nameOf(snapshot: AnyMachineSnapshot): string {
  const parts = partsOf(snapshot)
  if (parts !== undefined)
    return Object.entries(parts)
      .map((entry) => entry.join('.'))
      .join('|')
  const { value } = snapshot
  return typeof value === 'string'
    ? value
    : Object.entries(value)
        .map((entry) => entry.join('.'))
        .join('|')
}

function phasesOf(snapshots: readonly AnyMachineSnapshot[], part: PartCodes, alone: boolean): Uint8Array {
  return Uint8Array.from(snapshots, (snapshot) => {
    const { value } = snapshot
    const top = typeof value === 'string' ? value : Object.keys(value)[0]!
    const key = alone ? top : partsOf(snapshot)?.[part.name]
    const code = key === undefined ? undefined : part.codes[key]
    if (code === undefined) throw new Error(`no ${part.name} phase for ${nameOf(snapshot)}`)
    return code
  })
}
