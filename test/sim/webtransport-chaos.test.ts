// Sessions in which both sides do at random what they may: open streams, write, abandon, cancel, drain and close, on bad
// links. Whatever comes of it, no machine misses an event, no invariant breaks, and nothing is left.
import { describe, expect, it } from 'vitest'
import type { WebTransportServerSession } from '../../src/handlers/webtransport-session.ts'
import { WebTransportError } from '../../src/supervisor/webtransport/error.ts'
import type { SessionSurface } from '../../src/supervisor/webtransport/session-surface.ts'
import type {
  WebTransportReceiveStream,
  WebTransportSendStream,
} from '../../src/supervisor/webtransport/streams.ts'
import type { Random } from './random.ts'
import { WebTransportWorld } from './webtransport-world.ts'

const SEEDS = Array.from({ length: Number(process.env.SEEDS ?? 12) }, (_, index) => index + 1)

/** Everything that one side holds of one session. */
class Actor {
  readonly #session: SessionSurface
  readonly #random: Random
  readonly #sending: WebTransportSendStream[] = []
  readonly #receiving: WebTransportReceiveStream[] = []

  constructor(session: SessionSurface, random: Random) {
    this.#session = session
    this.#random = random
    this.#collect().catch(() => {})
    session.datagrams.readable.pipeTo(new WritableStream()).catch(() => {})
  }

  async #collect(): Promise<void> {
    const bidi = async (): Promise<void> => {
      for await (const { readable, writable } of this.#session.incomingBidirectionalStreams) {
        this.#receiving.push(readable)
        this.#sending.push(writable)
      }
    }
    const uni = async (): Promise<void> => {
      for await (const readable of this.#session.incomingUnidirectionalStreams) this.#receiving.push(readable)
    }
    await Promise.all([bidi(), uni()])
  }

  /** One random thing. What fails because the other side was quicker is nobody's fault. */
  act(): void {
    void this.#act().catch(() => {})
  }

  async #act(): Promise<void> {
    const random = this.#random
    const code = new WebTransportError('planned', { streamErrorCode: random.below(1_001) })
    switch (random.below(10)) {
      case 0:
      case 1: {
        const { readable, writable } = await this.#session.createBidirectionalStream()
        this.#receiving.push(readable)
        this.#sending.push(writable)
        return
      }
      case 2:
        this.#sending.push(await this.#session.createUnidirectionalStream({ sendOrder: random.below(10) }))
        return
      case 3:
      case 4:
        return this.#write(1 + random.below(40_000))
      case 5:
        return this.#pick(this.#sending)?.close()
      case 6:
        return this.#pick(this.#sending)?.abort(code)
      case 7:
        return this.#pick(this.#receiving)?.cancel(code)
      case 8:
        return this.#pick(this.#receiving)?.pipeTo(new WritableStream())
      default:
        await this.#session.datagrams
          .createWritable()
          .getWriter()
          .write(new Uint8Array(random.below(1_001)))
    }
  }

  async #write(bytes: number): Promise<void> {
    const stream = this.#sending[this.#random.below(this.#sending.length + 1)]
    if (stream === undefined || stream.locked) return
    const writer = stream.getWriter()
    try {
      await writer.write(new Uint8Array(bytes))
    } finally {
      writer.releaseLock()
    }
  }

  /** Takes one that nobody uses out of the list. */
  #pick<T extends { locked: boolean }>(list: T[]): T | undefined {
    if (list.length === 0) return undefined
    const index = this.#random.below(list.length)
    const stream = list[index]!
    if (stream.locked) return undefined
    list.splice(index, 1)
    return stream
  }
}

describe('random sessions', () => {
  it.each(SEEDS)('seed %s', async (seed) => {
    const servers: WebTransportServerSession[] = []
    const world = new WebTransportWorld({
      seed,
      link: {
        loss: 0.04,
        lossBurst: 3,
        delay: 10,
        jitter: 5,
        reorder: 0.05,
        reorderDelay: 15,
        duplicate: 0.03,
      },
      transport: seed % 3 === 0 ? { resetStreamAt: false } : {},
      webtransport: (session) => {
        session.accept()
        servers.push(session)
      },
    })
    const random = world.random.fork('chaos')
    const connection = await world.connected()
    const clients = Array.from({ length: 1 + (seed % 4) }, () => connection.webtransport('/'))
    await world.within(Promise.all(clients.map(({ ready }) => ready)))
    const sessions = [...clients, ...servers]
    const actors = sessions.map((session, index) => new Actor(session, random.fork(`actor ${index}`)))
    for (let step = 0; step < 120; step++) {
      for (const actor of actors) if (random.chance(0.5)) actor.act()
      if (random.chance(0.01)) sessions[random.below(sessions.length)]!.drain()
      if (step > 40 && random.chance(0.006))
        sessions[random.below(sessions.length)]!.close({ closeCode: step })
      await world.pass(1 + random.below(30))
    }
    if (seed % 2 === 0) {
      for (const client of clients) client.close({ closeCode: 1, reason: 'over' })
      await world.within(Promise.all(clients.map(({ closed }) => closed)))
      await world.expectNoSessions()
    }
    await world.expectNothingLeft()
    expect(world.server.counters.streamsOpened).toBeGreaterThan(10)
    expect(world.faults).toEqual([])
  })
})
