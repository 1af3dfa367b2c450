// Rows of the catalogue of leaks that are about connections: begun, broken off and closed at every inconvenient moment.
// Afterwards both endpoints are empty. A handshake costs some milliseconds, so most runs share one with seven others.
import { describe, expect, it } from 'vitest'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { writeRetireConnectionId } from '../../src/transport/wire/index.ts'
import { type LeakRow, LeakWorld, RUNS } from './leak-row.ts'
import { nonZero, registriesOf } from './registries.ts'
import { ScriptedPeer } from './scripted-peer.ts'

/** Connections that stand for 1,000 runs, eight on each. */
const CONNECTIONS = RUNS / 8

/** Connections that live at a time. */
const BATCH = 25

const timeout = 60_000

type Scenario = (peer: ScriptedPeer, run: number) => Promise<unknown>

function worldFor(row: Partial<LeakRow>): LeakWorld {
  return new LeakWorld({
    row: 0,
    title: '',
    seenIn: '',
    handler: () => (exchange) => exchange.respond(200, [], 'x'),
    scenario: () => Promise.resolve(),
    ...row,
    // With hundreds of connections, looking at all of them after each step would be most of the work.
    supervision: { invariants: 'off', ...row.supervision },
  })
}

/** Runs the scenario on a connection of its own each time, and expects nothing to be left of any of them. */
async function onConnections(world: LeakWorld, scenario: Scenario, pause = 1_000): Promise<void> {
  world.peer.connection.close(0x100, '', { application: true })
  await world.pass(1_000)
  for (let first = 0; first < CONNECTIONS; first += BATCH) {
    const runs = Array.from({ length: BATCH }, (_, index) => scenario(new ScriptedPeer(world), first + index))
    await world.run(Promise.all(runs), 120_000)
    await world.pass(pause)
  }
  await world.pass(90_000)
  world.expectEmpty()
}

async function opened(peer: ScriptedPeer): Promise<ScriptedPeer> {
  while (!peer.isOpen) await peer.sleep(1)
  return peer
}

describe('leak catalogue row 9: streams opened while the connection shuts down (seen in msquic #4311)', () => {
  it('by the client, with its close on the way: 8 streams on each of 125 connections', {
    timeout,
  }, async () => {
    const world = worldFor({})
    await onConnections(world, async (peer, run) => {
      await opened(peer)
      for (let request = 0; request < 4; request++) peer.get()
      await peer.sleep(run % 12)
      for (let request = 0; request < 4; request++) peer.get()
      peer.connection.close(H3ErrorCode.H3_NO_ERROR, '', { application: true })
      expect(peer.connection.openStream('bidi')).toBeUndefined()
    })
    expect(world.server.counters.handlersStarted).toBeGreaterThan(RUNS / 4)
  })

  it('while the server drains: 8 streams on each of 125 connections', { timeout }, async () => {
    const world = worldFor({ supervision: { goawayDelay: 20 } })
    await onConnections(world, async (peer, run) => {
      await opened(peer)
      peer.begin('POST')
      await peer.sleep(12)
      const before = peer.connection.localIds.first
      for (const { supervisor } of world.server.entries) {
        if (Buffer.from(supervisor.connection.handshakePeerId).equals(before)) supervisor.drain()
      }
      for (let request = 0; request < 8; request++) {
        await peer.sleep(run % 9)
        if (!peer.connection.isEnding) peer.get()
      }
    })
  })
})

describe('leak catalogue row 11: connection IDs change while CONNECTION_CLOSE is on its way (seen in quic-go #4852)', () => {
  it('8 changes on each of 125 connections, closed from either side', { timeout }, async () => {
    const world = worldFor({})
    await onConnections(world, async (peer, run) => {
      await opened(peer)
      await peer.sleep(30)
      // The first is settled, the last ones are on their way together with the close.
      for (const sequence of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const frame = new Uint8Array(16)
        peer.inject(frame.subarray(0, writeRetireConnectionId(frame, 0, sequence)))
        await peer.sleep(sequence === 1 ? 40 : run % 4)
      }
      const { entries } = world.server
      if (run % 2 === 0) peer.connection.close(0x100, '', { application: true })
      else for (const { supervisor } of entries) supervisor.connection.close(0x100, '', { application: true })
    })
  })
})

