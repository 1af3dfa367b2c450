// Header compression on bad links: insertions come late, sections block their streams and go on, streams are reset while
// they wait. RFC 9204 sections 2.1.2 and 2.2; both sides are ours.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { QpackDecoder } from '../../src/http3/qpack/decoder.ts'
import { leftovers } from './leftovers.ts'
import { type LinkProfile, PERFECT_LINK, randomLink } from './link-profile.ts'
import { Random } from './random.ts'
import { World, type WorldOptions } from './world.ts'

/** Sends back the fields that came, and a few that repeat. */
function mirror(exchange: Exchange): void {
  const fields: string[] = ['server', 'mirror']
  const { headers } = exchange
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at].startsWith('x-')) fields.push(headers[at], headers[at + 1])
  }
  exchange.respond(200, fields, Buffer.from(exchange.path))
}

/** How often sections had to wait, on both sides together. */
function countWaits(): { waits: number } {
  const counted = { waits: 0 }
  const { wait } = QpackDecoder.prototype
  vi.spyOn(QpackDecoder.prototype, 'wait').mockImplementation(function (this: QpackDecoder, ...args) {
    counted.waits++
    return wait.apply(this, args)
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return counted
}

function worldOf(seed: number, link: LinkProfile, options: Partial<WorldOptions> = {}): World {
  return new World({ seed, handler: () => mirror, toServer: link, toClient: link, ...options })
}

/** One request with fields of its own; fails unless exactly these come back. */
async function ask(session: ClientSession, number: number, signal?: AbortSignal): Promise<void> {
  const headers = {
    'user-agent': `browser ${number % 3}`,
    'x-fixed': 'a value that every request repeats',
    'x-often': `value ${number % 7}`,
    'x-rarely': `value ${number}`,
  }
  const response = await session.request({ path: `/${number}`, headers, ...(signal && { signal }) })
  expect(await response.text()).toBe(`/${number}`)
  for (const name of ['x-fixed', 'x-often', 'x-rarely'] as const) {
    expect(response.headers.get(name)).toBe(headers[name])
  }
}

/** Starts requests 3 ms apart, so that each has a datagram of its own, and waits for all of them. */
async function inTurn(world: World, count: number, request: (at: number) => Promise<void>): Promise<void> {
  const requests: Promise<void>[] = []
  for (let at = 0; at < count; at++) {
    requests.push(request(at))
    await world.pass(3)
  }
  await world.run(Promise.all(requests), 300_000)
}

async function finish(world: World, session: ClientSession): Promise<void> {
  const { decoder, writer } = session.h3
  expect([decoder.blockedStreams, writer.encoder.riskyStreams]).toEqual([0, 0])
  session.close()
  await world.pass(130_000)
  expect(leftovers(world)).toEqual([])
}

describe('a dynamic table on a link that loses and reorders', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %d: every field arrives as it was sent', async (seed) => {
    const counted = countWaits()
    const link = { ...PERFECT_LINK, loss: 0.1, reorder: 0.3, reorderDelay: 60, jitter: 5 }
    const world = worldOf(seed, link)
    const session = world.open()
    await world.run(session.opened, 60_000)
    for (let round = 0; round < 10; round++) {
      await inTurn(world, 12, (at) => ask(session, 12 * round + at))
    }
    expect(counted.waits).toBeGreaterThan(0)
    const { table } = session.h3.writer.encoder
    expect(table.insertCount).toBeGreaterThan(10)
    expect(session.h3.decoder.table.insertCount).toBeGreaterThan(5)
    await finish(world, session)
  })

  it.each([11, 12, 13, 14])('seed %d: a table of 256 bytes, and few streams that may wait', async (seed) => {
    const qpack = { maxTableCapacity: 256, blockedStreams: 2 }
    const world = worldOf(seed, randomLink(new Random(seed), 0.1), { http3: () => ({ qpack }) })
    const session = world.open({ qpack })
    await world.run(session.opened, 120_000)
    for (let round = 0; round < 8; round++) {
      await inTurn(world, 10, (at) => ask(session, 10 * round + at))
    }
    expect(session.h3.writer.encoder.table.droppedCount).toBeGreaterThan(0)
    await finish(world, session)
  })

  it.each([21, 22, 23, 24])('seed %d: requests that are given up at any moment', async (seed) => {
    const counted = countWaits()
    const link = { ...PERFECT_LINK, loss: 0.1, reorder: 0.3, reorderDelay: 60 }
    const world = worldOf(seed, link)
    const random = new Random(seed)
    const session = world.open()
    await world.run(session.opened, 60_000)
    for (let round = 0; round < 12; round++) {
      await inTurn(world, 10, (at) => {
        const abort = new AbortController()
        if (random.chance(0.4)) {
          world.clock.setTimer(world.clock.now() + random.float() * 60, () =>
            abort.abort(new Error('given up')),
          )
        }
        return ask(session, 10 * round + at, abort.signal).catch((error: Error) => {
          if (error.message !== 'given up') throw error
        })
      })
    }
    await world.pass(5_000)
    expect(counted.waits).toBeGreaterThan(0)
    expect(session.h3.writer.encoder.outstandingSections).toBe(0)
    await finish(world, session)
  })

  it('no table in either direction works as well', async () => {
    const qpack = { maxTableCapacity: 0, blockedStreams: 0 }
    const world = worldOf(31, PERFECT_LINK, { http3: () => ({ qpack }) })
    const session = world.open({ qpack })
    await world.run(session.opened, 1_000)
    for (let number = 0; number < 20; number++) await world.run(ask(session, number), 1_000)
    expect(session.h3.writer.encoder.table.insertCount).toBe(0)
    expect(session.h3.decoder.table.insertCount).toBe(0)
    await finish(world, session)
  })
})
