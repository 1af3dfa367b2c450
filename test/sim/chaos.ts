// One simulated run of faults on every level at once, from one seed: handlers that do everything wrong, a client that
// resets, stops, reads half and vanishes, a bad network, a drain in the middle, while a second, well-behaved client
// gets every byte right. Used by chaos.test.ts and run.ts.

import { nonZero, registriesOf } from '../leaks/registries.ts'
import { ScriptedPeer, type ScriptedStream } from '../leaks/scripted-peer.ts'
import { ClientSide } from './client-side.ts'
import { FaultyHandlers, LONGEST_DEAFNESS } from './faulty-handlers.ts'
import { type LinkProfile, PERFECT_LINK, randomLink } from './link-profile.ts'
import { Random } from './random.ts'
import { ServerSide } from './server-side.ts'
import { planRequests } from './workload.ts'
import { World } from './world.ts'

/** Longer than the deaf handlers are, so that the connection outlives them. */
const IDLE_TIMEOUT = 60_000
const WILD_REQUESTS = 30
const STEADY_REQUESTS = 6

/** Until nothing can be left, ms: deaf handlers, the idle timeout after their resets, the last sweep. */
const AFTERMATH = LONGEST_DEAFNESS + 2 * IDLE_TIMEOUT + 10_000

export interface ChaosReport {
  readonly seed: number
  /** What struck besides handlers and streams. */
  readonly strike: string
  /** Everything that was wrong; empty = a clean run. */
  readonly problems: string[]
}

/** What is zero on a connection that is open while nothing is asked of it. */
const IDLE_ZEROS = [
  'request streams',
  'handler registry',
  'datagram channels',
  'lingering requests',
  'flow-control debt',
  'received bytes held',
  'bytes to send',
  'streams queued to send',
  'bytes in flight',
  'packets to be acknowledged',
  'request credit not returned',
  'handlers live',
] as const

/** Most runs need the connection to live, so that leaks of streams show before it takes them along. */
const STRIKES = [
  'nothing',
  'nothing',
  'nothing',
  'nothing',
  'vanish',
  'close',
  'drain',
  'hardStop',
  'blackhole',
] as const
type Strike = (typeof STRIKES)[number]

class ChaosRun {
  readonly world: World
  readonly strike: Strike
  readonly problems: string[] = []
  readonly #random: Random
  readonly #kinds: readonly string[]
  readonly #requests: ScriptedStream[] = []

  /** @param prepare called with the world before anything happens */
  constructor(seed: number, prepare?: (world: World) => void) {
    this.#random = new Random(seed)
    const links = this.#random.fork('links')
    const link = (): LinkProfile =>
      links.chance(0.25) ? { ...PERFECT_LINK, delay: links.between(1, 30) } : randomLink(links, 0.1)
    let kinds: readonly string[] = []
    this.world = new World({
      seed,
      toServer: link(),
      toClient: link(),
      transport: { maxIdleTimeout: IDLE_TIMEOUT, ...this.#windows() },
      supervision: {
        crashLimit: this.#random.chance(0.1) ? 3 : 1_000,
        // No shorter than what an honest upload takes on a bad path.
        handlerDeadline: this.#random.pick([15_000, 30_000, 100_000]),
        handlerGrace: this.#random.pick([0, 1_000]),
        drainDeadline: 3_000,
      },
      handler: (clock) => {
        const faulty = new FaultyHandlers(clock)
        const steady = new ServerSide(clock)
        kinds = faulty.kinds
        return (exchange) =>
          exchange.path.startsWith('/fault/') ? faulty.handle(exchange) : steady.handle(exchange)
      },
    })
    prepare?.(this.world)
    this.#kinds = kinds
    this.strike = this.#random.pick(STRIKES)
  }

  #windows(): {
    initialMaxData?: number
    initialMaxStreamDataBidiRemote?: number
    initialMaxStreamsBidi?: number
  } {
    const random = this.#random.fork('windows')
    if (random.chance(0.5)) return {}
    return {
      initialMaxData: random.logarithmic(8_000, 200_000),
      initialMaxStreamDataBidiRemote: random.logarithmic(2_000, 50_000),
      initialMaxStreamsBidi: random.logarithmic(2, 100),
    }
  }