describe('leak catalogue row 19: handshake abandoned half-way (seen in xquic #197, ngtcp2 #1852; with Retry from the 101st)', () => {
  it('1000 clients that are not heard of after their first flight', { timeout }, async () => {
    const world = worldFor({})
    // The server answers, the client is deaf and leaves.
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    for (let first = 0; first < RUNS; first += BATCH) {
      const peers = Array.from({ length: BATCH }, () => new ScriptedPeer(world))
      await world.pass(50)
      for (const peer of peers) peer.supervisor.kill()
      await world.pass(100)
    }
    const { connectionsOpened, retries } = world.server.counters
    expect(connectionsOpened).toBeGreaterThan(90)
    expect(retries).toBeGreaterThan(RUNS / 2)
    await world.pass(60_000)
    world.expectEmpty()
  })
})

describe('leak catalogue row 20: a client leaves during version negotiation (seen in quic-go #5203; as the server sees it)', () => {
  it('1000 first packets of unknown versions leave no trace', async () => {
    const world = worldFor({})
    await world.pass(1_000)
    const before = registriesOf(world.server)
    for (let run = 0; run < RUNS; run++) {
      const first = new Uint8Array(1_200)
      first.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, run >> 8, run, 1, 2, 3, 4, 5, 6, 8, 9, 9, 9, 9, 9, 9, 9, 9])
      world.server.arrivals.receive(world.serverSocket, first, 0, first.length, {
        address: '10.0.3.1',
        port: 1_024 + run,
        family: 4,
      })
      if (run % 10 === 9) await world.pass(100)
    }
    expect(world.server.counters.versionNegotiations).toBeGreaterThan(RUNS / 2)
    expect(registriesOf(world.server)).toEqual(before)
  })
})

describe('leak catalogue row 21: endpoints created and dropped in a loop (seen in s2n-quic #2535)', () => {
  it('1000 client endpoints, some with a request', { timeout }, async () => {
    const world = worldFor({})
    world.peer.connection.close(0x100, '', { application: true })
    for (let run = 0; run < RUNS; run++) {
      const endpoint = world.addClient()
      const peer = new ScriptedPeer(world, {}, endpoint)
      await world.pass(run % 10 === 0 ? 40 : run % 3)
      if (peer.isOpen) peer.get()
      const closed = endpoint.close(run % 2 === 0 ? 0 : 200)
      await world.run(closed, 5_000)
      expect(nonZero(registriesOf(endpoint))).toEqual({})
      world.clients.pop()
    }
    await world.pass(90_000)
    world.expectEmpty()
  })
})

describe('leak catalogue row 22: close while congestion blocks the response (seen in quinn #2785)', () => {
  it('8 responses on each of 125 connections, closed from either side', { timeout }, async () => {
    const world = worldFor({
      handler: () => async (exchange) => {
        exchange.begin(200)
        for (let piece = 0; piece < 10; piece++) await exchange.write(new Uint8Array(50_000))
        exchange.end()
      },
    })
    await onConnections(world, async (peer, run) => {
      await opened(peer)
      for (let request = 0; request < 8; request++) peer.get()
      // The first window has left, its acknowledgements have not arrived.
      await peer.sleep(9 + (run % 3))
      if (run % 2 === 0) peer.connection.close(0x100, '', { application: true })
      else {
        for (const { supervisor } of world.server.entries) {
          const { connection } = supervisor
          if (connection.sendBufferedBytes > 0) connection.close(0x100, '', { application: true })
        }
      }
    })
  })
})
