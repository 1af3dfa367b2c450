// What the mutation check does to a table: one thing at a time, in place, so that everything that runs on the table is
// wrong until it is undone. The charts, which the paths are made from, stay as they are.
import { type CompiledMachine, Outcome } from '../../src/machines/index.ts'

export interface Mutation {
  readonly machine: string
  /** What was done, for people. */
  readonly name: string
  /** The state and event that it is about; no event when it is about a final state. */
  readonly state: number
  readonly event: number | undefined
  /** The event that it was swapped with. */
  readonly partner?: number
  /** Breaks the table; the result puts it right again. */
  apply(): () => void
}

/** The tables are readonly to everybody else. */
interface Entries {
  readonly next: Uint8Array
  readonly outcome: Uint8Array
  readonly actionList: (readonly number[] | undefined)[]
}

export interface MutationOptions {
  /** Redirects each transition to every other state instead of to one, and swaps each pair of events. */
  readonly all: boolean
}

export function mutationsOf(table: CompiledMachine, { all }: MutationOptions): Mutation[] {
  const mutations: Mutation[] = []
  for (let state = 0; state < table.stateCount; state++) {
    if (table.final[state] === 1) {
      mutations.push(openFinal(table, state))
      continue
    }
    for (let event = 0; event < table.width; event++) {
      if (table.outcome[state * table.width + event] !== Outcome.transition) continue
      mutations.push(
        drop(table, state, event),
        ...redirects(table, state, event, all),
        ...swaps(table, state, event, all),
      )
    }
  }
  return mutations
}

function drop(table: CompiledMachine, state: number, event: number): Mutation {
  return {
    machine: table.id,
    name: `${table.name[state]} x ${table.events[event]}: dropped`,
    state,
    event,
    apply: () => change(table, state, event, { next: state, outcome: Outcome.ignore, actions: undefined }),
  }
}

function redirects(table: CompiledMachine, state: number, event: number, all: boolean): Mutation[] {
  const due = table.next[state * table.width + event]!
  const others = Array.from({ length: table.stateCount }, (_, index) => (due + 1 + index) % table.stateCount)
  const wrong = others.filter((index) => index !== due && index !== state)
  return wrong.slice(0, all ? wrong.length : 1).map((next) => ({
    machine: table.id,
    name: `${table.name[state]} x ${table.events[event]}: to ${table.name[next]}`,
    state,
    event,
    apply: () => change(table, state, event, { next }),
  }))
}

/** With the next events that do something else; a pair of two transitions is swapped once. */
function swaps(table: CompiledMachine, state: number, event: number, all: boolean): Mutation[] {
  const row = state * table.width
  const entry = (index: number): string =>
    [table.next[row + index], table.outcome[row + index], table.actionList[row + index]].join()
  const others = Array.from({ length: table.width - 1 }, (_, index) => (event + 1 + index) % table.width)
  const different = others.filter(
    (other) =>
      entry(other) !== entry(event) && (other > event || table.outcome[row + other] !== Outcome.transition),
  )
  return different.slice(0, all ? different.length : 1).map((other) => ({
    machine: table.id,
    name: `${table.name[state]}: ${table.events[event]} and ${table.events[other]} swapped`,
    state,
    event,
    partner: other,
    apply: () => swap(table, row + event, row + other),
  }))
}

function openFinal(table: CompiledMachine, state: number): Mutation {
  return {
    machine: table.id,
    name: `${table.name[state]}: not final`,
    state,
    event: undefined,
    apply: () => {
      table.final[state] = 0
      return () => {
        table.final[state] = 1
      }
    },
  }
}

interface Change {
  readonly next: number
  readonly outcome?: number
  readonly actions?: readonly number[] | undefined
}

function change(table: CompiledMachine, state: number, event: number, to: Change): () => void {
  const { next, outcome, actionList } = table as unknown as Entries
  const pair = state * table.width + event
  const before = { next: next[pair]!, outcome: outcome[pair]!, actions: actionList[pair] }
  next[pair] = to.next
  if (to.outcome !== undefined) {
    outcome[pair] = to.outcome
    actionList[pair] = to.actions
  }
  return () => {
    next[pair] = before.next
    outcome[pair] = before.outcome
    actionList[pair] = before.actions
  }
}

function swap(table: CompiledMachine, a: number, b: number): () => void {
  const entries = table as unknown as Entries
  const exchange = (): void => {
    for (const column of [entries.next, entries.outcome, entries.actionList] as unknown[][]) {
      const kept = column[a]
      column[a] = column[b]
      column[b] = kept
    }
  }
  exchange()
  return exchange
}
