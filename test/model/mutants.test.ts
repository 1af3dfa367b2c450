// The bug that this project began with (quic-go #4513): a transition into the last final state is missing, and streams
// stay for ever. The generated suite alone has to notice, for each such transition. `npm run mutants` does the rest.
import { describe, expect, it } from 'vitest'
import { Outcome } from '../../src/machines/index.ts'
import { whyEquivalent } from './equivalent-mutants.ts'
import { check } from './mutation-check.ts'
import { mutationsOf } from './mutations.ts'
import { streamSuites } from './stream-suite.ts'

describe.each(streamSuites)('$graph.id without one transition into a final state', (suite) => {
  const { table } = suite
  const mutants = mutationsOf(table, { all: false }).filter(({ name, state, event }) => {
    if (event === undefined || !name.endsWith('dropped')) return false
    const pair = state * table.width + event
    return table.outcome[pair] === Outcome.transition && table.final[table.next[pair]!] === 1
  })

  it('has some', () => {
    expect(mutants.length).toBeGreaterThan(4)
  })

  it.each(mutants)('$name', async (mutant) => {
    const kill = await check(suite, mutant)
    if (kill === undefined) expect(whyEquivalent(table, mutant)).toBeDefined()
    // What notices is the life of the stream, not an accident: it is in the wrong state, or it is still there.
    else
      expect(kill.message).toMatch(/the stream is in|live streams|has no streams|left over|missed transition/)
  })

  it('is whole again afterwards', () => {
    for (const mutant of mutationsOf(table, { all: true }).slice(0, 500)) {
      const before = [table.next, table.outcome, table.final].map((column) => column.join())
      mutant.apply()()
      expect([table.next, table.outcome, table.final].map((column) => column.join())).toEqual(before)
    }
  })
})
