// Leaks that were found here, each reduced to one stream.
import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { type LeakRow, LeakWorld } from './leak-row.ts'

async function worldWith(handler: ExchangeHandler, row: Partial<LeakRow> = {}): Promise<LeakWorld> {
  const complete: LeakRow = {
    row: 0,
    title: '',
    seenIn: '',
    handler: () => handler,
    scenario: () => Promise.resolve(),
    ...row,
  }
  return new LeakWorld(complete).opened()
}

describe('leaks found by these tests', () => {
  it('a request with an unread body goes when STOP_SENDING has ended its handler', async () => {
    // The handler's end reset only responses that were not reset yet; the request waited for a reader for ever.
    const world = await worldWith(async (exchange) => {
      exchange.begin(200)
      for (;;) await exchange.write(new Uint8Array(20_000))
    })
    const before = world.registries()
    const request = world.peer.begin('POST', '/', false).sendData(100)
    await world.pass(50)
    request.stop().end()
    await world.pass(1_000)
    expect(world.registries()).toEqual(before)
  })

  it('a client’s budget for useless traffic comes back: 3000 requests reset by the server are no attack', async () => {
    // Only servers gave points back, so that a client closed its connection at the thousandth reset of its life.
    const world = await worldWith((exchange) => {
      if (exchange.path === '/crash') throw new Error('planned')
      exchange.respond(200, [], 'x')
    })
    const session = world.open()
    await world.run(session.opened, 5_000)
    for (let round = 0; round < 60; round++) {
      const crashes = Array.from({ length: 50 }, () => session.request({ path: '/crash' }).catch(() => {}))
      const answers = Array.from({ length: 25 }, async () => (await session.request()).text())
      await world.run(Promise.all([...crashes, ...answers]), 5_000)
    }
    for (let second = 0; second < 40; second++) {
      const crashes = Array.from({ length: 30 }, () => session.request({ path: '/crash' }).catch(() => {}))
      await world.run(Promise.all(crashes), 5_000)
      await world.pass(1_000)
    }
    expect(session.isUsable).toBe(true)
  })
})
