// The connection machine on a real client connection before a scripted server (RFC 9000 section 10): every transition
// that our transport can bring about, and the list of those that it cannot.
import { describe, expect, it } from 'vitest'
import { Coverage, edgeName } from '../../src/testing/index.ts'
import { connectionCover, connectionGraph, walkConnection, whyUnreachable } from './connection-suite.ts'

describe('connection on a real connection', () => {
  const coverage = new Coverage(connectionGraph)

  it.each(connectionCover.paths.map((path) => [path.name, path] as const))('%s', async (_name, path) => {
    await walkConnection(path, coverage)
  })

  it('has no transition that was not taken, but for those that nothing can bring about', () => {
    const { transitions } = coverage.report()
    const excused = connectionGraph.edges.filter(
      (edge) => edge.outcome === 'transition' && whyUnreachable(edge) !== undefined,
    )
    expect(transitions.missing.toSorted()).toEqual(excused.map(edgeName).toSorted())
    expect(excused).toHaveLength(5)
  })
})
