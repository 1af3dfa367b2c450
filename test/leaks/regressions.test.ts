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
})
