// Charts as the page draws them: nodes, arrows, configurations and outcomes, taken from XState's own definition of a
// machine. Used by machine-catalogue.ts, once per machine.
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, StateValue } from 'xstate'
import { type CompiledMachine, deadlinesOf } from '../machines/index.ts'
import type { ActorKind, ChartEdge, ChartNode, MachineDefinition, MachineState } from './protocol.ts'

/** What a definition has before anybody has seen an actor of it. */
export interface Chart {
  readonly nodes: readonly ChartNode[]
  readonly edges: readonly ChartEdge[]
  readonly events: readonly string[]
  indexOf(node: AnyStateNode): number
}

/** Takes nodes and arrows from a machine. */
export function chartOf(machine: AnyStateMachine): Chart {
  const all: AnyStateNode[] = []
  collect(machine.root, all)
  const places = new Map(all.map((node, index) => [node, index]))
  const indexOf = (node: AnyStateNode): number => places.get(node) ?? -1
  const edges = all.flatMap((node) => edgesOf(node, indexOf))
  const events = [...new Set(edges.map(({ event }) => event))].filter((event) => !isInternal(event))
  return { nodes: all.map((node) => nodeOf(node, indexOf)), edges, events, indexOf }
}

function collect(node: AnyStateNode, all: AnyStateNode[]): void {
  all.push(node)
  for (const child of Object.values(node.states)) collect(child as AnyStateNode, all)
}

function nodeOf(node: AnyStateNode, indexOf: (node: AnyStateNode) => number): ChartNode {
  const first = node.type === 'compound' ? node.initial?.target?.[0] : undefined
  return {
    id: node.path.join('.'),
    key: node.key,
    parent: node.parent === undefined ? -1 : indexOf(node.parent),
    type: node.type,
    initial: first === undefined ? -1 : indexOf(first),
    ...(node.description === undefined ? {} : { description: node.description }),
  }
}

function edgesOf(node: AnyStateNode, indexOf: (node: AnyStateNode) => number): ChartEdge[] {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])]
  const edges: ChartEdge[] = []
  for (const { eventType, target, actions, guard } of transitions) {
    // Declared outcomes of our own machines (ignore, impossible) are no arrows.
    if (target === undefined && actions.length === 0) continue
    const shared = {
      from: indexOf(node),
      event: eventName(eventType),
      ...(guard === undefined ? {} : { guard: nameOf(guard) }),
      ...(actions.length === 0 ? {} : { actions: actions.map(nameOf) }),
    }
    if (target === undefined) edges.push({ ...shared, to: -1 })
    else for (const each of target) edges.push({ ...shared, to: indexOf(each) })
  }
  return edges
}

function nameOf(thing: unknown): string {
  if (typeof thing === 'string') return thing
  const { type, name } = thing as { type?: string; name?: string }
  return type ?? (name === undefined || name === '' ? 'inline' : name)
}

const INTERNAL = /^(?:after |done|error|$)/

function isInternal(event: string): boolean {
  return INTERNAL.test(event)
}

/** XState's own event names in words. */
export function eventName(type: string): string {
  const [first, kind, what, name] = type.split('.')
  if (first !== 'xstate') return type
  if (kind === 'after') return `after ${what} ms`
  if (kind === 'done') return what === 'actor' ? `done: ${name}` : 'done'
  return kind === 'error' ? `error: ${name ?? what}` : type
}

/** The definition of one of our own machines. */
export function builtInDefinition(index: number, kind: ActorKind, table: CompiledMachine): MachineDefinition {
  const chart = chartOf(table.machine)
  const deadlines = deadlinesOf(table)
  const states = table.snapshots.map((snapshot, state): MachineState => {
    const deadline = deadlines[state]
    const plain = stateOf(snapshot, chart, table.name[state]!)
    if (deadline === undefined) return plain
    const { ms, waitingFor, why } = deadline
    return { ...plain, ...(Number.isFinite(ms) && { deadline: ms }), waitingFor, why }
  })
  return {
    index,
    id: table.id,
    kind,
    origin: 'built-in',
    nodes: chart.nodes,
    edges: chart.edges,
    states,
    events: table.events,
    outcomes: [...table.outcome],
    next: [...table.next],
  }
}

/** The configuration of a snapshot. */
export function stateOf(snapshot: AnyMachineSnapshot, chart: Chart, name: string): MachineState {
  const active = snapshot._nodes
    .map((node: AnyStateNode) => chart.indexOf(node))
    .filter((node: number) => node > 0)
  return { name, active, isFinal: snapshot.status === 'done' }
}

/** A chart without nesting that no machine of XState stands behind, e.g. the phases of a handler. */
export function plainDefinition(
  index: number,
  id: string,
  kind: ActorKind,
  names: readonly string[],
  arrows: readonly (readonly [from: number, event: string, to: number])[],
  lastFinal: number = names.length,
): MachineDefinition {
  const root: ChartNode = { id: '', key: id, parent: -1, type: 'compound', initial: 1 }
  const isFinal = (state: number): boolean => state >= lastFinal
  const nodes = names.map(
    (name, state): ChartNode => ({
      id: name,
      key: name,
      parent: 0,
      type: isFinal(state) ? 'final' : 'atomic',
      initial: -1,
    }),
  )
  return {
    index,
    id,
    kind,
    origin: 'built-in',
    nodes: [root, ...nodes],
    edges: arrows.map(([from, event, to]) => ({ from: from + 1, to: to + 1, event })),
    states: names.map((name, state) => ({ name, active: [state + 1], isFinal: isFinal(state) })),
    events: [...new Set(arrows.map(([, event]) => event))],
  }
}

/** The value that XState has for a configuration. */
export function stateValueOf({ nodes, states }: MachineDefinition, state: number): StateValue {
  const active = new Set(states[state]?.active)
  const valueAt = (parent: number): StateValue => {
    const inside = nodes.flatMap((node, index) =>
      node.parent === parent && active.has(index) ? [[node.key, valueAt(index)] as const] : [],
    )
    const isPlain = inside.length === 1 && nodes[parent]!.type !== 'parallel' && isEmpty(inside[0]![1])
    return isPlain ? inside[0]![0] : Object.fromEntries(inside)
  }
  return valueAt(0)
}

function isEmpty(value: StateValue): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0
}
