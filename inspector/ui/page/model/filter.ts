// The search line: words that must all match, some of them with a field: `conn:a1b2 path:/bytes state:send.dataSent
// age>5s kind:handler id:12 worker:1`; a word with a minus before it must not match.
import { signal } from '@preact/signals'
import { type Actor, store } from './store.ts'

export const query = signal('')
/** Which kinds of actors are listed. */
export type Tab = 'streams' | 'connections' | 'sessions' | 'handlers' | 'all'
export const tab = signal<Tab>('streams')

export const TAB_KINDS: Readonly<Record<Tab, readonly string[] | undefined>> = {
  streams: ['stream'],
  connections: ['connection', 'handshake', 'path'],
  sessions: ['session', 'datagrams'],
  handlers: ['handler', 'service'],
  all: undefined,
}

type Test = (actor: Actor) => boolean

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const FIELD = /^(-?)(conn|connection|path|state|kind|id|worker|machine|age)(:|>|<)(.*)$/

/** @returns what an actor has to satisfy; undefined when every actor does */
export function parseQuery(text: string): Test | undefined {
  const words = text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return undefined
  const tests = words.map(parseWord)
  return (actor) => tests.every((test) => test(actor))
}

function parseWord(word: string): Test {
  const match = FIELD.exec(word)
  if (match === null) {
    const isNegated = word.startsWith('-') && word.length > 1
    const wanted = isNegated ? word.slice(1) : word
    return (actor) => haystack(actor).includes(wanted) !== isNegated
  }
  const [, minus, field, operator, value] = match as unknown as [string, string, string, string, string]
  const test = fieldTest(field, operator, value)
  return minus === '-' ? (actor) => !test(actor) : test
}

function fieldTest(field: string, operator: string, value: string): Test {
  if (field === 'age') return ageTest(operator, value)
  if (field === 'kind') return ({ kind }) => kind.startsWith(value)
  if (field === 'id') return ({ key }) => String(key) === value
  if (field === 'worker') return ({ worker }) => String(worker) === value
  if (field === 'path') return ({ text }) => text.toLowerCase().includes(value)
  if (field === 'machine')
    return ({ machine }) => (store.machines.get(machine)?.id.toLowerCase() ?? '').includes(value)
  if (field === 'state') return (actor) => isInState(actor, value)
  return (actor) => (store.connectionOf(actor)?.text.toLowerCase() ?? '').includes(value)
}

function ageTest(operator: string, value: string): Test {
  const match = /^([\d.]+)(ms|s|m|h)?$/.exec(value)
  if (match === null) return () => true
  const limit = Number(match[1]) * UNIT_MS[match[2] ?? 's']!
  return operator === '<' ? (actor) => store.age(actor) < limit : (actor) => store.age(actor) >= limit
}

/** A whole state (`send.dataSent`), or a part of the name of one. */
function isInState(actor: Actor, wanted: string): boolean {
  const machine = store.machines.get(actor.machine)
  if (machine === undefined) return false
  const leaves = machine.leavesIn(actor.state)
  if (machine.leaves().some(({ label }) => label.toLowerCase() === wanted)) {
    return leaves.some(({ label }) => label.toLowerCase() === wanted)
  }
  return machine.stateName(actor.state).toLowerCase().includes(wanted)
}

function haystack(actor: Actor): string {
  if (actor.haystack === undefined || actor.haystackState !== actor.state) {
    const state = store.machines.get(actor.machine)?.stateName(actor.state) ?? ''
    const connection = store.connectionOf(actor)?.text ?? ''
    actor.haystack = `${actor.kind} ${actor.key} ${actor.text} ${state} ${connection}`.toLowerCase()
    actor.haystackState = actor.state
  }
  return actor.haystack
}

/** Sets or takes away one word of the search line. */
export function toggleWord(word: string): void {
  const words = query.value.split(/\s+/).filter((other) => other !== '')
  const isThere = words.includes(word)
  const field = word.slice(0, word.indexOf(':') + 1)
  const others = words.filter((other) => other !== word && !(field !== '' && other.startsWith(field)))
  query.value = (isThere ? others : [...others, word]).join(' ')
}
