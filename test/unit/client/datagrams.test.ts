// HTTP datagrams of a client's request (RFC 9297), in the simulator.
import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { DATAGRAM_CHANNEL_LENGTH } from '../../../src/supervisor/limits.ts'
import { leftovers } from '../../sim/leftovers.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'

function build(handler: ExchangeHandler, maxDatagramFrameSize = 65_535): World {
  const links = { toServer: PERFECT_LINK, toClient: PERFECT_LINK }
  return new World({ seed: 1, handler: () => handler, ...links, transport: { maxDatagramFrameSize } })
}

const echo: ExchangeHandler = async (exchange) => {
  exchange.begin(200)
  let count = 0
  for await (const payload of exchange.datagrams!) {
    exchange.datagrams!.send(payload)
    if (++count === 3) break
  }
  exchange.end('done')
}

describe('ClientResponse.datagrams', () => {
  it('go both ways while the request lives, and end with it', async () => {
    const world = build(echo)
    const session = world.open()
    const response = await world.run(session.request(), 1_000)
    const datagrams = response.datagrams!
    expect(datagrams.maxPayload).toBeGreaterThan(1_000)
    expect(() => datagrams.send(new Uint8Array(datagrams.maxPayload + 1))).toThrow(RangeError)
    for (const byte of [1, 2, 3]) datagrams.send(Uint8Array.of(byte))
    const received: number[] = []
    const reading = (async () => {
      for await (const payload of datagrams) received.push(payload[0]!)
    })()
    expect(await world.run(response.text(), 5_000)).toBe('done')
    await world.run(reading, 5_000)
    expect(received).toEqual([1, 2, 3])
    datagrams.send(Uint8Array.of(4))
    expect(await datagrams.next()).toBeUndefined()
    session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })

  it('are bounded while nobody takes them: the oldest give way', async () => {
    const count = DATAGRAM_CHANNEL_LENGTH + 50
    const world = build(async (exchange) => {
      exchange.begin(200)
      for (let i = 0; i < count; i++) exchange.datagrams!.send(Uint8Array.of(i & 0xff))
      await new Promise<void>((resolve) => exchange.signal.addEventListener('abort', () => resolve()))
    })
    const session = world.open()
    const response = await world.run(session.request(), 1_000)
    await world.pass(2_000)
    const { datagrams } = response
    expect(datagrams!.dropped).toBeGreaterThan(0)
    let taken = 0
    response.discard()
    session.close()
    await world.pass(60_000)
    while ((await datagrams!.next()) !== undefined) taken++
    expect(taken).toBe(count - datagrams!.dropped)
    expect(leftovers(world)).toEqual([])
  })

  it('have no room where the server takes none', async () => {
    const world = build((exchange) => exchange.respond(200), 0)
    const session = world.open()
    const response = await world.run(session.request(), 1_000)
    expect(response.datagrams!.maxPayload).toBe(0)
    session.close()
    await world.pass(60_000)
  })
})
