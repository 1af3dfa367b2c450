// Whole servers and clients whose addresses change in the middle of things (RFC 9000 section 9): NAT rebinding, moves
// of the client, source addresses rewritten on the way. Afterwards nothing may be left of any path.
import { describe, expect, it } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { ConnectionPhase } from '../../src/machines/index.ts'
import type { QuicConnection } from '../../src/transport/connection/index.ts'
import { MAX_PATHS } from '../../src/transport/connection/index.ts'
import { leftovers } from './leftovers.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { patternBytes } from './pattern.ts'
import { CLIENT_ADDRESS, World } from './world.ts'

const DOWNLOAD = 5_000_000
/** 20 Mbit/s and 15 ms: five megabytes take two seconds. */
const LINK: LinkProfile = { ...PERFECT_LINK, delay: 15, rate: 2_500, queue: 100_000 }
const LOSSY: LinkProfile = { ...LINK, loss: 0.02 }

const remotes: string[] = []

function serveBytes(): ExchangeHandler {
  return (exchange) => {
    remotes.push(`${exchange.remote.address}:${exchange.remote.port}`)
    const [, bytes = '0'] = exchange.path.split('/')
    exchange.respond(200, [], Buffer.from(patternBytes(5, 0, Number(bytes))))
  }
}

function newWorld(link: LinkProfile, seed = 1): World {
  remotes.length = 0
  return new World({
    seed,
    handler: serveBytes,
    toServer: { ...link, rate: Number.POSITIVE_INFINITY },
    toClient: link,
  })
}

function serverConnection(world: World): QuicConnection {
  const [entry] = world.server.entries
  return entry!.supervisor.connection
}

/** Something happens at a time of the world. */
function at(world: World, time: number, happen: () => void): void {
  world.clock.setTimer(world.clock.now() + time, happen)
}

/** A client that says something now and then: of one that is silent, no server can know where it is. */
function keepTalking(world: World, session: ClientSession): void {
  const speak = (): void => {
    if (!session.isUsable) return
    session.connection.control.queuePing()
    at(world, 50, speak)
  }
  speak()
}

async function expectClean(world: World): Promise<void> {
  await world.pass(130_000)
  expect(leftovers(world)).toEqual([])
}

async function fetchBytes(world: World, bytes: number, limit = 60_000): Promise<void> {
  const session = world.open()
  await world.run(session.opened, 10_000)
  keepTalking(world, session)
  const body = session.request({ path: `/${bytes}` }).then((response) => response.bytes())
  const received = await world.run(body, limit)
  expect(Buffer.from(received).equals(Buffer.from(patternBytes(5, 0, bytes)))).toBe(true)
  session.close()
}

describe('NAT rebinding (RFC 9000 section 9.3)', () => {
  it.each([
    ['the port', CLIENT_ADDRESS.address],
    ['the address', '10.8.8.8'],
  ])('%s changes in the middle of a download of 5 MB', async (_what, address) => {
    const world = newWorld(LINK)
    at(world, 800, () => world.network.rebind(world.clientSocket, address, 51_000))
    let moved: QuicConnection | undefined
    at(world, 2_000, () => {
      moved = serverConnection(world)
      expect(moved.remote.port).toBe(51_000)
    })
    await fetchBytes(world, DOWNLOAD)
    expect(moved?.paths.counters.migrations).toBe(1)
    await expectClean(world)
  })

  it('every 500 ms, at 2 % loss', async () => {
    const world = newWorld(LOSSY)
    for (let i = 1; i <= 8; i++) {
      at(world, i * 500, () => world.network.rebind(world.clientSocket, CLIENT_ADDRESS.address, 51_000 + i))
    }
    await fetchBytes(world, DOWNLOAD)
    await expectClean(world)
  })

  it.each([1, 2, 3, 4, 5])('20 requests with loss, seed %i', async (seed) => {
    const world = newWorld({ ...LOSSY, loss: 0.1 }, seed)
    const session = world.open()
    await world.run(session.opened, 10_000)
    keepTalking(world, session)
    at(world, 40, () => world.network.rebind(world.clientSocket, '10.8.8.8', 51_000))
    at(world, 300, () => world.network.rebind(world.clientSocket, '10.8.8.9', 51_001))
    const all = Array.from({ length: 20 }, (_, i) =>
      session.request({ path: `/${20_000 + i}` }).then((response) => response.bytes()),
    )
    const bodies = await world.run(Promise.all(all), 60_000)
    expect(bodies.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, (_, i) => 20_000 + i))
    session.close()
    await expectClean(world)
  })

  it('for good, to nowhere: the server gives the connection up, and nothing is left of it', async () => {
    const world = newWorld(LINK)
    const session = world.open()
    await world.run(session.opened, 10_000)
    await world.pass(200)
    world.network.rebind(world.clientSocket, '10.8.8.8', 51_000)
    const answer = session.request({ path: '/100000' }).then((response) => response.bytes())
    answer.catch(() => {})
    await world.pass(20)
    world.network.setBlackhole('10.0.0.1:4433', '10.8.8.8:51000', true)
    world.network.setBlackhole('10.8.8.8:51000', '10.0.0.1:4433', true)
    await world.pass(60_000)
    expect(world.server.entries.size).toBe(0)
    session.close()
    await expectClean(world)
  })
})

