// Rows of the catalogue of leaks that a real client provokes: through fetch-like requests of our own client instead of
// scripted frames.
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { fetchHandler } from '../../src/handlers/fetch-handler.ts'
import { leftovers } from '../sim/leftovers.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { World, type WorldOptions } from '../sim/world.ts'
import { LeakWorld, leakRow, RUNS } from './leak-row.ts'
import { registriesOf } from './registries.ts'

function worldWith(
  handler: (exchange: Exchange) => void | Promise<void>,
  options: Partial<WorldOptions> = {},
): World {
  const link = { ...PERFECT_LINK, delay: 5 }
  return new World({ seed: 1, handler: () => handler, toServer: link, toClient: link, ...options })
}

describe('leak catalogue row 8: open cancelled before there is a stream ID (seen in quinn a0d4b36a)', () => {
  it('1000 requests aborted while they wait for stream credit', async () => {
    let release: (() => void) | undefined
    const world = worldWith(
      (exchange) =>
        new Promise((resolve) => {
          release = () => {
            exchange.respond(200)
            resolve()
          }
        }),
      { transport: { initialMaxStreamsBidi: 1 } },
    )
    const session = world.open()
    await world.run(session.opened, 5_000)
    const holder = session.request()
    await world.pass(100)
    const before = registriesOf(world.client)
    for (let first = 0; first < RUNS; first += 50) {
      const aborting = Array.from({ length: 50 }, async () => {
        const controller = new AbortController()
        const request = session.request({ signal: controller.signal })
        await Promise.resolve()
        controller.abort(new Error('planned'))
        await expect(request).rejects.toThrow('planned')
      })
      await world.run(Promise.all(aborting), 1_000)
    }
    expect(session.waitingRequests).toBe(0)
    await world.pass(100)
    expect(registriesOf(world.client)).toEqual(before)
    release!()
    expect((await world.run(holder, 1_000)).status).toBe(200)
    expect(world.server.counters.handlersStarted).toBe(1)
    session.close()
    await world.pass(40_000)
    expect(leftovers(world)).toEqual([])
  })
})

const dropped: unknown[] = []

leakRow({
  row: 10,
  title:
    'stream handed over to the application, which drops it without closing (with fetch bodies; sessions come later)',
  seenIn: 'quic-go #5402',
  handler: () =>
    fetchHandler((request) => {
      // Taken, read once at most, and never looked at again.
      const reader = request.body?.getReader()
      if (dropped.length++ % 2 === 0) reader?.read().catch(() => {})
      dropped.length %= 2
      return new Response('x')
    }),
  scenario: async (peer) => {
    const request = peer.begin('POST').sendData(2_000)
    await peer.sleep(20)
    await request.end().closed
  },
})

leakRow({
  row: 13,
  title: '100,000 POSTs on one connection',
  seenIn: 'haproxy 2bed1f166',
  handler: () => (exchange) => exchange.respond(200, [], 'x'),
  runs: 20_000,
  streamsPerRun: 5,
  pause: 5,
  transport: { initialMaxStreamsBidi: 1_000 },
  scenario: (peer) => Promise.all([1, 2, 3, 4, 5].map(() => peer.begin('POST').sendData(10).end().closed)),
})

describe('a client with an impatient user', () => {
  it('leaves nothing: 1000 requests aborted at any time (catalogue rows 3, 5 and 6 through the client)', async () => {
    const world = worldWith(async (exchange) => {
      for await (const _chunk of exchange.body);
      exchange.begin(200)
      for (let piece = 0; piece < 4; piece++) await exchange.write(new Uint8Array(8_000))
      exchange.end()
    })
    const session = world.open()
    await world.run(session.opened, 5_000)
    await world.pass(200)
    const before = registriesOf(world.server)
    let aborted = 0
    for (let first = 0; first < RUNS; first += 50) {
      const requests = Array.from({ length: 50 }, async (_, index) => {
        const controller = new AbortController()
        world.clock.setTimer(world.clock.now() + index, () => controller.abort(new Error('planned')))
        const response = await session.request({ body: new Uint8Array(5_000), signal: controller.signal })
        await response.bytes()
      })
      const outcomes = await world.run(Promise.allSettled(requests), 10_000)
      aborted += outcomes.filter((outcome) => outcome.status === 'rejected').length
      await world.pass(300)
    }
    expect(aborted).toBeGreaterThan(RUNS / 10)
    await world.pass(2_000)
    expect(registriesOf(world.server)).toEqual(before)
    session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })
})

describe('the harness', () => {
  it('sees a stream that is left behind', async () => {
    const world = await new LeakWorld({
      row: 0,
      title: '',
      seenIn: '',
      handler: () => () => new Promise(() => {}),
      scenario: () => Promise.resolve(),
    }).opened()
    const before = world.registries()
    world.peer.begin('POST').sendData(3_000)
    await world.pass(100)
    const after = world.registries()
    expect(after).not.toEqual(before)
    // One piece is with HTTP/3 already, the rest waits in the transport.
    expect(after.server['flow-control debt']).toBeGreaterThan(500)
    expect(after.server).toMatchObject({
      'stream table': before.server['stream table']! + 1,
      'handler registry': 1,
      'request credit not returned': 1,
    })
    expect(() => world.expectEmpty()).toThrow()
  })
})
