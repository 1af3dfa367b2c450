// The declared outcome of every (state, event) pair as text that a reviewer can read: one file per machine
// under outcomes/. A change of a chart shows up there as a changed line.
import { describe, expect, it } from 'vitest'
import { allTables, type CompiledMachine, Outcome } from '../../src/machines/index.ts'

function describePair(table: CompiledMachine, state: number, event: number): string {
  const pair = state * table.width + event
  if (table.outcome[pair] === Outcome.ignore) return 'ignore'
  if (table.outcome[pair] === Outcome.impossible) return 'impossible'
  const actions = table.actionList[pair]?.map((action) => table.actions[action]) ?? []
  return `-> ${table.name[table.next[pair]!]}${actions.length > 0 ? `  [${actions.join(', ')}]` : ''}`
}

function describeTable(table: CompiledMachine): string {
  const width = Math.max(...table.events.map((event) => event.length))
  const blocks = table.name.map((name, state) => {
    const title = table.final[state] === 1 ? `${name}  (final, output ${String(table.output[state])})` : name
    const rows = table.events.map(
      (type, event) => `  ${type.padEnd(width)}  ${describePair(table, state, event)}`,
    )
    return [title, ...rows].join('\n')
  })
  return `${table.id}: ${table.stateCount} states x ${table.width} events\n\n${blocks.join('\n\n')}\n`
}

describe('declared outcomes, reviewed', () => {
  it.each(allTables.map((table) => [table.id, table] as const))('%s', async (id, table) => {
    await expect(describeTable(table)).toMatchFileSnapshot(`./outcomes/${id}.txt`)
  })

  it.each(allTables.map((table) => [table.id, table] as const))(
    '%s: no event is answered in a final state',
    (_id, table) => {
      for (let state = 0; state < table.stateCount; state++) {
        if (table.final[state] === 0) continue
        for (let event = 0; event < table.width; event++) {
          expect(table.outcome[state * table.width + event]).not.toBe(Outcome.transition)
        }
      }
    },
  )
})
