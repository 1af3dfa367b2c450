// Paths through a machine: the edge cover, which is the gate of a test suite, and all simple paths within a bound.
// Used by tests, which replay them against whatever the machine describes (replay.ts).
import type { EdgeOutcome, GraphEdge, GraphState, MachineGraph } from './graph.ts'

/** A way through the machine, from its initial state. */
export interface MachinePath {
  /** Its edges, in order. */
  readonly steps: readonly GraphEdge[]
  /** The state that it leads to. */
  readonly end: GraphState
  /** The events in order, for people: `send.stream > send.fin`. */
  readonly name: string
}

/** Which edges are covered, and by which paths. */
export interface CoverOptions {
  /** Which outcomes are to be covered; default: all but `impossible` and `unhandled`. */
  readonly outcomes?: readonly EdgeOutcome[]
  /**
   * Whether a path can be walked where it is going to be replayed. When the shortest one cannot, longer ones to the
   * same edge are tried.
   */
  readonly isFeasible?: (path: MachinePath) => boolean
  /** How much longer than the shortest path those may be, in events; default 3. */
  readonly detour?: number
}

/** Paths that take every edge there is a way to. */
export interface EdgeCover {
  /** One path per edge; it ends with that edge. */
  readonly paths: readonly MachinePath[]
  /** Edges that no feasible path reaches. */
  readonly unreached: readonly GraphEdge[]
}

const DETOUR = 3
/** Paths that are looked at for one edge before it counts as unreached. */
const MAX_CANDIDATES = 5_000

/** The events of an edge sequence as one line. */
export function pathOf(steps: readonly GraphEdge[], initial: GraphState): MachinePath {
  const end = steps.at(-1)?.to ?? initial
  return { steps, end, name: steps.map(({ event }) => event.type).join(' > ') || 'nothing' }
}

/** For each state the shortest path to it, and then each event that the state declares. */
export function edgeCover(graph: MachineGraph, options: CoverOptions = {}): EdgeCover {
  const outcomes = new Set(options.outcomes ?? (['transition', 'ignore'] as const))
  const shortest = shortestPaths(graph)
  const paths: MachinePath[] = []
  const unreached: GraphEdge[] = []
  for (const edge of graph.edges) {
    if (!outcomes.has(edge.outcome)) continue
    const path = feasiblePath(graph, edge, shortest.get(edge.from)!, options)
    if (path === undefined) unreached.push(edge)
    else paths.push(path)
  }
  return { paths, unreached }
}

/** Breadth first, so that each state is met by as few events as possible. */
export function shortestPaths(graph: MachineGraph): ReadonlyMap<GraphState, readonly GraphEdge[]> {
  const found = new Map<GraphState, readonly GraphEdge[]>([[graph.initial, []]])
  for (const [state, steps] of found) {
    for (const edge of graph.edgesOf(state)) {
      if (edge.outcome === 'transition' && !found.has(edge.to)) found.set(edge.to, [...steps, edge])
    }
  }
  return found
}

function feasiblePath(
  graph: MachineGraph,
  edge: GraphEdge,
  shortest: readonly GraphEdge[],
  { isFeasible, detour = DETOUR }: CoverOptions,
): MachinePath | undefined {
  const first = pathOf([...shortest, edge], graph.initial)
  if (isFeasible === undefined || isFeasible(first)) return first
  let candidates = 0
  for (const steps of walks(graph, edge.from, shortest.length + detour)) {
    const path = pathOf([...steps, edge], graph.initial)
    if (isFeasible(path)) return path
    if (++candidates > MAX_CANDIDATES) return undefined
  }
  return undefined
}

/** Paths to a state that meet no state twice, shorter ones first. */
function* walks(graph: MachineGraph, target: GraphState, maxLength: number): Generator<GraphEdge[]> {
  let front: GraphEdge[][] = [[]]
  for (let length = 0; length <= maxLength && front.length > 0; length++) {
    const next: GraphEdge[][] = []
    for (const steps of front) {
      const at = steps.at(-1)?.to ?? graph.initial
      if (at === target) {
        yield steps
        continue
      }
      next.push(...extensions(graph, at, steps))
    }
    front = next
  }
}

function extensions(graph: MachineGraph, at: GraphState, steps: readonly GraphEdge[]): GraphEdge[][] {
  const isKnown = (state: GraphState): boolean =>
    state === graph.initial || steps.some(({ to }) => to === state)
  return graph
    .edgesOf(at)
    .filter(({ outcome, to }) => outcome === 'transition' && !isKnown(to))
    .map((edge) => [...steps, edge])
}

/** Bounds of the search. */
export interface SimplePathOptions {
  /** Events of a path at most; default 20. */
  readonly maxLength?: number
  /** Paths at most; default 10,000. */
  readonly maxPaths?: number
}

const MAX_LENGTH = 20
const MAX_PATHS = 10_000

/** Every path that meets no state twice and cannot go on, or has the greatest length. Depth first. */
export function simplePaths(graph: MachineGraph, options: SimplePathOptions = {}): MachinePath[] {
  const { maxLength = MAX_LENGTH, maxPaths = MAX_PATHS } = options
  const paths: MachinePath[] = []
  const follow = (steps: readonly GraphEdge[]): void => {
    if (paths.length >= maxPaths) return
    const further =
      steps.length < maxLength ? extensions(graph, steps.at(-1)?.to ?? graph.initial, steps) : []
    if (further.length === 0) paths.push(pathOf(steps, graph.initial))
    else for (const longer of further) follow(longer)
  }
  follow([])
  return paths
}
