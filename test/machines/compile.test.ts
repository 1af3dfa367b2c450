// What the compiler refuses, and what its tables promise to those who index them.

import { describe, expect, it } from 'vitest'
import { createMachine, setup } from 'xstate'
import { type DeclaredState, ignore, impossible, namedActions } from '../../src/machines/declare.ts'
import {
  allTables,
  bidiStream,
  ClientHandshakePhase,
  CONNECTION_ACTIONS,
  CONNECTION_EVENTS,
  ConnectionAction,
  ConnectionEvent,
  ConnectionPhase,
  compile,
  connectionLife,
  HANDSHAKE_ACTIONS,
  HANDSHAKE_EVENTS,
  HandshakeAction,
  HandshakeEvent,
  ReceivePhase,
  receiveStream,
  SendPhase,
  ServerHandshakePhase,
  STREAM_ACTIONS,
  STREAM_EVENTS,
  StreamAction,
  StreamEvent,
  sendStream,
} from '../../src/machines/index.ts'

const twoEvents = ['go', 'stay'] as const

function machineWith(first: object) {
  return createMachine({
    id: 'probe',
    initial: 'first',
    states: { first, last: { type: 'final', on: { go: ignore('over'), stay: ignore('over') } } },
  })
}

describe('compile()', () => {
  it('throws when a reachable state leaves an event undeclared', () => {
    const machine = machineWith({ on: { go: { target: 'last' } } })
    expect(() => compile(machine, twoEvents, [])).toThrow('probe: first does not declare stay')
  })

  it('a state without one of its events is a type error, too', () => {
    // @ts-expect-error stay is missing
    const state: DeclaredState<'go' | 'stay'> = { on: { go: { target: 'last' } } }
    expect(Object.keys(state.on)).toEqual(['go'])
  })

  it('throws on an empty transition that gives no reason', () => {
    const machine = machineWith({ on: { go: { target: 'last' }, stay: {} } })
    expect(() => compile(machine, twoEvents, [])).toThrow('gives no reason for stay')
  })

  it('throws on an action that is not in the list', () => {
    const probe = setup({ actions: namedActions(['known', 'unknown']) }).createMachine({
      id: 'probe',
      initial: 'first',
      states: { first: { on: { go: { actions: ['known', 'unknown'] }, stay: impossible('never') } } },
    })
    expect(() => compile(probe, twoEvents, ['known'])).toThrow('unknown action unknown')
    expect(compile(probe, twoEvents, ['unknown', 'known']).actionList).toEqual([[1, 0], undefined])
  })

  it('throws when a final state declares a transition', () => {
    const machine = createMachine({
      id: 'probe',
      initial: 'first',
      states: {
        first: { on: { go: { target: 'last' }, stay: ignore('waits') } },
        last: { type: 'final', on: { go: { target: 'first' }, stay: ignore('over') } },
      },
    })
    expect(() => compile(machine, twoEvents, [])).toThrow('must not change')
  })

  it('throws for a state value that no event sequence reaches', () => {
    expect(() => sendStream.stateOf('nowhere')).toThrow('unreachable')
    expect(bidiStream.stateOf({ open: { receive: 'recv', send: 'ready' } })).toBe(bidiStream.initial)
  })
})

describe('constant indexes', () => {
  const camel = (type: string): string =>
    type.replaceAll(/\.(.)/g, (_dot, letter: string) => letter.toUpperCase())

  it.each([
    ['stream events', STREAM_EVENTS, StreamEvent],
    ['stream actions', STREAM_ACTIONS, StreamAction],
    ['connection events', CONNECTION_EVENTS, ConnectionEvent],
    ['connection actions', CONNECTION_ACTIONS, ConnectionAction],
    ['handshake events', HANDSHAKE_EVENTS, HandshakeEvent],
    ['handshake actions', HANDSHAKE_ACTIONS, HandshakeAction],
  ] as const)('%s have the position of their name', (_title, names, constants) => {
    expect(constants).toEqual(Object.fromEntries(names.map((name, index) => [camel(name), index])))
  })

  it('tables of the stream machines share events and actions', () => {
    for (const table of [sendStream, receiveStream, bidiStream]) {
      expect(table.events).toBe(STREAM_EVENTS)
      expect(table.actions).toBe(STREAM_ACTIONS)
    }
  })

  it('phases name the state of each part, none where a part is missing', () => {
    const sendName = (code: number) => Object.entries(SendPhase).find((entry) => entry[1] === code)![0]
    const receiveName = (code: number) => Object.entries(ReceivePhase).find((entry) => entry[1] === code)![0]
    for (const [state, name] of bidiStream.name.entries()) {
      const phases = `send.${sendName(bidiStream.sendPhase[state]!)}|receive.${receiveName(bidiStream.receivePhase[state]!)}`
      expect(phases).toBe(name)
    }
    expect([...sendStream.sendPhase].map(sendName)).toEqual(sendStream.name)
    expect([...receiveStream.receivePhase].map(receiveName)).toEqual(receiveStream.name)
    expect(new Set([...sendStream.receivePhase, ...receiveStream.sendPhase])).toEqual(new Set([0]))
    expect(bidiStream.part('send')).toEqual(bidiStream.sendPhase)
  })

  it('every final state of a connection is closed, every draining state draining', () => {
    for (const [state, name] of connectionLife.name.entries()) {
      const isClosed = connectionLife.phase[state] === ConnectionPhase.closed
      expect(isClosed, name).toBe(connectionLife.final[state] === 1)
      expect(connectionLife.phase[state] === ConnectionPhase.draining, name).toBe(
        name.startsWith('draining.'),
      )
    }
  })

  it('both handshakes number the phases that they share alike, so that TLS can read them in one place', () => {
    for (const name of [
      'start',
      'waitCert',
      'waitCv',
      'waitVerified',
      'waitFinished',
      'connected',
      'failed',
      'abandoned',
    ] as const) {
      expect(ServerHandshakePhase[name], name).toBe(ClientHandshakePhase[name])
    }
  })

  it('no machine uses a timer, a child or a context: those live in the data plane', () => {
    for (const table of allTables) {
      const text = JSON.stringify(table.machine.definition)
      expect(text, table.id).not.toMatch(/xstate\.after|xstate\.assign|"invoke":\[\{/)
      for (const snapshot of table.snapshots) {
        expect(snapshot.context, table.id).toEqual({})
        expect(snapshot.children, table.id).toEqual({})
      }
    }
  })
})

describe('endings', () => {
  it('a bidirectional stream is closed only when all was acknowledged and all was read, RFC 9000 section 3.4', () => {
    const outputs = bidiStream.name.flatMap((name, state) =>
      bidiStream.final[state] === 1 ? [[name, bidiStream.output[state]]] : [],
    )
    expect(outputs).toHaveLength(9)
    for (const [name, output] of outputs) {
      expect(output, String(name)).toBe(name === 'send.dataRecvd|receive.dataRead' ? 'closed' : 'reset')
    }
  })

  it('a connection ends with each of its reasons, RFC 9000 section 10', () => {
    const reasons = connectionLife.output.filter((output) => output !== undefined)
    expect(reasons.toSorted()).toEqual(
      ['handshakeTimeout', 'idle', 'local', 'peer', 'statelessReset', 'versionNegotiation'].toSorted(),
    )
  })
})
