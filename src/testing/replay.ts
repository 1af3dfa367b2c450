// Replays a path against what the machine describes. The driver knows how each event is brought about there and how
// what came of it is seen; this file only knows the order, and names the step that differed.
import type { Coverage } from './coverage.ts'
import type { GraphEdge, GraphState } from './graph.ts'
import type { MachinePath } from './paths.ts'

/** What stands between a path and the real thing. Either method may return a promise. */
export interface PathDriver {
  /** Brings the event about. */
  apply(edge: GraphEdge, step: number, path: MachinePath): unknown
  /** Compares the real thing with the state of the model. @throws Error that says what differs */
  check(state: GraphState, edge: GraphEdge | undefined): unknown
}

/** A step after which the real thing was not what the model says. */
export class ReplayError extends Error {
  /** The path that was walked. */
  readonly path: MachinePath
  /** Index of the step; -1 before the first. */
  readonly step: number

  constructor(path: MachinePath, step: number, cause: unknown) {
    const where = step < 0 ? 'at the start' : `after step ${step + 1}, ${path.steps[step]?.event.type}`
    super(`${path.name}: ${where}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    this.name = 'ReplayError'
    this.path = path
    this.step = step
  }
}

/**
 * Walks the path step by step. Each edge counts as covered once what came of it has been compared.
 * @throws ReplayError
 */
export async function replay(path: MachinePath, driver: PathDriver, coverage?: Coverage): Promise<void> {
  let at = -1
  try {
    const first = path.steps[0]
    if (first !== undefined) await driver.check(first.from, undefined)
    for (const [step, edge] of path.steps.entries()) {
      at = step
      await driver.apply(edge, step, path)
      await driver.check(edge.to, edge)
      coverage?.take(edge)
    }
  } catch (error) {
    throw new ReplayError(path, at, error)
  }
}
