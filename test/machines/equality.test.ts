// The proof that a table says what its chart says: every machine, every reachable state, every event, run by
// the compiled actor, by its interpreted twin and by XState's own createActor.
import { describe, expect, it } from 'vitest'
import {
  allTables,
  type CompiledMachine,
  createLifeActor,
  type Interpreter,
  Outcome,
} from '../../src/machines/index.ts'
import { notingSubject, type Observation, observeLife, observeXState, pathsTo } from './interpreted.ts'

function withoutOwner({ value, status, output, actions, told }: Observation): Observation {
  return { value, status, output, actions, told }
}

function comparePair(
  table: CompiledMachine,
  path: readonly number[],
  event: number,
  interpreter: Interpreter,
): void {
  const expected = observeXState(table, path, event)
  const found = observeLife(path, event, (owner, actions) =>
    createLifeActor(table, 7, owner, notingSubject(table, actions), interpreter),
  )
  const place = `${table.id}: ${path.map((step) => table.events[step]).join(', ')} then ${table.events[event]}`
  expect(withoutOwner(found), place).toEqual(expected)
  expect(table.value[found.actor.state], place).toEqual(expected.value)
  expect(table.final[found.actor.state], place).toBe(expected.status === 'done' ? 1 : 0)
  expect(table.output[found.actor.state], place).toEqual(expected.output)
  expect(found.owner.finals.length, place).toBe(expected.status === 'done' ? 1 : 0)
  expect(found.owner.missed.length, place).toBe(found.outcome === Outcome.impossible ? 1 : 0)
}

describe.each(allTables.map((table) => [table.id, table] as const))('%s', (_id, table) => {
  const paths = pathsTo(table)

  it('reaches every state of its table', () => {
    expect(paths.filter((path) => path !== undefined)).toHaveLength(table.stateCount)
  })

  it.each(['compiled', 'xstate'] as const)(
    '%s actor = createActor in every state, for every event',
    (interpreter) => {
      for (const path of paths) {
        for (let event = 0; event < table.width; event++) comparePair(table, path, event, interpreter)
      }
    },
  )

  it('declares exactly those pairs as transitions on which XState does something', () => {
    for (const [state, path] of paths.entries()) {
      for (let event = 0; event < table.width; event++) {
        const pair = state * table.width + event
        const { value, actions } = observeXState(table, path, event)
        const isTransition = actions.length > 0 || table.stateOf(value) !== state
        expect(
          table.outcome[pair] === Outcome.transition,
          `${table.name[state]} ${table.events[event]}`,
        ).toBe(isTransition)
      }
    }
  })
})
