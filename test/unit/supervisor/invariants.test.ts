// Each invariant of the supervision, broken by hand: it is found, named with its numbers, and dealt with as the mode
// says. That they hold in every simulated step is what test/sim shows.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createLifeActor, StreamEvent } from '../../../src/machines/index.ts'
import type { ConnectionEntry } from '../../../src/supervisor/connection-entry.ts'
import type { Endpoint } from '../../../src/supervisor/endpoint.ts'
import { InvariantError, type InvariantMode } from '../../../src/supervisor/invariants.ts'
import { VIOLATION_RING } from '../../../src/supervisor/limits.ts'
import { prometheusText } from '../../../src/supervisor/metrics.ts'
import { RecordingOwner } from '../../machines/interpreted.ts'
import { takeViolations } from '../../supervision-faults.ts'
import { SupervisedWorld } from './supervised-world.ts'

type Sabotage = (endpoint: Endpoint, entry: ConnectionEntry) => void

function pretend<T extends object>(target: T, name: keyof T, value: unknown): void {
  Object.defineProperty(target, name, { value })
}

/** Reaches into a connection as no code of ours may. */
const SABOTAGES: readonly (readonly [rule: string, sabotage: Sabotage])[] = [
  [
    'actors = stream table = opened - closed',
    (_endpoint, { supervisor }) => supervisor.connection.host.table.closed++,
  ],
  [
    'datagram channels <= live request streams',
    (_endpoint, { supervisor }) => {
      supervisor.datagramChannel(0)
      supervisor.requestStreams = 0
    },
  ],
  [
    'WebTransport sessions <= live request streams',
    (_endpoint, { supervisor }) => pretend(supervisor.sessions, 'count', 1_000),
  ],
  [
    'streams of sessions <= stream table',
    (_endpoint, { supervisor }) => pretend(supervisor.sessions, 'streamCount', 1_000),
  ],
  [
    'peer streams + owed credit = opened - returned',
    (_endpoint, { supervisor }) => {
      supervisor.connection.host.table.peer[0].returned++
    },
  ],
  [
    'streams opened <= MAX_STREAMS',
    (_endpoint, { supervisor }) => {
      supervisor.connection.host.table.peer[1].advertised = 1
    },
  ],
  [
    'handlers <= request streams + owed credit',
    (_endpoint, { supervisor }) => {
      supervisor.requestStreams = 0
    },
  ],
  [
    'received <= MAX_DATA',
    (_endpoint, { supervisor }) => {
      supervisor.connection.host.receiveCredit.advertised = 1
    },
  ],
  [
    'consumed <= received',
    (_endpoint, { supervisor }) => supervisor.connection.host.receiveCredit.consume(1e6),
  ],
  [
    'unread bytes <= window',
    (_endpoint, { supervisor }) => {
      supervisor.connection.host.receiveCredit.consumed = 0
      supervisor.connection.host.receiveCredit.window = 1
    },
  ],
  [
    "sent <= peer's MAX_DATA",
    (_endpoint, { supervisor }) => {
      supervisor.connection.host.sendCredit.max = 1
    },
  ],
  [
    'PATH_RESPONSE frames <= cap',
    (_endpoint, { supervisor }) => {
      for (let index = 0; index < 5; index++) supervisor.connection.path.responses.push(new Uint8Array(8))
    },
  ],
  [
    'paths <= cap',
    (_endpoint, { supervisor }) => {
      const { list, active } = supervisor.connection.paths
      for (let index = 0; index < 4; index++) list.push(active)
    },
  ],
  [
    'RETIRE_CONNECTION_ID frames <= cap',
    (_endpoint, { supervisor }) => {
      for (let index = 0; index < 51; index++) supervisor.connection.peerIds.pendingRetirements.push(index)
    },
  ],
  [
    'sent to an unvalidated address <= 3 x received',
    (_endpoint, { supervisor }) => {
      pretend(supervisor.connection.path, 'isValidated', false)
      supervisor.connection.path.bytesReceived = 1
    },
  ],
  [
    'bytes in flight >= 0',
    (_endpoint, { supervisor }) => {
      supervisor.connection.recovery.flight.bytes = -1
    },
  ],
  [
    'datagrams read in a turn <= cap',
    (_endpoint, entry) => {
      entry.readThisTurn = 101
    },
  ],
  [
    'datagrams in the backlog <= cap',
    (_endpoint, entry) => {
      pretend(entry, 'backlogLength', 1_000)
    },
  ],
  ['connections = opened - closed', ({ counters }) => counters.connectionsOpened++],
  ['actors = streams + WebTransport sessions', ({ counters }) => counters.actorsStarted++],
  [
    'nothing ends twice',
    ({ counters }) => {
      counters.handlersEnded += 5
    },
  ],
  [
    'armed timers <= 4 x actors',
    ({ counters }) => {
      counters.timersArmed += 1_000
    },
  ],
  ['crashes = resets for a crash', ({ counters }) => counters.crashed++],
  [
    'connection IDs <= 9 per connection',
    ({ ids }, entry) => {
      for (let index = 0; index < 6; index++) ids.addFirstFlight(new Uint8Array(9).fill(index), entry)
    },
  ],
  [
    'sum of streams = streams',
    ({ counters }) => {
      counters.streamsOpened++
      counters.actorsStarted++
    },
  ],
  ['sum of handlers = handlers', ({ counters }) => counters.handlersStarted++],
  ['sum of sessions = sessions', ({ counters }) => counters.sessionsOpened++],
  ['sum of channels = channels', ({ counters }) => counters.channelsOpened++],
  [
    'no final actor is registered',
    (_endpoint, { supervisor }) => {
      const stream = supervisor.connection.streams.get(0)!
      const dead = createLifeActor(stream.actor.table, 0, new RecordingOwner()).start()
      dead.raise(StreamEvent.connectionClosed)
      stream.actor = dead
    },
  ],
  [
    "sent <= peer's MAX_STREAM_DATA",
    (_endpoint, { supervisor }) => {
      supervisor.connection.streams.get(0)!.sending!.credit.used = 1e9
    },
  ],
  [
    'acknowledged, sent <= written',
    (_endpoint, { supervisor }) => {
      supervisor.connection.streams.get(0)!.sending!.buffer.next = 1e9
    },
  ],
  ['owed credit <= handlers', (_endpoint, { supervisor }) => pretend(supervisor, 'owedCredit', 5)],
  [
    'a connection that ends has no streams',
    (_endpoint, { supervisor }) => pretend(supervisor.connection, 'isEnding', true),
  ],
  [
    'a closed connection has no timers',
    (_endpoint, { supervisor }) => pretend(supervisor.connection, 'isClosed', true),
  ],
  [
    'connection IDs <= cap',
    (_endpoint, { supervisor }) => pretend(supervisor.connection.localIds, 'active', Array(9)),
  ],
  [
    'queued datagrams <= cap',
    (_endpoint, { supervisor }) => pretend(supervisor.connection.datagrams, 'queued', 1e6),
  ],
  [
    'CRYPTO bytes <= cap',
    (_endpoint, { supervisor }) => {
      pretend(supervisor.connection.spaces[2].crypto.receive, 'bufferedBytes', 1e6)
    },
  ],
  [
    'acknowledged <= sent',
    (_endpoint, { supervisor }) => pretend(supervisor.connection.recovery, 'largestAcked', () => 1e9),
  ],
  [
    'received <= MAX_STREAM_DATA',
    (_endpoint, { supervisor }) => {
      supervisor.connection.streams.get(2)!.receiving!.credit.advertised = 0
    },
  ],
  [
    'buffered bytes <= window',
    (_endpoint, { supervisor }) => {
      supervisor.connection.streams.get(0)!.receiving!.credit.window = 1
    },
  ],
  [
    'buffered bytes <= received - consumed',
    (_endpoint, { supervisor }) => {
      const { receiveCredit } = supervisor.connection.host
      receiveCredit.consumed = receiveCredit.received
    },
  ],
]

