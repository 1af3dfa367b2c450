// The generated suite of the three stream machines: which paths, and how each is walked. Run by streams.test.ts, and
// against broken tables by mutants.ts.
import { bidiStream, type CompiledMachine, receiveStream, sendStream } from '../../src/machines/index.ts'
import {
  type Coverage,
  type EdgeCover,
  edgeCover,
  graphOf,
  type MachineGraph,
  type MachinePath,
  replay,
} from '../../src/testing/index.ts'
import { StreamDriver, type StreamDriverOptions } from './stream-driver.ts'
import { isStreamPathFeasible } from './stream-parts.ts'

/** What the mutation check needs of a generated suite. */
export interface ModelSuite {
  readonly table: CompiledMachine
  readonly graph: MachineGraph
  readonly cover: EdgeCover
  /** Walks the path of this number. @throws Error when the real thing is not what the model says */
  walk(path: MachinePath, number: number): Promise<void>
}

const CLOSINGS = ['local', 'peer', 'vanish', 'abandon'] as const

function suiteOf(table: CompiledMachine): ModelSuite {
  const graph = graphOf(table.machine, { events: table.events })
  const cover = edgeCover(graph, { isFeasible: (path) => isStreamPathFeasible(table.id, path) })
  return { table, graph, cover, walk: (path, number) => walk(table.id, path, circumstances(number)) }
}

export const streamSuites: readonly ModelSuite[] = [sendStream, receiveStream, bidiStream].map(suiteOf)

/** The circumstances of a path: over the paths of a suite each of them meets the others. */
export function circumstances(number: number): StreamDriverOptions {
  return {
    opener: (number & 1) === 0 ? 'peer' : 'us',
    withholdsCredit: (number & 2) !== 0,
    closing: CLOSINGS[(number >> 2) % CLOSINGS.length]!,
  }
}

/** @throws ReplayError, or Error when something is left after the last step */
export async function walk(
  machine: string,
  path: MachinePath,
  options: StreamDriverOptions,
  coverage?: Coverage,
): Promise<void> {
  const driver = new StreamDriver(machine, path, options)
  await replay(path, driver, coverage)
  driver.finish(path)
}
