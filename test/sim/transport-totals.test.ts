// What connections did on the wire, summed up over those that live and those that have ended, and the list of the live.
import { describe, expect, it } from 'vitest'
import { MemorySessionStore } from '../../src/client/session-store.ts'
import { listConnections } from '../../src/supervisor/connection-report.ts'
import { CONNECTION_LIST } from '../../src/supervisor/limits.ts'
import { countersOf } from '../../src/supervisor/transport-totals.ts'
import { leftovers } from './leftovers.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { World, type WorldOptions } from './world.ts'

const BODY = Buffer.alloc(60_000)

function worldOf(link: Partial<LinkProfile>, options: Partial<WorldOptions> = {}): World {
  const profile = { ...PERFECT_LINK, delay: 10, ...link }
  return new World({
    seed: 5,
    handler: () => (exchange) => exchange.respond(200, [], BODY),
    toServer: profile,
    toClient: profile,
    ...options,
  })
}

const get = async (session: ReturnType<World['open']>): Promise<Uint8Array> =>
  (await session.request({ path: '/' })).bytes()

describe('totals of the transport', () => {
  it('losses and probes count the same while a connection lives and when it is gone', async () => {
    const world = worldOf({ loss: 0.05 })
    const session = world.open()
    await world.run(get(session), 60_000)
    await world.pass(1_000)
    const live = countersOf(world.server)
    expect(live.packetsLost).toBeGreaterThan(0)
    expect(live.packetsSent).toBeGreaterThanOrEqual(live.packetsAcknowledged + live.packetsLost)
    expect(world.server.counters.packetsSent).toBe(0)
    session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
    expect(world.server.counters.packetsSent).toBeGreaterThanOrEqual(live.packetsSent)
    expect(countersOf(world.server)).toEqual(world.server.counters)
  })

  it('resumption, early data, key updates and migrations', async () => {
    const world = worldOf({}, { resumption: { earlyData: true } })
    const store = new MemorySessionStore()
    const origin = 'https://sim'
    const first = world.open({ resumption: { store, origin, session: undefined } })
    await world.run(first.resumable, 30_000)
    first.close()
    const session = store.take(origin)
    const second = world.open({ resumption: { store, origin, session, earlyData: true } })
    await world.run(get(second), 30_000)
    second.connection.updateKeys()
    await world.pass(500)
    world.network.rebind(world.clientSocket, '10.0.0.9', 50_001)
    await world.run(get(second), 30_000)
    await world.pass(1_000)
    for (const endpoint of [world.server, world.client]) {
      const { handshakesResumed, earlyDataAccepted, earlyDataRejected, keyUpdates } = countersOf(endpoint)
      expect([handshakesResumed, earlyDataAccepted, earlyDataRejected, keyUpdates]).toEqual([1, 1, 0, 1])
    }
    expect(countersOf(world.server).migrations).toBe(1)
    const again = world.open({ resumption: { store, origin, session, earlyData: true } })
    await world.run(get(again), 30_000)
    expect(countersOf(world.server).earlyDataRejected).toBe(1)
    expect(countersOf(world.client).earlyDataRejected).toBe(1)
    expect(listConnections(world.server.entries).map(({ metrics }) => metrics.earlyData)).toEqual([
      'accepted',
      'rejected',
    ])
    for (const each of [second, again]) each.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })
})

describe('the list of connections', () => {
  it('is bounded, and names of the peer only where it is', async () => {
    const world = worldOf({})
    const sessions = Array.from({ length: CONNECTION_LIST + 5 }, () => world.open())
    await world.run(Promise.all(sessions.map(({ opened }) => opened)), 30_000)
    const listed = listConnections(world.server.entries)
    expect(listed).toHaveLength(CONNECTION_LIST)
    expect(new Set(listed.map(({ remote }) => remote))).toEqual(new Set(['10.0.0.2:50000']))
    expect(listConnections(world.server.entries, 3)).toHaveLength(3)
    for (const session of sessions) session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })
})
