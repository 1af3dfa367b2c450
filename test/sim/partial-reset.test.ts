// Requests and responses that are reset and whose beginning is delivered all the same, over links that lose, with the
// invariants of both endpoints checked after every step (draft-ietf-quic-reliable-stream-reset section 5).
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { World } from './world.ts'

const CANCELLED = 0x10c
const BODY = 120_000
/** Of the stream: the request's head is a part of it. */
const RELIABLE = 60_000
const LOSSES = [0, 0.05, 0.15]

interface Seen {
  bytes: number
  isCancelled: boolean
}

function worldOf(loss: number, handler: (exchange: Exchange) => Promise<void>): World {
  const link = { ...PERFECT_LINK, delay: 10, loss }
  return new World({ seed: 11, handler: () => handler, toServer: link, toClient: link })
}

describe.each(LOSSES)('at %d loss', (loss) => {
  it('a request body that is reset reaches the handler up to its reliable size, then the handler is told', async () => {
    const seen: Seen = { bytes: 0, isCancelled: false }
    const over = Promise.withResolvers<void>()
    const world = worldOf(loss, async (exchange) => {
      try {
        for await (const chunk of exchange.body) seen.bytes += chunk.length
      } catch {
        seen.isCancelled = true
      }
      over.resolve()
    })
    const session = world.open()
    await world.run(session.opened, 30_000)
    const response = session.request({ method: 'POST', path: '/', body: new Uint8Array(BODY) })
    response.catch(() => {})
    await world.pass(1)
    const stream = session.connection.streams.get(0)!
    stream.reset(CANCELLED, RELIABLE)
    await world.run(over.promise, 60_000)
    expect(seen.isCancelled).toBe(true)
    expect(seen.bytes).toBeGreaterThan(RELIABLE - 200)
    expect(seen.bytes).toBeLessThan(BODY)
    session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })

  it('a response that is reset reaches the client up to its reliable size, then the client is told', async () => {
    const told = Promise.withResolvers<void>()
    const world = worldOf(loss, async (exchange) => {
      exchange.begin(200)
      exchange.write(new Uint8Array(BODY))
      const [entry] = world.server.entries
      entry!.supervisor.connection.streams.get(0)!.reset(CANCELLED, RELIABLE)
      // A plain reset would take the promise back.
      await told.promise
      exchange.reset()
    })
    const session = world.open()
    const response = await world.run(session.request({ path: '/' }), 60_000)
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of response) bytes += chunk.length
    })().then(
      () => 'complete',
      () => 'reset',
    )
    expect(await world.run(reading, 60_000)).toBe('reset')
    expect(bytes).toBeGreaterThan(RELIABLE - 200)
    told.resolve()
    session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })
})