/** A server with one request in the works. */
async function busyWorld(invariants: InvariantMode): Promise<SupervisedWorld> {
  const world = new SupervisedWorld(() => new Promise<void>(() => {}), { invariants })
  const session = await world.connected()
  session.request({ path: '/', method: 'POST', body: new Uint8Array(100_000) }).catch(() => {})
  await world.pass(200)
  return world
}

function onlyEntry(world: SupervisedWorld): ConnectionEntry {
  const [entry] = world.server.entries
  return entry
}

describe('invariants', () => {
  it('hold in a world that nobody has tampered with', async () => {
    const world = await busyWorld('check')
    world.server.invariants.checkAll()
    expect(world.server.counters.invariantViolations).toBe(0)
  })

  it.each(SABOTAGES)('%s', async (rule, sabotage) => {
    const world = await busyWorld('count')
    sabotage(world.server, onlyEntry(world))
    world.server.invariants.checkAll()
    expect(takeViolations().map((violation) => violation.rule)).toContain(rule)
    expect(world.server.invariants.list().map((violation) => violation.rule)).toContain(rule)
  })

  it('every rule in the sources is broken above', () => {
    const sources = ['connection-invariants', 'endpoint-invariants'].map((name) =>
      readFileSync(new URL(`../../../src/supervisor/${name}.ts`, import.meta.url), 'utf8'),
    )
    const found = [...sources.join('').matchAll(/(complain|atMost)\(\s*(['"])(.+?)\2,/g)]
    const rules = found.map(([, how, , text]) => (how === 'atMost' ? `${text} <= cap` : text))
    expect(rules.toSorted()).toEqual(SABOTAGES.map(([rule]) => rule).toSorted())
  })

  it('check: the turn throws an error that names rule, numbers and connection', async () => {
    const world = await busyWorld('check')
    const { supervisor } = onlyEntry(world)
    supervisor.connection.host.table.peer[0].returned++
    supervisor.connection.wake()
    const error = await world.pass(10).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InvariantError)
    expect((error as InvariantError).message).toBe(
      `peer streams + owed credit = opened - returned: 4 + 0, 3 (connection ${supervisor.name})`,
    )
    expect(takeViolations()).toHaveLength(1)
  })

  it('count: the turn goes on, the counter reaches /metrics, and only so many are kept', async () => {
    const world = await busyWorld('count')
    const { supervisor } = onlyEntry(world)
    supervisor.connection.host.table.peer[0].returned++
    for (let turn = 0; turn < 3 * VIOLATION_RING; turn++) world.server.invariants.checkAll()
    const { counters, invariants } = world.server
    expect(counters.invariantViolations).toBe(3 * VIOLATION_RING)
    expect(invariants.list()).toHaveLength(VIOLATION_RING)
    expect(prometheusText(world.status(), counters)).toContain(
      `\nquactor_invariant_violations_total ${3 * VIOLATION_RING}\n`,
    )
    expect(takeViolations()).toHaveLength(3 * VIOLATION_RING)
  })

  it('off: nothing is compared', async () => {
    const world = await busyWorld('off')
    world.server.counters.actorsStarted++
    onlyEntry(world).supervisor.connection.host.table.closed++
    world.server.invariants.checkAll()
    await world.pass(2_000)
    expect(world.server.counters.invariantViolations).toBe(0)
    expect(takeViolations()).toEqual([])
  })

  it('the sweep of a server checks the sums without being asked', async () => {
    const world = await busyWorld('count')
    world.server.counters.channelsOpened++
    const before = world.server.counters.invariantViolations
    const error = await world.pass(1_100).catch((thrown: unknown) => thrown)
    expect(error).toBeUndefined()
    expect(world.server.counters.invariantViolations).toBeGreaterThan(before)
    expect(new Set(takeViolations().map(({ rule }) => rule))).toEqual(new Set(['sum of channels = channels']))
  })
})
