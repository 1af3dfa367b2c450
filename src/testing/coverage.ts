// What of a machine a test suite has met: states, transitions and declared outcomes. Filled while paths are replayed
// (replay.ts), or by hand with `visit` and `take`.
import type { EdgeOutcome, GraphEdge, GraphState, MachineGraph } from './graph.ts'

/** How much of one kind of thing was met. */
export interface CoveredPart {
  /** How many were seen. */
  readonly covered: number
  /** How many there are. */
  readonly total: number
  /** What was not, by name: a state, or `state x event`. */
  readonly missing: readonly string[]
}

/** How much of a machine was seen. */
export interface CoverageReport {
  /** Name of the machine. */
  readonly machine: string
  /** Of its states. */
  readonly states: CoveredPart
  /** Of its transitions. */
  readonly transitions: CoveredPart
  /** Events that change nothing, as the chart declares. */
  readonly ignores: CoveredPart
}

/** Name of an edge in reports: state, event, state. */
export function edgeName({ from, event }: GraphEdge): string {
  return `${from.key} x ${event.type}`
}

/** Counts which states and edges of a machine were seen. */
export class Coverage {
  /** The machine. */
  readonly graph: MachineGraph
  readonly #states = new Set<GraphState>()
  readonly #edges = new Set<GraphEdge>()

  constructor(graph: MachineGraph) {
    this.graph = graph
    this.#states.add(graph.initial)
  }

  /** This state was seen. */
  visit(state: GraphState): void {
    this.#states.add(state)
  }

  /** The edge was taken: its two states have been met as well. */
  take(edge: GraphEdge): void {
    this.#edges.add(edge)
    this.#states.add(edge.from)
    this.#states.add(edge.to)
  }

  /** Whether the edge was seen. */
  hasTaken(edge: GraphEdge): boolean {
    return this.#edges.has(edge)
  }

  /** What was seen so far, and what was not. */
  report(): CoverageReport {
    const { id, states } = this.graph
    const missing = states.filter((state) => !this.#states.has(state)).map(({ key }) => key)
    return {
      machine: id,
      states: { covered: states.length - missing.length, total: states.length, missing },
      transitions: this.#part('transition'),
      ignores: this.#part('ignore'),
    }
  }

  /** The report in a few lines. */
  toString(): string {
    const { machine, states, transitions, ignores } = this.report()
    const line = (what: string, { covered, total, missing }: CoveredPart): string =>
      `${machine}: ${covered} of ${total} ${what}${missing.length === 0 ? '' : `; not ${missing.join(', ')}`}`
    return [line('states', states), line('transitions', transitions), line('ignores', ignores)].join('\n')
  }

  #part(outcome: EdgeOutcome): CoveredPart {
    const edges = this.graph.edges.filter((edge) => edge.outcome === outcome)
    const missing = edges.filter((edge) => !this.#edges.has(edge)).map(edgeName)
    return { covered: edges.length - missing.length, total: edges.length, missing }
  }
}
