// Bugs that the simulator found, each reduced to the smallest world that shows it.
import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { sleep } from './order.ts'
import { patternBytes } from './pattern.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { World, type WorldOptions } from './world.ts'

function perfectWorld(
  handler: (clock: VirtualClock) => ExchangeHandler,
  options: Partial<WorldOptions> = {},
): World {
  return new World({ seed: 1, handler, toServer: PERFECT_LINK, toClient: PERFECT_LINK, ...options })
}

/** Ends a world and expects nothing to be left of it. */
async function expectClean(world: World): Promise<void> {
  await world.pass(130_000)
  expect(leftovers(world)).toEqual([])
}

describe('what the simulator found', () => {
  it('body bytes that nobody has read yet survive the next datagram in the same Buffer', async () => {
    // The rest of a datagram was kept with Buffer.slice(), a view of memory that the socket uses again.
    const body = patternBytes(3, 0, 3_000)
    const world = perfectWorld((clock) => async (exchange) => {
      await sleep(clock, 200)
      const chunks: Uint8Array[] = []
      for await (const chunk of exchange.body) chunks.push(chunk)
      exchange.respond(200, [], Buffer.concat(chunks))
    })
    const session = world.open()
    const answer = session.request({ body }).then((response) => response.bytes())
    expect(Buffer.from(await world.run(answer, 10_000)).equals(body)).toBe(true)
    session.close()
    await expectClean(world)
  })

  it('a handler that waits for the body gets its last bytes before its end, although both come at once', async () => {
    // Reading noticed the end and answered the waiting reader with it, so that the bytes just read were lost.
    const world = perfectWorld(() => async (exchange) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of exchange.body) chunks.push(chunk)
      exchange.respond(200, [], Buffer.concat(chunks))
    })
    const session = world.open()
    async function* late(): AsyncGenerator<string> {
      yield 'first '
      await sleep(world.clock, 100)
      yield 'last'
    }
    const answer = session.request({ body: late() }).then((response) => response.text())
    expect(await world.run(answer, 10_000)).toBe('first last')
    session.close()
    await expectClean(world)
  })

  it('the connection ID of a first flight is forgotten with its connection', async () => {
    // The table's key was computed from a view of the first datagram, which had changed by then.
    const world = perfectWorld(() => (exchange) => exchange.respond(200))
    for (let round = 0; round < 3; round++) {
      const session = world.open()
      await world.run(session.opened, 10_000)
      session.close()
    }
    await expectClean(world)
    expect(world.server.ids.size).toBe(0)
  })

  it('a stream may have more in flight than its send buffer lets wait', async () => {
    // The writer was paused by unacknowledged bytes: no stream got more than 256 KiB per round trip.
    const delay = 250
    const link = { ...PERFECT_LINK, delay }
    const bytes = 8_000_000
    const window = 50_000_000
    const world = perfectWorld(
      () => async (exchange) => {
        exchange.begin(200)
        for (let sent = 0; sent < bytes; sent += 50_000) await exchange.write(patternBytes(0, sent, 50_000))
        exchange.end()
      },
      {
        toServer: link,
        toClient: link,
        transport: { initialMaxData: window, initialMaxStreamDataBidiLocal: window },
      },
    )
    const session = world.open()
    const before = world.clock.now()
    const download = session.request().then((response) => response.bytes())
    expect(await world.run(download, 60_000)).toHaveLength(bytes)
    const roundTrips = (world.clock.now() - before) / (2 * delay)
    // Slow start alone takes 10; 256 KiB per round trip would take 31.
    expect(roundTrips).toBeLessThan(20)
    session.close()
    await expectClean(world)
  })
})
