// Whether the generated suite of a stream machine notices that its table is broken. Used by mutants.ts for every
// mutant, and by mutants.test.ts for those of the bug that this project began with.
import type { CompiledMachine } from '../../src/machines/index.ts'
import { takeMissed, takeViolations } from '../supervision-faults.ts'
import type { Mutation } from './mutations.ts'
import type { ModelSuite } from './stream-suite.ts'

/** Which path noticed, and what. */
export interface Kill {
  readonly path: string
  readonly message: string
}

/** Walks the paths on the broken table, those that meet what is broken first, until one fails. */
export async function check(suite: ModelSuite, mutation: Mutation): Promise<Kill | undefined> {
  const { table, cover } = suite
  const isNear = nearness(table, mutation)
  const paths = [...cover.paths.entries()]
  const ordered = [...paths.filter(([, path]) => isNear(path)), ...paths.filter(([, path]) => !isNear(path))]
  const undo = mutation.apply()
  try {
    for (const [index, path] of ordered) {
      try {
        await suite.walk(path, index)
      } catch (error) {
        return { path: path.name, message: (error as Error).message }
      }
      const missed = takeMissed()
      if (missed.length + takeViolations().length > 0)
        return { path: path.name, message: 'a broken invariant' }
    }
    return undefined
  } finally {
    undo()
    takeMissed()
    takeViolations()
  }
}

type SuitePath = ModelSuite['cover']['paths'][number]

function nearness(table: CompiledMachine, { state, event }: Mutation): (path: SuitePath) => boolean {
  const type = event === undefined ? undefined : table.events[event]
  const meets = (path: SuitePath): boolean =>
    path.steps.some((edge) =>
      type === undefined
        ? table.stateOf(edge.to.value) === state
        : edge.event.type === type && table.stateOf(edge.from.value) === state,
    )
  return meets
}