  async run(): Promise<void> {
    const { world } = this
    const wild = new ScriptedPeer(world)
    const steadyEndpoint = world.addClient()
    const session = world.open({}, steadyEndpoint)
    const steady = this.#runSteady(new ClientSide(world.clock, session, this.#tolerated))
    await world.pass(this.#random.logarithmic(100, 3_000))
    const random = this.#random.fork('wild')
    for (let request = 0; request < WILD_REQUESTS; request++) {
      if (wild.connection.isEnding) break
      if (wild.isOpen) this.#wildRequest(wild, random.fork(`request ${request}`))
      await world.pass(random.chance(0.5) ? 0 : random.logarithmic(1, 200))
      if (request === WILD_REQUESTS >> 1) this.#struck(wild)
    }
    await world.run(steady, 400_000)
    await this.#settleOpen(wild)
    if (!wild.connection.isEnding) wild.connection.close(0x100, '', { application: true })
    session.close()
    await world.pass(AFTERMATH)
  }

  /** The client gives up all that is left of its requests; the connection that stays open has to be empty. */
  async #settleOpen(wild: ScriptedPeer): Promise<void> {
    if (wild.connection.isEnding || this.strike === 'vanish') return
    for (const request of this.#requests) request.reset().stop()
    await this.world.pass(LONGEST_DEAFNESS + 15_000)
    if (wild.connection.isEnding) return
    const registries = registriesOf(this.world.server)
    for (const name of IDLE_ZEROS) {
      const count = registries[name] ?? 0
      if (count !== 0) this.problems.push(`server, with the connection open: ${count} ${name}`)
    }
  }

  /** How requests of the well-behaved client may fail: only because the whole server goes. */
  get #tolerated(): readonly ('rejected' | 'closed' | 'connect' | 'timeout')[] {
    return this.strike === 'drain' || this.strike === 'hardStop'
      ? ['rejected', 'closed', 'connect', 'timeout']
      : []
  }

  async #runSteady(client: ClientSide): Promise<void> {
    const plan = planRequests(this.#random.fork('steady'), STEADY_REQUESTS * 3)
      .filter(({ kind }) => kind !== 'crash')
      .slice(0, STEADY_REQUESTS)
    const runs = plan.map(async (request) => {
      const verdict = await client.run(request)
      if (verdict !== undefined) this.problems.push(`steady ${request.kind}: ${verdict}`)
    })
    await Promise.all(runs)
  }

  #wildRequest(peer: ScriptedPeer, random: Random): void {
    const { clock } = this.world
    if (peer.credit <= 0) return
    const request = peer.begin('POST', `/fault/${random.pick(this.#kinds)}`, random.chance(0.7))
    this.#requests.push(request)
    const actions: ((request: ScriptedStream) => unknown)[] = [
      (stream) => stream.sendData(random.logarithmic(1, 20_000)),
      (stream) => stream.end(),
      (stream) => stream.end(),
      (stream) => stream.reset(),
      (stream) => stream.stop(),
      (stream) => stream.startReading(),
      () => undefined,
    ]
    const count = 1 + random.below(5)
    for (let action = 0; action < count; action++) {
      const act = random.pick(actions)
      if (random.chance(0.3)) act(request)
      else clock.setTimer(clock.now() + random.logarithmic(1, 1_000), () => act(request))
    }
  }

  #struck(wild: ScriptedPeer): void {
    const { world } = this
    const { network, server } = world
    const silence = (isSilent: boolean): void => {
      network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', isSilent)
      network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', isSilent)
    }
    if (this.strike === 'vanish') silence(true)
    else if (this.strike === 'close') wild.connection.close(0x10c, '', { application: true })
    else if (this.strike === 'drain') void server.drain(10_000)
    else if (this.strike === 'hardStop') void server.drain(0)
    else if (this.strike === 'blackhole') {
      silence(true)
      world.clock.setTimer(world.clock.now() + 2_000, () => silence(false))
    }
  }

  check(): void {
    const { server, clients, clock } = this.world
    for (const [index, endpoint] of [server, ...clients].entries()) {
      const left = nonZero(registriesOf(endpoint))
      const name = index === 0 ? 'server' : `client ${index}`
      for (const [what, count] of Object.entries(left)) this.problems.push(`${name}: ${count} ${what}`)
      for (const missed of endpoint.missed.list()) this.problems.push(`${name}: ${JSON.stringify(missed)}`)
    }
    if (clock.armed > 0) this.problems.push(`${clock.armed} timers of the clock are armed`)
    for (const { kind, error } of this.world.faults) {
      if (kind === 'internal') this.problems.push(`defect: ${error instanceof Error ? error.stack : error}`)
    }
  }
}

/** Runs one seed. @param prepare called with the world before anything happens, to trace it */
export async function runChaos(seed: number, prepare?: (world: World) => void): Promise<ChaosReport> {
  const run = new ChaosRun(seed, prepare)
  const strays: unknown[] = []
  const note = (error: unknown): void => void strays.push(error)
  process.on('unhandledRejection', note)
  try {
    await run.run()
    run.check()
  } catch (error) {
    run.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    process.off('unhandledRejection', note)
  }
  for (const stray of strays) run.problems.push(`unhandled rejection: ${stray}`)
  return { seed, strike: run.strike, problems: run.problems }
}

export function explainChaos({ seed, strike, problems }: ChaosReport): string {
  const what = problems.map((problem) => `  ${problem}`).join('\n')
  return `seed ${seed} (${strike}) failed:\n${what}\nreplay it: npm run sim -- --chaos --seed ${seed}`
}
