// A machine as states and edges: everything that the testing kit wants to know of a chart. The only file that uses
// `xstate/graph`, so that another major version of XState changes this file and no other. Used by paths.ts,
// commands.ts, coverage.ts and by tests of users.
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, StateValue } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'
import type { DeclaredMeta } from '../machines/declare.ts'

/**
 * What an event does in a state: a transition, nothing as the chart declares (`ignore`), something that cannot happen
 * as the chart declares (`impossible`), or nothing because the state does not name the event (`unhandled`).
 */
export type EdgeOutcome = 'transition' | 'ignore' | 'impossible' | 'unhandled'

/** One state of a machine: two states are the same when their keys are. */
export interface GraphState {
  /** What tells it from other states. */
  readonly key: string
  /** The state value, as XState has it. */
  readonly value: StateValue
  /** The machine is done there. */
  readonly isFinal: boolean
  /** A snapshot of it. */
  readonly snapshot: AnyMachineSnapshot
}

/** One event in one state. */
export interface GraphEdge {
  /** The state in which the event comes. */
  readonly from: GraphState
  /** The state after it; the same one where nothing happens. */
  readonly to: GraphState
  /** The event. */
  readonly event: AnyEventObject
  /** What it does there. */
  readonly outcome: EdgeOutcome
}

/** All reachable states, the initial one first, and every event in each of them. */
export interface MachineGraph {
  /** ID of the machine. */
  readonly id: string
  /** The state it begins in. */
  readonly initial: GraphState
  /** Every reachable state, the initial one first. */
  readonly states: readonly GraphState[]
  /** Every event in every state. */
  readonly edges: readonly GraphEdge[]
  /** The edges that leave a state, in the order of the events. */
  edgesOf(state: GraphState): readonly GraphEdge[]
}

/** How a machine is walked. */
export interface GraphOptions {
  /** The alphabet. Default: every event that the chart names, without further fields. */
  readonly events?: readonly (AnyEventObject | string)[] | undefined
  /** Input of the machine. */
  readonly input?: unknown
  /** What makes two states the same; default: their value and context as JSON. */
  readonly stateKey?: ((snapshot: AnyMachineSnapshot) => string) | undefined
  /** Transitions to walk before the machine is taken to be endless; default 100,000. */
  readonly limit?: number | undefined
}

const WALK_LIMIT = 100_000

/** What `xstate/graph` says of one event in one state. */
interface Reached {
  /** The event. */
  readonly event: AnyEventObject
  readonly state: AnyMachineSnapshot
}

/**
 * Walks a machine over every reachable state and every event. Nothing that the machine invokes or delays is run: what
 * such things send has to be among the events.
 * @throws Error when the machine has no end within the limit: give it a `stateKey` that looks at less
 */
export function graphOf(machine: AnyStateMachine, options: GraphOptions = {}): MachineGraph {
  const events = alphabetOf(machine, options.events)
  const keyOf = options.stateKey ?? defaultKey
  const serializeState = (snapshot: unknown): string => keyOf(snapshot as AnyMachineSnapshot)
  const adjacency = getAdjacencyMap(machine, {
    events: [...events],
    serializeState,
    limit: options.limit ?? WALK_LIMIT,
    ...(options.input === undefined ? {} : { input: options.input as never }),
  })
  const states = new Map<string, GraphState>()
  for (const [key, { state }] of Object.entries(adjacency)) states.set(key, stateOf(key, state))
  const outgoing = new Map<GraphState, GraphEdge[]>()
  for (const [key, { transitions }] of Object.entries(adjacency)) {
    const from = states.get(key)!
    const reached = Object.values<Reached>(transitions).map(({ event, state }) => {
      const to = states.get(serializeState(state)) ?? stateOf(serializeState(state), state)
      return { from, to, event, outcome: outcomeOf(machine, from.snapshot, event) }
    })
    outgoing.set(from, reached)
  }
  const [initial] = states.values()
  return {
    id: machine.id,
    initial: initial!,
    states: [...states.values()],
    edges: [...outgoing.values()].flat(),
    edgesOf: (state) => outgoing.get(state) ?? [],
  }
}

function stateOf(key: string, snapshot: AnyMachineSnapshot): GraphState {
  return { key, value: snapshot.value, isFinal: snapshot.status !== 'active', snapshot }
}

function alphabetOf(machine: AnyStateMachine, given: GraphOptions['events']): AnyEventObject[] {
  if (given !== undefined) return given.map((event) => (typeof event === 'string' ? { type: event } : event))
  return [...new Set(namedBy(machine.root))].map((type) => ({ type }))
}

/** Every event that a state or one inside it names; not wildcards, and not what XState sends itself. */
function namedBy(node: AnyStateMachine['root']): string[] {
  const own = [...node.transitions.keys()].filter((type) => !/[*]|^xstate\.|^$/.test(type))
  return [...own, ...Object.values(node.states).flatMap((inner) => namedBy(inner))]
}

function defaultKey({ value, context }: AnyMachineSnapshot): string {
  const hasContext = Object.keys(context as object).length > 0
  return hasContext ? `${textOf(value)} ${JSON.stringify(context)}` : textOf(value)
}

/** A state value in one line: `open{receive.recv,send.ready}`. The order of the regions does not matter. */
export function textOf(value: StateValue): string {
  if (typeof value === 'string') return value
  const regions = Object.keys(value).sort()
  const texts = regions.map((region) => [region, textOf(value[region] as StateValue)] as const)
  if (texts.length === 1) return texts[0]!.join('.')
  return `{${texts.map((pair) => pair.join('.')).join(',')}}`
}

function outcomeOf(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
): EdgeOutcome {
  const selected = machine.getTransitionData(snapshot, event)
  if (selected.length === 0) return 'unhandled'
  let outcome: EdgeOutcome = 'ignore'
  for (const { target, actions, meta } of selected) {
    const declared = (meta as DeclaredMeta | undefined)?.outcome
    if (target !== undefined || actions.length > 0) return 'transition'
    if (declared === 'impossible') outcome = 'impossible'
  }
  return outcome
}
