// The generated suite of the connection machine: which of its paths a real connection can walk, and why not the others.
import { connectionLife } from '../../src/machines/index.ts'
import {
  type Coverage,
  edgeCover,
  type GraphEdge,
  graphOf,
  type MachinePath,
  replay,
} from '../../src/testing/index.ts'
import { ConnectionDriver } from './connection-driver.ts'
import type { ModelSuite } from './stream-suite.ts'

export const connectionGraph = graphOf(connectionLife.machine, { events: connectionLife.events })

/** Why our transport never brings an edge about; undefined when it can. */
export function whyUnreachable({ from, event }: GraphEdge): string | undefined {
  if (from.key === 'handshaking' && event.type === 'recv.statelessReset')
    return 'the token of a server is believed once the handshake is complete (RFC 9000 section 10.3.1)'
  if (from.key === 'closing' && event.type.startsWith('recv.'))
    return 'a closing connection counts packets and opens none; entering draining is a MAY (RFC 9000 section 10.2.1)'
  if (from.key === 'draining.local') return 'it is entered from closing alone, by a packet that is not opened'
  return undefined
}

export const connectionCover = edgeCover(connectionGraph, {
  isFeasible: ({ steps }) =>
    steps.every((edge) => edge.outcome !== 'transition' || whyUnreachable(edge) === undefined),
})

export const connectionSuite: ModelSuite = {
  table: connectionLife,
  graph: connectionGraph,
  cover: connectionCover,
  walk: (path) => walkConnection(path),
}

/** @throws ReplayError, or Error when the connection does not end */
export async function walkConnection(path: MachinePath, coverage?: Coverage): Promise<void> {
  const driver = new ConnectionDriver(path)
  await replay(path, driver, coverage)
  driver.finish()
}
