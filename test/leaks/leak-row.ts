// Runs one row of the catalogue of leaks: a scenario 1,000 times on one connection that stays open, then with the
// connection closed in the middle of it, then with the client vanishing in the middle of it. After each, every
// registry of both endpoints is exactly where it was.
import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import type { SupervisionSettings } from '../../src/supervisor/supervision.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { type LinkProfile, PERFECT_LINK } from '../sim/link-profile.ts'
import type { VirtualClock } from '../sim/virtual-clock.ts'
import { World, type WorldOptions } from '../sim/world.ts'
import { nonZero, registriesOf } from './registries.ts'
import { ScriptedPeer } from './scripted-peer.ts'

export const RUNS = 1_000

/** Times that a scenario runs at once. */
const BATCH = 50

/** Longer than every acknowledgement, probe and sweep that may still be due, ms. */
const SETTLE = 1_500

const IDLE_TIMEOUT = 30_000

/**
 * When nothing can be left any more, ms: a handler's deadline of 20 s, whose reset restarts the idle timeout, and the
 * last sweep.
 */
function aftermath(row: LeakRow): number {
  return 2 * (row.transport?.maxIdleTimeout ?? IDLE_TIMEOUT) + 30_000
}

export interface LeakRow {
  /** Number in the catalogue of leaks. */
  readonly row: number
  readonly title: string
  /** Where it really happened. */
  readonly seenIn: string
  readonly handler: (clock: VirtualClock) => ExchangeHandler
  /** One run; resolves when the client has done its part. */
  readonly scenario: (peer: ScriptedPeer, run: number) => Promise<unknown>
  /** Faults of both directions. */
  readonly link?: Partial<LinkProfile>
  readonly transport?: Partial<TransportSettings>
  /** Of the client alone. */
  readonly clientTransport?: Partial<TransportSettings>
  readonly supervision?: Partial<SupervisionSettings>
  /** What the server speaks beside plain requests. */
  readonly http3?: WorldOptions['http3']
  /** Done once on each new connection, before anything is counted. */
  readonly prepare?: (peer: ScriptedPeer) => void
  readonly runs?: number
  /** Streams that one run opens. */
  readonly streamsPerRun?: number
  /** Time after each batch, ms; default 300. */
  readonly pause?: number
  /** Looks at the world before the first run; what it returns looks again after the last. */
  readonly inspect?: (world: LeakWorld) => () => void
}

export class LeakWorld extends World {
  readonly peer: ScriptedPeer
  readonly #prepare: LeakRow['prepare']

  constructor(row: LeakRow) {
    const link = { ...PERFECT_LINK, delay: 5, ...row.link }
    super({
      seed: row.row,
      handler: row.handler,
      toServer: link,
      toClient: link,
      transport: { maxIdleTimeout: IDLE_TIMEOUT, ...row.transport },
      supervision: { crashLimit: 1_000_000, ...row.supervision },
      ...(row.http3 && { http3: row.http3 }),
    })
    this.peer = new ScriptedPeer(this, row.clientTransport)
    this.#prepare = row.prepare
  }

  async opened(): Promise<this> {
    await this.pass(1_000)
    if (!this.peer.isOpen) throw new Error('no handshake')
    if (this.#prepare !== undefined) {
      this.#prepare(this.peer)
      await this.pass(1_000)
    }
    return this
  }

  batch(row: LeakRow, first: number, count: number): Promise<unknown> {
    return Promise.all(Array.from({ length: count }, (_, index) => row.scenario(this.peer, first + index)))
  }

  /** Every registry of both endpoints. */
  registries() {
    return { server: registriesOf(this.server), client: registriesOf(this.client) }
  }

  expectEmpty(): void {
    const { server, client } = this.registries()
    expect({ server: nonZero(server), client: nonZero(client), timers: this.clock.armed }).toEqual({
      server: {},
      client: {},
      timers: 0,
    })
    expect(this.server.missed.list()).toEqual([])
  }

  vanish(): void {
    this.network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', true)
    this.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
  }
}

async function runOnOpenConnection(world: LeakWorld, row: LeakRow): Promise<void> {
  const { peer } = world
  const { runs = RUNS, streamsPerRun = 1, pause = 300 } = row
  const before = world.registries()
  const finish = row.inspect?.(world)
  const openedBefore = peer.connection.host.table.local[0].opened
  for (let first = 0; first < runs; first += BATCH) {
    await world.run(world.batch(row, first, Math.min(BATCH, runs - first)), 120_000)
    await world.pass(pause)
  }
  await world.pass(SETTLE)
  expect(peer.closing).toBeUndefined()
  expect(world.registries()).toEqual(before)
  finish?.()
  // Nothing is left that could make anybody speak.
  const { sent } = world.network.counters
  await world.pass(10_000)
  expect(world.network.counters.sent - sent).toBe(0)
  // RFC 9000 section 4.6: all stream credit has come back, and the client knows of it up to one batched update.
  const { local } = peer.connection.host.table
  expect(local[0].opened - openedBefore).toBe(runs * streamsPerRun)
  const window = world.server.entries.values().next().value!.supervisor.connection.host.table.peer[0].window
  expect(peer.credit).toBeGreaterThan(window * 0.7)
}

/** Defines the tests of one row. */
export function leakRow(row: LeakRow): void {
  const { runs = RUNS } = row
  describe(`leak catalogue row ${row.row}: ${row.title} (seen in ${row.seenIn})`, () => {
    it(`${runs} times on one connection that stays open, then closed in the middle of more`, async () => {
      const world = await new LeakWorld(row).opened()
      await runOnOpenConnection(world, row)
      world.batch(row, runs, BATCH).catch(() => {})
      await world.pass(7)
      world.peer.connection.close(0x100, '', { application: true })
      await world.pass(aftermath(row))
      world.expectEmpty()
    })

    it('and the client vanishes in the middle of it', async () => {
      const world = await new LeakWorld(row).opened()
      world.batch(row, 0, BATCH).catch(() => {})
      await world.pass(7)
      world.vanish()
      await world.pass(aftermath(row))
      world.expectEmpty()
    })
  })
}
