// Matchers for vitest: importing `quactor/testing/vitest` in a test or a setup file adds them to expect(). The only file
// that needs vitest, which is an optional peer dependency.

import { expect } from 'vitest'
import { type AnyMachineSnapshot, matchesState, type StateValue } from 'xstate'
import { textOf } from './graph.ts'

/** Something with an XState snapshot: an actor, ours or a user's, or the snapshot itself. */
type Observable = { getSnapshot(): unknown } | AnyMachineSnapshot

interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

function snapshotOf(received: unknown): AnyMachineSnapshot {
  const actor = received as Partial<{ getSnapshot(): unknown }> | undefined
  const snapshot = typeof actor?.getSnapshot === 'function' ? actor.getSnapshot() : received
  if (snapshot === null || typeof snapshot !== 'object' || !('status' in snapshot)) {
    throw new TypeError('an actor or a snapshot is needed')
  }
  return snapshot as AnyMachineSnapshot
}

/** The numbers of a server: of a TestServer, of serve(), or a status itself. */
function statusOf(received: unknown): {
  readonly actors: { readonly live: number }
  readonly streams: { readonly live: number }
} {
  const server = received as { status?: unknown; actors?: unknown }
  if (typeof server.status === 'function') return server.status()
  if (server.actors !== undefined) return server as ReturnType<typeof statusOf>
  throw new TypeError('a server or its status is needed')
}

const matchers = {
  toBeInState(received: Observable, value: StateValue): MatcherResult {
    const is = snapshotOf(received).value as StateValue
    return {
      pass: matchesState(value, is),
      message: () => `the actor is in ${textOf(is)}, asked for was ${textOf(value)}`,
    }
  },

  toHaveClosed(received: unknown, output?: unknown): MatcherResult {
    const client = received as { isClosed?: unknown }
    if (typeof client.isClosed === 'boolean') {
      return {
        pass: client.isClosed,
        message: () => `the connection is ${client.isClosed ? 'closed' : 'open'}`,
      }
    }
    const snapshot = snapshotOf(received)
    const hasEnded = snapshot.status === 'done'
    const pass = hasEnded && (output === undefined || snapshot.output === output)
    return { pass, message: () => `the actor is ${snapshot.status}, its output ${String(snapshot.output)}` }
  },

  toHaveNoLiveActors(received: unknown): MatcherResult {
    const { actors, streams } = statusOf(received)
    return {
      pass: actors.live === 0 && streams.live === 0,
      message: () => `${actors.live} actors live, on ${streams.live} streams`,
    }
  },
}

expect.extend(matchers)

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** The actor (or snapshot) is in this state, or in one inside it. */
    toBeInState(value: StateValue): R
    /** The actor has reached a final state, with this output if one is given; or the client's connection is closed. */
    toHaveClosed(output?: unknown): R
    /** No stream of the server has an actor. */
    toHaveNoLiveActors(): R
  }
}
