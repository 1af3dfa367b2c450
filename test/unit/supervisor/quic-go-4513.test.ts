// The bug that this project exists for, put back on purpose (quic-go #4513: the connection's switch had no case for
// "the second half has closed", so the stream and its datagram channel stayed for ever), and what is seen of it.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ClientSession } from '../../../src/client/session.ts'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { bidiStream, deadlinesOf, Outcome, StreamEvent } from '../../../src/machines/index.ts'
import { statusOf } from '../../../src/supervisor/status.ts'
import { describeStuck, type StuckReport } from '../../../src/supervisor/stuck-report.ts'
import type { SupervisionSettings } from '../../../src/supervisor/supervision.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'
import { takeMissed } from '../../supervision-faults.ts'
import { type Mutation, withoutSecondClosing } from './quic-go-4513-machine.ts'

const STUCK_STATE = 'send.dataSent|receive.dataRead'
const DEADLINE = deadlinesOf(bidiStream)[bidiStream.name.indexOf(STUCK_STATE)]!.ms

/** Three streams each way carry control and QPACK; they live as long as the connection. */
const UNIDIRECTIONAL = 6

/** Opens its datagram channel, as every request of quic-go did, and answers. */
const answer: ExchangeHandler = (exchange) => {
  expect(exchange.datagrams).toBeDefined()
  exchange.respond(200, [], 'whole')
}

interface Seen extends StuckReport {
  readonly at: number
}

class BuggyWorld extends World {
  readonly seen: Seen[] = []

  constructor(mutation: Mutation | undefined, supervision: Partial<SupervisionSettings> = {}) {
    const tables = mutation && new Map([[bidiStream, withoutSecondClosing(mutation)]])
    super({
      seed: 4513,
      handler: () => answer,
      toServer: PERFECT_LINK,
      toClient: PERFECT_LINK,
      // The connection stays open although nothing happens on it.
      transport: { maxDatagramFrameSize: 65_535, maxIdleTimeout: 600_000 },
      serverSupervision: { tables, ...supervision },
    })
    this.server.stuck.subscribe((report) => this.seen.push({ ...report, at: this.clock.now() }))
  }

  async connected(): Promise<ClientSession> {
    const session = this.open()
    await this.run(session.opened, 5_000)
    return session
  }

  async get(session: ClientSession): Promise<void> {
    const response = await this.run(session.request({ path: '/' }), 5_000)
    expect(await this.run(response.text(), 5_000)).toBe('whole')
    await this.pass(200)
  }

  status() {
    return statusOf(this.server, { rss: () => 0, eventLoopLagP99Ms: () => 0 })
  }
}

test('without the bug the stream and its datagram channel are gone when the response is acknowledged', async () => {
  const world = new BuggyWorld(undefined)
  const session = await world.connected()
  await world.get(session)
  expect(world.status()).toMatchObject({
    streams: { live: UNIDIRECTIONAL, stuck: 0 },
    datagramChannels: { live: 0 },
  })
  await world.pass(2 * DEADLINE)
  expect(world.seen).toEqual([])
})

test('with the bug the response is perfect, and the stream is stuck with its reason within deadline + 1 s', async () => {
  const world = new BuggyWorld('ignore')
  const session = await world.connected()
  await world.get(session)
  const begin = world.clock.now() - 200
  // No peer and no handler has noticed anything; what stays is in the registries, and so in /status.
  expect(world.status()).toMatchObject({
    streams: { live: UNIDIRECTIONAL + 1, stuck: 0 },
    actors: { live: UNIDIRECTIONAL + 1, missedTransitions: 0 },
    handlers: { live: 0 },
    datagramChannels: { live: 1 },
  })
  await world.pass(DEADLINE - 2_000)
  expect(world.seen).toEqual([])
  await world.pass(3_000)
  expect(world.seen).toHaveLength(1)
  const [report] = world.seen
  expect(report).toMatchObject({
    kind: 'stream',
    stream: 0,
    machine: 'bidiStream',
    state: STUCK_STATE,
    deadline: DEADLINE,
    waitingFor: 'nothing',
    reason: 'every byte and the FIN are acknowledged, but the machine did not move',
  })
  expect(report.connection).toMatch(/^[0-9a-f]{16}$/)
  expect(report.at).toBeGreaterThan(begin + DEADLINE - 100)
  expect(report.at).toBeLessThanOrEqual(begin + DEADLINE + 1_000)
  expect(report.timeInState).toBeGreaterThan(DEADLINE)
  expect(report.timeInState).toBeLessThanOrEqual(DEADLINE + 1_000)
  expect(world.status()).toMatchObject({ streams: { stuck: 1 }, datagramChannels: { live: 1 } })
  // docs/supervision.md shows the line as it is printed, with another connection.
  const page = readFileSync(new URL('../../../docs/supervision.md', import.meta.url), 'utf8')
  expect(page).toContain(describeStuck({ ...report, connection: '8394c8f03e515708' }))
})

test('every request leaks one, each is reported once, and the end of the connection takes them all', async () => {
  const world = new BuggyWorld('ignore')
  const session = await world.connected()
  for (let request = 0; request < 50; request++) await world.get(session)
  await world.pass(DEADLINE + 1_000)
  expect(world.status()).toMatchObject({
    streams: { live: UNIDIRECTIONAL + 50, stuck: 50 },
    datagramChannels: { live: 50 },
  })
  await world.pass(10_000)
  expect(world.seen.map(({ stream }) => stream)).toEqual(Array.from({ length: 50 }, (_, index) => index * 4))
  expect(world.server.listStuck()).toHaveLength(50)
  expect(world.server.listStuck(20)).toHaveLength(20)
  expect(world.server.listStuck()[0].timeInState).toBeGreaterThan(DEADLINE + 10_000)
  session.close()
  await world.pass(5_000)
  expect(world.status()).toMatchObject({
    connections: { live: 0 },
    streams: { live: 0, stuck: 0 },
    datagramChannels: { live: 0 },
  })
  expect(world.server.listStuck()).toEqual([])
})

test('declared as impossible, the same hole is a missed transition at once, and stuck at its deadline', async () => {
  const world = new BuggyWorld('impossible')
  const session = await world.connected()
  await world.get(session)
  expect(world.status().actors.missedTransitions).toBe(1)
  const missed = { machine: 'bidiStream', actor: '0', state: STUCK_STATE, event: 'send.allAcked' }
  expect(world.server.missed.list()).toMatchObject([missed])
  expect(takeMissed()).toMatchObject([missed])
  await world.pass(DEADLINE + 1_000)
  expect(world.seen).toMatchObject([{ stream: 0, waitingFor: 'nothing' }])
})

test('the mutation takes away exactly those transitions by which a second half ends', () => {
  const mutated = withoutSecondClosing('ignore')
  let removed = 0
  for (const [state, name] of mutated.name.entries()) {
    const original = bidiStream.name.indexOf(name)
    for (const [event, type] of bidiStream.events.entries()) {
      const pair = original * bidiStream.width + event
      const isSecondEnd =
        bidiStream.outcome[pair] === Outcome.transition &&
        bidiStream.final[bidiStream.next[pair]] === 1 &&
        event !== StreamEvent.connectionClosed
      const outcome = mutated.outcome[state * mutated.width + event]
      expect(outcome, `${name} ${type}`).toBe(isSecondEnd ? Outcome.ignore : bidiStream.outcome[pair])
      if (isSecondEnd) removed++
    }
  }
  expect(removed).toBeGreaterThan(10)
})
