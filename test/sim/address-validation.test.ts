// Retry, tokens and key updates between whole endpoints on links that lose, double, reorder and corrupt
// (RFC 9000 section 8.1, RFC 9001 section 6).
import { describe, expect, it } from 'vitest'
import { MemorySessionStore } from '../../src/client/session-store.ts'
import { TokenStore } from '../../src/client/token-store.ts'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK, randomLink } from './link-profile.ts'
import { patternBytes } from './pattern.ts'
import { Random } from './random.ts'
import { World, type WorldOptions } from './world.ts'

const ORIGIN = 'https://sim'

function answer(exchange: Exchange): void {
  const size = Number(exchange.path.slice(1))
  exchange.respond(200, ['early', String(exchange.earlyData)], patternBytes(size, 0, size))
}

function worldWith(options: Partial<WorldOptions>): World {
  return new World({
    seed: 1,
    handler: () => answer,
    toServer: PERFECT_LINK,
    toClient: PERFECT_LINK,
    ...options,
  })
}

async function get(
  world: World,
  session: ReturnType<World['open']>,
  size: number,
): Promise<string | undefined> {
  const fetch = async (): Promise<string | undefined> => {
    const response = await session.request({ path: `/${size}` })
    expect(Buffer.from(await response.bytes()).equals(patternBytes(size, 0, size))).toBe(true)
    return response.headers.get('early') ?? undefined
  }
  return world.run(fetch(), 120_000)
}

describe('a server that always sends a Retry', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'is reached over a bad link (seed %i)',
    async (seed) => {
      const random = new Random(seed + 500)
      const world = worldWith({
        seed,
        retry: 'always',
        toServer: randomLink(random, 0.15),
        toClient: randomLink(random, 0.15),
      })
      const tokens = new TokenStore()
      for (let visit = 0; visit < 2; visit++) {
        const session = world.open({ tokens })
        await get(world, session, 20_000)
        session.close()
        await world.pass(500)
      }
      const { counters } = world.server
      expect(counters.connectionsOpened).toBe(counters.tokensAccepted)
      expect(counters.internalErrors).toBe(0)
      await world.pass(130_000)
      expect(leftovers(world)).toEqual([])
    },
  )

  it('also takes early data, after the Retry, without waiting for a timer', async () => {
    const world = worldWith({ retry: 'always', resumption: { earlyData: true } })
    const store = new MemorySessionStore()
    const first = world.open({ resumption: { store, origin: ORIGIN } })
    await world.run(first.resumable, 10_000)
    first.close()
    await world.pass(1_000)
    const session = world.open({
      resumption: { store, origin: ORIGIN, session: store.take(ORIGIN), earlyData: true },
    })
    const began = world.clock.now()
    expect(await get(world, session, 100)).toBe('true')
    // Three round trips of the link, not a probe timeout of a second.
    expect(world.clock.now() - began).toBeLessThan(400)
    expect(session.earlyData).toBe('accepted')
    expect(world.server.counters.tokensAccepted).toBe(2)
  })
})

it.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'keys that change every 50 packets lose nothing on a bad link (seed %i)',
  async (seed) => {
    const random = new Random(seed + 900)
    const world = worldWith({
      seed,
      transport: { packetsPerKey: 50 },
      toServer: randomLink(random, 0.1),
      toClient: randomLink(random, 0.1),
    })
    const session = world.open()
    for (let i = 0; i < 3; i++) await get(world, session, 300_000)
    const { updates } = session.connection.applicationKeys!
    expect(updates).toBeGreaterThan(2)
    expect(session.connection.stats.internalErrors).toBe(0)
    session.close()
    await world.pass(130_000)
    expect(leftovers(world)).toEqual([])
  },
)
