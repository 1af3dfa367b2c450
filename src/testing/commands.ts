// Random walks through a machine as arbitraries of fast-check, so that a failing one is shrunk to the fewest events
// that still fail. Used with fc.assert(fc.property(...)); fast-check is an optional peer dependency of this subpath.
import fc from 'fast-check'
import type { EdgeOutcome, GraphEdge, MachineGraph } from './graph.ts'
import { type MachinePath, pathOf } from './paths.ts'

/** Which random walks are made. */
export interface CommandOptions {
  /** Events of a walk at most; default 20. */
  readonly maxLength?: number
  /** Outcomes of the events that are chosen; default: transitions and declared ignores. */
  readonly outcomes?: readonly EdgeOutcome[]
  /** Leaves out what cannot be done where the walk is replayed, after what has been chosen before. */
  readonly isFeasible?: (edge: GraphEdge, before: readonly GraphEdge[]) => boolean
}

const MAX_LENGTH = 20

/**
 * Walks of random length. Each number chooses among the events that are possible where the walk has got to, so that
 * leaving any out, as shrinking does, leaves another walk.
 */
export function commandSequences(
  graph: MachineGraph,
  options: CommandOptions = {},
): fc.Arbitrary<MachinePath> {
  const outcomes = new Set(options.outcomes ?? (['transition', 'ignore'] as const))
  const choices = fc.array(fc.nat({ max: 0xffff }), {
    maxLength: options.maxLength ?? MAX_LENGTH,
    size: 'max',
  })
  return choices.map((numbers) => {
    const steps: GraphEdge[] = []
    let at = graph.initial
    for (const number of numbers) {
      const possible = graph
        .edgesOf(at)
        .filter((edge) => outcomes.has(edge.outcome) && (options.isFeasible?.(edge, steps) ?? true))
      if (possible.length === 0) break
      const edge = possible[number % possible.length]!
      steps.push(edge)
      at = edge.to
    }
    const path = pathOf(steps, graph.initial)
    // A failing walk is printed as its events, not with every snapshot on the way.
    return Object.assign(path, { [fc.toStringMethod]: () => path.name })
  })
}
