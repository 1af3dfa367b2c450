// Every transition of the three stream machines on a real connection: generated paths, replayed by a scripted peer in
// virtual time (RFC 9000 section 3). DEEP=1 walks every path in all circumstances, and more random ones.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Coverage, commandSequences, edgeName } from '../../src/testing/index.ts'
import { isDeep } from './deep.ts'
import { isStreamPathFeasible, whyUnreachable } from './stream-parts.ts'
import { circumstances, streamSuites, walk } from './stream-suite.ts'

const ALL_CIRCUMSTANCES = 16
const RANDOM_WALKS = isDeep ? 1_500 : 60

describe.each(streamSuites)('$graph.id on a real connection', ({ table, graph, cover }) => {
  const coverage = new Coverage(graph)

  it('does in every state what the chart declares for every event', { timeout: 600_000 }, async () => {
    for (const [index, path] of cover.paths.entries()) {
      const variants = isDeep ? Array.from({ length: ALL_CIRCUMSTANCES }, (_, number) => number) : [index]
      for (const number of variants) await walk(table.id, path, circumstances(number), coverage)
    }
  })

  it('has no transition that was not taken, but for those that nothing can bring about', () => {
    const { states, transitions, ignores } = coverage.report()
    const excused = graph.edges.filter((edge) => whyUnreachable(table.id, edge) !== undefined).map(edgeName)
    expect(states.missing).toEqual([])
    expect(transitions.missing.filter((name) => !excused.includes(name))).toEqual([])
    expect(ignores.missing.filter((name) => !excused.includes(name))).toEqual([])
    // Nothing is excused that was taken after all.
    expect([...transitions.missing, ...ignores.missing].toSorted()).toEqual(
      excused.filter((name) => isDeclared(name)).toSorted(),
    )
  })

  const isDeclared = (name: string): boolean =>
    graph.edges.some(
      (edge) => edgeName(edge) === name && (edge.outcome === 'transition' || edge.outcome === 'ignore'),
    )

  it('holds on random walks', { timeout: 600_000 }, async () => {
    const walks = commandSequences(graph, { maxLength: 12 }).filter((path) =>
      isStreamPathFeasible(table.id, path),
    )
    const property = fc.asyncProperty(walks, fc.nat({ max: ALL_CIRCUMSTANCES - 1 }), (path, number) =>
      walk(table.id, path, circumstances(number)),
    )
    await fc.assert(property, { numRuns: RANDOM_WALKS, seed: 9_000 })
  })
})
