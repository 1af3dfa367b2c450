// Several clients on one server at the same time, some of them badly behaved: the others must not notice, and the
// server must be at zero when all of them are gone.
import { describe, expect, it } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import { ClientSide } from './client-side.ts'
import { hostileFrames } from './hostile-frames.ts'
import { leftovers } from './leftovers.ts'
import { randomLink } from './link-profile.ts'
import { addressKey } from './network.ts'
import { sleep } from './order.ts'
import { Random } from './random.ts'
import { rogueBackends } from './rogue.ts'
import { ServerSide } from './server-side.ts'
import { planRequests } from './workload.ts'
import { backends, SERVER_ADDRESS, World } from './world.ts'

const SEEDS = Number(process.env.SEEDS ?? 25)
const IDLE_TIMEOUT = 60_000
const GOOD_CLIENTS = 3
const REQUESTS = 12

/** What a badly behaved client does with its session; never rejects. */
type Misbehaviour = (world: World, session: ClientSession, random: Random) => Promise<void>

const path = (bytes: number): string => `/exchange/get?key=1&bytes=${bytes}&piece=5000&pause=0&index=0`

/** Asks for a lot and never reads a byte of it. */
const neverReads: Misbehaviour = async (world, session) => {
  const requests = Array.from({ length: 5 }, () => session.request({ path: path(1_000_000) }))
  await Promise.allSettled(requests)
  await sleep(world.clock, 5_000)
}

/** Resets every stream as soon as it has one. */
const resetsAll: Misbehaviour = async (world, session, random) => {
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController()
    const request = session.request({ path: path(50_000), signal: controller.signal })
    await sleep(world.clock, random.between(0, 100))
    controller.abort()
    await request.catch(() => {})
  }
}

/** Is gone in the middle of its requests, without a word. */
const vanishes: Misbehaviour = async (world, session, random) => {
  const requests = Array.from({ length: 10 }, () => session.request({ path: path(100_000) }))
  await sleep(world.clock, random.between(0, 500))
  const client = world.clients.find((endpoint) =>
    [...endpoint.entries].some(({ supervisor }) => supervisor.connection === session.connection),
  )
  const socket = client?.options.sockets[0]
  if (socket !== undefined) {
    const address = addressKey({ address: socket.localAddress, port: socket.localPort, family: 4 })
    world.network.setBlackhole(address, addressKey(SERVER_ADDRESS), true)
    world.network.setBlackhole(addressKey(SERVER_ADDRESS), address, true)
  }
  await Promise.allSettled(requests)
}

/** Uses its session normally; its packets are what is wrong with it. */
const justAsks: Misbehaviour = async (_world, session) => {
  const requests = Array.from({ length: 10 }, async () =>
    (await session.request({ path: path(20_000) })).bytes(),
  )
  await Promise.race([session.closed, Promise.allSettled(requests)])
}

async function runCrowd(seed: number): Promise<string[]> {
  const random = new Random(seed).fork('crowd')
  const world = new World({
    seed,
    handler: (clock) => new ServerSide(clock).handle,
    toServer: randomLink(random, 0.05),
    toClient: randomLink(random, 0.05),
    transport: { maxIdleTimeout: IDLE_TIMEOUT },
    supervision: { crashLimit: 1_000, handlerDeadline: IDLE_TIMEOUT * 2 },
  })
  const isDue = (): boolean => random.chance(0.2)
  const rogue = rogueBackends(backends, isDue, hostileFrames(random, true))
  const bad = [neverReads, resetsAll, vanishes].map((misbehave) => ({ misbehave, client: world.addClient() }))
  bad.push({ misbehave: justAsks, client: world.addClient(rogue) })
  const badRuns = bad.map(async ({ misbehave, client }) => {
    const session = world.open({}, client)
    await misbehave(world, session, random)
    session.close()
  })
  const goodRuns = Array.from({ length: GOOD_CLIENTS }, async (_, index) => {
    const session = world.open({}, world.addClient())
    const side = new ClientSide(world.clock, session)
    const plan = planRequests(new Random(seed).fork(`good ${index}`), REQUESTS)
    const verdicts = await Promise.all(plan.map((request) => side.run(request)))
    session.close()
    return verdicts
      .filter((verdict) => verdict !== undefined)
      .map((verdict) => `good client ${index}: ${verdict}`)
  })
  const problems = (await world.run(Promise.all(goodRuns), 300_000)).flat()
  await world.run(Promise.all(badRuns), 600_000)
  await world.pass(IDLE_TIMEOUT + 10_000)
  return [...problems, ...leftovers(world)]
}

describe('a server with good and bad clients', () => {
  it(`serves the good ones without a fault and forgets all of them, in ${SEEDS} seeds`, {
    timeout: 120_000,
  }, async () => {
    const failures: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const problems = await runCrowd(seed)
      if (problems.length > 0) failures.push(`seed ${seed}:\n  ${problems.join('\n  ')}`)
    }
    expect(failures.join('\n')).toBe('')
  })
})
