// Peers that hold the keys and send nonsense. The partner may end the connection with whatever error fits, but: no
// exception of ours, no event where a machine calls it impossible, no connection that stays, nothing left.
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../src/supervisor/endpoint.ts'
import { ClientSide } from './client-side.ts'
import { hostileFrames } from './hostile-frames.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { Random } from './random.ts'
import { randomMutation, rogueBackends } from './rogue.ts'
import { ServerSide } from './server-side.ts'
import { planRequests } from './workload.ts'
import { backends, World } from './world.ts'

const SEEDS = Number(process.env.SEEDS ?? 120)
const IDLE_TIMEOUT = 20_000

/** Some rogues begin with their first packet, most when the handshake is over; some change everything. */
function rogueFor(seed: number): ReturnType<typeof rogueBackends> {
  const random = new Random(seed).fork('rogue')
  const honestPackets = random.chance(0.3) ? random.below(8) : 8 + random.below(60)
  const rate = random.pick([0.02, 0.1, 1])
  let packets = 0
  const isDue = (): boolean => ++packets > honestPackets && random.chance(rate)
  const mutation = [randomMutation(random), hostileFrames(random, true), hostileFrames(random, false)]
  return rogueBackends(backends, isDue, random.pick(mutation))
}

/** Adds to `errors` what an endpoint's connections died of, when that was an exception of ours. */
function watchErrors(endpoint: Endpoint, errors: string[]): () => void {
  return () => {
    for (const { supervisor } of endpoint.entries) {
      const { stats, closing } = supervisor.connection
      if (stats.internalErrors > 0) errors.push(`internal error: ${closing.info?.reason}`)
    }
  }
}

async function runRogue(seed: number, rogue: 'server' | 'client'): Promise<string[]> {
  const world = new World({
    seed,
    handler: (clock) => new ServerSide(clock).handle,
    toServer: PERFECT_LINK,
    toClient: PERFECT_LINK,
    transport: { maxIdleTimeout: IDLE_TIMEOUT },
    supervision: { crashLimit: 1_000, handlerDeadline: IDLE_TIMEOUT * 10 },
    ...(rogue === 'client' ? { clientBackends: rogueFor(seed) } : { serverBackends: rogueFor(seed) }),
  })
  const errors: string[] = []
  const afterStep = watchErrors(rogue === 'client' ? world.server : world.client, errors)
  const session = world.open()
  const plan = planRequests(new Random(seed).fork('workload'), 10)
  const runs = plan.map((request) => new ClientSide(world.clock, session).run(request))
  const isOver = Promise.race([session.closed, Promise.all(runs)])
  await world.run(
    isOver.then(() => {}),
    IDLE_TIMEOUT * 10,
    afterStep,
  )
  session.close()
  await world.pass(IDLE_TIMEOUT * 2)
  // A handler that is asked for nonsense may fail: that is its own affair.
  return [...new Set(errors), ...leftovers(world).filter((problem) => !problem.startsWith('server: crash'))]
}

describe.each(['client', 'server'] as const)('a rogue %s', (rogue) => {
  it(`does no harm in ${SEEDS} seeds`, { timeout: 120_000 }, async () => {
    const failures: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const problems = await runRogue(seed, rogue)
      if (problems.length > 0) failures.push(`seed ${seed}, rogue ${rogue}:\n  ${problems.join('\n  ')}`)
    }
    expect(failures.join('\n')).toBe('')
  })
})