describe('a handler sees only addresses that are proved (CVE-2026-40460)', () => {
  it('requests that come from a rewritten address are shown the old one', async () => {
    const world = newWorld(LINK)
    const session = world.open()
    await world.run(session.opened, 10_000)
    await world.pass(200)
    world.network.rebind(world.clientSocket, '203.0.113.5', 9)
    world.network.setBlackhole('10.0.0.1:4433', '203.0.113.5:9', true)
    const answer = session.request({ path: '/5' }).then((response) => response.bytes())
    await world.pass(100)
    world.network.rebind(world.clientSocket, CLIENT_ADDRESS.address, CLIENT_ADDRESS.port)
    expect(await world.run(answer, 10_000)).toHaveLength(5)
    expect(remotes).toEqual(['10.0.0.2:50000'])
    session.close()
    await expectClean(world)
  })
})

describe('addresses rewritten on the way (RFC 9000 sections 9.3.1 and 9.3.2)', () => {
  it('flip to and fro during a download: it ends all the same', async () => {
    const world = newWorld(LINK)
    for (let i = 0; i < 40; i++) {
      const [address, port] = i % 2 === 0 ? ['203.0.113.5', 9] : [CLIENT_ADDRESS.address, CLIENT_ADDRESS.port]
      at(world, 200 + 20 * i, () =>
        world.network.rebind(world.clientSocket, address as string, port as number),
      )
    }
    await fetchBytes(world, DOWNLOAD)
    await expectClean(world)
  })

  it('another port every 5 ms: few paths, no amplification, and the download ends', async () => {
    const world = newWorld(LINK)
    let most = 0
    for (let i = 0; i < 300; i++) {
      at(world, 300 + 5 * i, () => {
        world.network.rebind(world.clientSocket, CLIENT_ADDRESS.address, 20_000 + i)
        const [entry] = world.server.entries
        if (entry !== undefined) most = Math.max(most, entry.supervisor.connection.paths.list.length)
      })
    }
    await fetchBytes(world, DOWNLOAD)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(MAX_PATHS)
    await expectClean(world)
  })
})

describe('a session that moves (RFC 9000 section 9.2)', () => {
  it('three times during a download of 5 MB', async () => {
    const world = newWorld(LINK)
    let port = 60_000
    const bind = () => Promise.resolve(world.network.createSocket('10.0.0.3', port++))
    const session = world.open({ bind })
    await world.run(session.opened, 10_000)
    const body = session.request({ path: `/${DOWNLOAD}` }).then((response) => response.bytes())
    const connection = serverConnection(world)
    for (let i = 0; i < 3; i++) {
      await world.pass(400)
      await world.run(session.migrate(), 5_000)
      expect(session.connection.path.isValidated).toBe(true)
    }
    expect(await world.run(body, 60_000)).toHaveLength(DOWNLOAD)
    expect(connection.remote).toMatchObject({ address: '10.0.0.3', port: 60_002 })
    expect(connection.actor.phase).toBe(ConnectionPhase.confirmed)
    session.close()
    await expectClean(world)
  })

  it('to where nothing gets through: it stays, and the request does not notice', async () => {
    const world = newWorld(LINK)
    const bind = () => Promise.resolve(world.network.createSocket('10.0.0.3', 60_000))
    world.network.setBlackhole('10.0.0.3:60000', '10.0.0.1:4433', true)
    const session = world.open({ bind })
    await world.run(session.opened, 10_000)
    const body = session.request({ path: `/${DOWNLOAD}` }).then((response) => response.bytes())
    await world.pass(300)
    await expect(world.run(session.migrate(), 20_000)).rejects.toThrow('cannot be reached')
    expect(await world.run(body, 60_000)).toHaveLength(DOWNLOAD)
    session.close()
    await expectClean(world)
  })
})
