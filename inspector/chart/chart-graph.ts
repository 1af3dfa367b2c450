// A machine as a drawing wants it: states as nested nodes, transitions as edges whose labels are events. Works on any
// XState 5 machine, ours and those of users. Called by draw.ts.
import type { AnyStateMachine, AnyStateNode } from 'xstate'

export interface ChartNode {
  /** Path below the root, joined with dots: `open.send.ready`. */
  readonly key: string
  readonly label: string
  readonly kind: 'state' | 'final' | 'compound' | 'parallel' | 'initial' | 'any'
  readonly children: readonly ChartNode[]
}

export interface ChartEdge {
  readonly from: string
  readonly to: string
  /** Event types, in the order of the chart; several events between the same two states share an edge. */
  readonly events: readonly string[]
}

export interface ChartGraph {
  readonly id: string
  readonly nodes: readonly ChartNode[]
  readonly edges: readonly ChartEdge[]
}

/** From as many states of one region, an event with one target is drawn once, from "any state". */
const ANY_STATE_SOURCES = 4

export function chartGraph(machine: AnyStateMachine): ChartGraph {
  const edges: ChartEdge[] = []
  const nodes = childNodes(machine.root, edges)
  return { id: machine.id, nodes, edges: mergeParallelEdges(edges) }
}

function keyOf(node: AnyStateNode): string {
  return node.path.join('.')
}

/** Endings that only name the pair of parts that a parallel state ended with are not drawn: the parts show them. */
function isDrawn(node: AnyStateNode): boolean {
  return (node.meta as { parts?: unknown } | undefined)?.parts === undefined
}

function childNodes(parent: AnyStateNode, edges: ChartEdge[]): ChartNode[] {
  const states = Object.values(parent.states).filter(isDrawn)
  if (states.length === 0) return []
  const nodes = states.map((state) => toNode(state, edges))
  const own = states.flatMap((state) => edgesOf(state))
  const { kept, gathered } = gather(own, keyOf(parent))
  edges.push(...kept)
  for (const edge of gathered) {
    nodes.push({ key: edge.from, label: 'any state', kind: 'any', children: [] })
    edges.push(edge)
  }
  if (parent.type !== 'parallel') {
    const first = parent.initial.target[0]
    const key = `${keyOf(parent)}#initial`
    nodes.unshift({ key, label: '', kind: 'initial', children: [] })
    if (first !== undefined) edges.push({ from: key, to: keyOf(first), events: [] })
  }
  return nodes
}

function toNode(state: AnyStateNode, edges: ChartEdge[]): ChartNode {
  const children = childNodes(state, edges)
  const kind =
    state.type === 'final'
      ? 'final'
      : state.type === 'parallel'
        ? 'parallel'
        : children.length > 0
          ? 'compound'
          : 'state'
  return { key: keyOf(state), label: state.key, kind, children }
}

function edgesOf(state: AnyStateNode): ChartEdge[] {
  const edges: ChartEdge[] = []
  for (const transitions of state.transitions.values()) {
    for (const { eventType, target } of transitions) {
      for (const to of target ?? []) {
        if (isDrawn(to)) edges.push({ from: keyOf(state), to: keyOf(to), events: [eventLabel(eventType)] })
      }
    }
  }
  return edges
}

/** XState's internal names (`xstate.done.actor.0.load`, `xstate.after.500.open`) in words. */
function eventLabel(type: string): string {
  if (type === '') return 'always'
  const match = /^xstate\.(done|error|after)\.?(?:actor|state)?\.?(.*)$/.exec(type)
  if (match === null) return type
  const [, kind, rest = ''] = match
  return kind === 'after' ? `after ${rest.split('.')[0]} ms` : kind!
}

/** The same event to the same target from many siblings becomes one edge from a node of its own. */
function gather(edges: readonly ChartEdge[], parent: string): { kept: ChartEdge[]; gathered: ChartEdge[] } {
  const groups = new Map<string, ChartEdge[]>()
  for (const edge of edges) {
    const group = `${edge.to} ${edge.events[0]}`
    groups.set(group, [...(groups.get(group) ?? []), edge])
  }
  const kept: ChartEdge[] = []
  const gathered = new Map<string, ChartEdge>()
  for (const group of groups.values()) {
    const [{ to, events }] = group as [ChartEdge]
    if (group.length < ANY_STATE_SOURCES) kept.push(...group)
    else {
      const before = gathered.get(to)?.events ?? []
      gathered.set(to, { from: `${parent}#any:${to}`, to, events: [...before, ...events] })
    }
  }
  return { kept, gathered: [...gathered.values()] }
}

function mergeParallelEdges(edges: readonly ChartEdge[]): ChartEdge[] {
  const merged = new Map<string, ChartEdge>()
  for (const edge of edges) {
    const key = `${edge.from} ${edge.to}`
    const events = [...new Set([...(merged.get(key)?.events ?? []), ...edge.events])]
    merged.set(key, { ...edge, events })
  }
  return [...merged.values()]
}
