// Responses that compete for a slow link: in what order their bytes arrive (RFC 9218 section 10).
import { describe, expect, it } from 'vitest'
import type { SentRequest } from '../../src/client/client-exchange.ts'
import type { ClientSession } from '../../src/client/session.ts'
import type { Exchange, ExchangeHandler } from '../../src/handlers/exchange.ts'
import type { Priority } from '../../src/http3/index.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { World } from './world.ts'

/** 10 Mbit/s, a round trip of 20 ms. */
const link = { ...PERFECT_LINK, rate: 1_250, delay: 10, queue: 40_000 }

const BULK = 1_000_000

async function send(exchange: Exchange, bytes: number, fields: readonly string[] = []): Promise<void> {
  exchange.begin(200, fields)
  for (let sent = 0; sent < bytes; sent += 20_000) {
    const room = exchange.write(new Uint8Array(Math.min(20_000, bytes - sent)))
    if (room !== undefined) await room
  }
  exchange.end()
}

const sendAsked: ExchangeHandler = (exchange) => send(exchange, Number(exchange.path.slice(1)))

async function connected(
  handler: ExchangeHandler = sendAsked,
): Promise<{ world: World; session: ClientSession }> {
  const world = new World({ seed: 1, handler: () => handler, toServer: link, toClient: link })
  const session = world.open()
  await world.run(session.opened, 5_000)
  return { world, session }
}

/** One response that is read as it arrives. */
class Download {
  readonly done: Promise<void>
  sent: SentRequest | undefined
  received = 0
  endedAt = Number.NaN

  constructor(
    world: World,
    session: ClientSession,
    bytes: number,
    priority?: Partial<Priority>,
    path = `/${bytes}`,
  ) {
    this.done = this.#read(world, session, path, priority)
  }

  async #read(
    world: World,
    session: ClientSession,
    path: string,
    priority?: Partial<Priority>,
  ): Promise<void> {
    const onSent = (sent: SentRequest): void => {
      this.sent = sent
    }
    for await (const chunk of await session.request({ path, priority, onSent })) this.received += chunk.length
    this.endedAt = world.clock.now()
  }
}

const all = (downloads: readonly Download[]): Promise<unknown> =>
  Promise.all(downloads.map(({ done }) => done))

describe('responses on a slow link (RFC 9218 section 10)', () => {
  it('an urgent response overtakes bulk that began long before', async () => {
    const { world, session } = await connected()
    const bulk = new Download(world, session, BULK, { urgency: 7 })
    await world.pass(300)
    const before = world.clock.now()
    const urgent = new Download(world, session, 100_000, { urgency: 0 })
    await world.run(urgent.done, 5_000)
    // 80 ms on the wire, a round trip, the queue of the bottleneck, and every 32nd turn for the bulk.
    expect(urgent.endedAt - before).toBeLessThan(200)
    expect(bulk.received).toBeLessThan(BULK * 0.7)
    await world.run(bulk.done, 10_000)
  })

  it('not incremental: one after the other, in the order of the requests', async () => {
    const { world, session } = await connected()
    const downloads = [1, 2, 3].map(() => new Download(world, session, 300_000, { incremental: false }))
    await world.run(downloads[0].done, 10_000)
    // Each 32nd turn belongs to whoever has waited longest.
    for (const later of downloads.slice(1)) expect(later.received).toBeLessThan(40_000)
    await world.run(all(downloads), 10_000)
    const ends = downloads.map(({ endedAt }) => endedAt)
    expect(ends).toEqual(ends.toSorted((a, b) => a - b))
    expect(ends[2] - ends[0]).toBeGreaterThan(300)
  })

  it('incremental: all of the same urgency share', async () => {
    const { world, session } = await connected()
    const downloads = [1, 2, 3].map(() => new Download(world, session, 300_000, { incremental: true }))
    await world.pass(400)
    const shares = downloads.map(({ received }) => received)
    expect(Math.min(...shares)).toBeGreaterThan(60_000)
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(40_000)
    await world.run(all(downloads), 10_000)
  })

  it('a client that says nothing gets a bit of everything', async () => {
    const { world, session } = await connected()
    const downloads = [1, 2, 3].map(() => new Download(world, session, 300_000))
    await world.pass(400)
    for (const { received } of downloads) expect(received).toBeGreaterThan(60_000)
    await world.run(all(downloads), 10_000)
  })

  it('an update on the way reorders them', async () => {
    const { world, session } = await connected()
    const first = new Download(world, session, BULK, { urgency: 2 })
    const second = new Download(world, session, BULK, { urgency: 5 })
    await world.pass(200)
    const behind = second.received
    expect(behind).toBeLessThan(30_000)
    second.sent!.setPriority({ urgency: 0 })
    await world.run(second.done, 10_000)
    expect(first.received).toBeLessThan(BULK * 0.6)
    expect(second.endedAt).toBeLessThan(first.endedAt || Number.POSITIVE_INFINITY)
    await world.run(first.done, 10_000)
  })

  it("the server's word counts: a response field, and the handler", async () => {
    const { world, session } = await connected((exchange) => {
      if (exchange.path === '/field') return send(exchange, 100_000, ['priority', 'u=0'])
      if (exchange.path === '/handler') exchange.priority = { urgency: 0, incremental: true }
      return send(exchange, exchange.path === '/handler' ? 100_000 : BULK)
    })
    const bulk = new Download(world, session, BULK, { urgency: 1 })
    await world.pass(200)
    const small = ['/field', '/handler'].map((path) => new Download(world, session, 0, { urgency: 6 }, path))
    await world.run(all(small), 2_000)
    expect(bulk.received).toBeLessThan(BULK * 0.7)
    await world.run(bulk.done, 10_000)
  })

  it('a handler hears of the update; what it throws then is a crash of its own stream', async () => {
    const heard: Priority[] = []
    const faulty: ExchangeHandler = (exchange) => {
      exchange.onPriorityChange = () => {
        heard.push(exchange.priority)
        if (exchange.path === '/2') throw new Error('planned')
      }
      return send(exchange, BULK)
    }
    const { world, session } = await connected(faulty)
    const downloads = ['/1', '/2'].map((path) => new Download(world, session, BULK, undefined, path))
    downloads[1].done.catch(() => {})
    await world.pass(100)
    for (const { sent } of downloads) sent!.setPriority({ urgency: 4 })
    await world.run(downloads[0].done, 10_000)
    expect(heard).toEqual([
      { urgency: 4, incremental: false },
      { urgency: 4, incremental: false },
    ])
    await expect(downloads[1].done).rejects.toMatchObject({ kind: 'reset' })
    expect(world.server.counters.crashed).toBe(1)
  })
})
