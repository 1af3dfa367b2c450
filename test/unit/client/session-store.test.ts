// The store of sessions: bounded, per origin, each session used once (RFC 8446 appendix C.4).
import { expect, it } from 'vitest'
import { MAX_SESSION_ORIGINS, MAX_SESSIONS_PER_ORIGIN } from '../../../src/client/limits.ts'
import { MemorySessionStore, type StoredSession } from '../../../src/client/session-store.ts'

/** A session that can be told apart; the store looks at nothing of it. */
const session = (number: number): StoredSession => ({ number }) as unknown as StoredSession

it('gives each session once, the newest first, to its own origin only', () => {
  const store = new MemorySessionStore()
  store.put('a', session(1))
  store.put('a', session(2))
  store.put('b', session(3))
  expect(store.take('a')).toEqual(session(2))
  expect(store.take('a')).toEqual(session(1))
  expect(store.take('a')).toBeUndefined()
  expect(store.take('b')).toEqual(session(3))
  expect(store.size).toBe(0)
})

it('keeps a few per origin, the newest', () => {
  const store = new MemorySessionStore()
  for (let number = 0; number < 10; number++) store.put('a', session(number))
  expect(store.size).toBe(MAX_SESSIONS_PER_ORIGIN)
  expect(store.take('a')).toEqual(session(9))
})

it('forgets the origin that it heard of longest ago', () => {
  const store = new MemorySessionStore()
  store.put('first', session(0))
  for (let number = 0; number < MAX_SESSION_ORIGINS - 1; number++) store.put(`o${number}`, session(number))
  store.put('first', session(1))
  store.put('one more', session(2))
  expect(store.take('o0')).toBeUndefined()
  expect(store.take('first')).toEqual(session(1))
  expect(store.take('one more')).toEqual(session(2))
})
