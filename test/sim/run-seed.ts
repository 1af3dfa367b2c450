// One simulated run from one seed: a handshake, a workload of mixed requests, a clean end; then everything must be
// right and nothing may be left. What is wrong comes back as text. Used by the simulation tests and replay.ts.
import type { ClientErrorKind } from '../../src/client/client-error.ts'
import type { ClientSession } from '../../src/client/session.ts'
import type { ConnectionSupervisor } from '../../src/supervisor/connection-supervisor.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { ClientSide } from './client-side.ts'
import { leftovers } from './leftovers.ts'
import { type LinkProfile, randomLink } from './link-profile.ts'
import { Random } from './random.ts'
import { ServerSide } from './server-side.ts'
import { planRequests } from './workload.ts'
import { World } from './world.ts'

/** Something that goes wrong on purpose, and how requests may fail because of it. */
export interface Fault {
  readonly name: string
  readonly tolerates: readonly ClientErrorKind[]
  strike(world: World, session: ClientSession): void
}

/** What runs of one kind have in common. */
export interface RunOptions {
  readonly requests: number
  /** Upper end of each direction's loss probability. */
  readonly maxLoss: number
  /** What runs the stream machines; default: QUACTOR_INTERPRETER, or the compiled table. */
  readonly interpreter?: 'compiled' | 'xstate'
  /** Strikes at a random moment after the handshake. */
  readonly fault?: Fault
  /** Virtual time that handshake and requests together may take, ms. */
  readonly timeLimit: number
}

export const STANDARD_RUN: RunOptions = { requests: 20, maxLoss: 0.2, timeLimit: 300_000 }

/** Longer than any fault of the network, so that loss does not look like a dead peer, ms. */
const IDLE_TIMEOUT = 120_000

/** How long the last acknowledgements and repetitions may take when all requests have been answered, ms. */
const SETTLING_TIME = 60_000

/** After the close: a peer that lost our CONNECTION_CLOSE has to time out, and its last sweep to pass, ms. */
const AFTERMATH = IDLE_TIMEOUT + 10_000

/** What a run did, for statistics and for people. */
export interface RunReport {
  readonly seed: number
  /** Everything that was wrong; empty = a clean run. */
  readonly problems: string[]
  readonly toServer: LinkProfile
  readonly toClient: LinkProfile
  /** Virtual time, ms. */
  readonly elapsed: number
  readonly datagrams: number
  readonly lost: number
}

/**
 * Runs one seed.
 * @param prepare called with the world before anything happens, to trace or to break it
 */
export async function runSeed(
  seed: number,
  options: RunOptions = STANDARD_RUN,
  prepare?: (world: World) => void,
): Promise<RunReport> {
  const random = new Random(seed)
  const links = random.fork('links')
  const toServer = randomLink(links, options.maxLoss)
  const toClient = randomLink(links, options.maxLoss)
  const world = new World({
    seed,
    toServer,
    toClient,
    handler: (clock) => new ServerSide(clock).handle,
    transport: randomTransport(random.fork('transport')),
    // Planned crashes must not look like a broken server, nor a handler that waits for a lost peer like a hung one.
    supervision: {
      crashLimit: options.requests,
      handlerDeadline: IDLE_TIMEOUT * 2,
      interpreter:
        options.interpreter ?? (process.env.QUACTOR_INTERPRETER === 'xstate' ? 'xstate' : 'compiled'),
    },
  })
  prepare?.(world)
  const problems: string[] = []
  try {
    problems.push(...(await drive(world, random, options)))
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
  }
  problems.push(...leftovers(world))
  const { sent, lost } = world.network.counters
  return { seed, problems, toServer, toClient, elapsed: world.clock.now(), datagrams: sent, lost }
}

async function drive(world: World, random: Random, options: RunOptions): Promise<string[]> {
  const plan = planRequests(random.fork('workload'), options.requests)
  const deadline = world.clock.now() + options.timeLimit
  const session = world.open(verification(world, random))
  const client = new ClientSide(world.clock, session, options.fault?.tolerates)
  const pending = new Set(plan.map(({ index, kind }) => `${index} ${kind}`))
  const runs = plan.map(async (request) => {
    const verdict = await client.run(request)
    pending.delete(`${request.index} ${request.kind}`)
    return verdict === undefined ? [] : [`request ${request.index} (${request.kind}): ${verdict}`]
  })
  try {
    await world.run(session.opened, options.timeLimit)
    if (options.fault !== undefined) schedule(options.fault, world, session, random.fork('fault'))
    const verdicts = await world.run(Promise.all(runs), deadline - world.clock.now())
    return options.fault === undefined ? [...verdicts.flat(), ...(await unfinished(world))] : verdicts.flat()
  } catch (error) {
    throw new Error(`${(error as Error).message}; pending: ${[...pending].join(', ')}`)
  } finally {
    session.close()
    await world.pass(AFTERMATH)
  }
}

/**
 * What is left of the requests while the connection is still open: a stream that waits for the end of its
 * connection leaks. Lost packets get some time to be repeated.
 */
async function unfinished(world: World): Promise<string[]> {
  const end = world.clock.now() + SETTLING_TIME
  for (;;) {
    const supervisors = [world.server, world.client].flatMap(({ entries }) =>
      [...entries].map((one) => one.supervisor),
    )
    const left = supervisors.filter((one) => one.requestStreams > 0 || one.handlerCount > 0)
    if (left.length === 0) return []
    if (world.clock.now() >= end) return left.map(describeLeft)
    await world.pass(500)
  }
}

function describeLeft({ connection, requestStreams, handlerCount }: ConnectionSupervisor): string {
  const streams = [...connection.streams.values()].filter((stream) => stream.isBidirectional)
  const states = streams.map(({ id, actor }) => `${id} ${JSON.stringify(actor.getSnapshot().value)}`)
  return `${connection.role}: ${requestStreams} streams, ${handlerCount} handlers after the requests: ${states.join(', ')}`
}

function schedule(fault: Fault, world: World, session: ClientSession, random: Random): void {
  const at = world.clock.now() + (random.chance(0.2) ? 0 : random.logarithmic(1, 2_000))
  world.clock.setTimer(at, () => fault.strike(world, session))
}

/** Half of the runs have the defaults; the others windows and stream limits so small that everything waits. */
function randomTransport(random: Random): Partial<TransportSettings> {
  const congestion = random.pick(['cubic', 'newReno'] as const)
  if (random.chance(0.5)) return { maxIdleTimeout: IDLE_TIMEOUT, congestion }
  const streamWindow = (): number => random.logarithmic(1_000, 100_000)
  return {
    maxIdleTimeout: IDLE_TIMEOUT,
    congestion,
    initialMaxData: random.logarithmic(5_000, 200_000),
    initialMaxStreamDataBidiLocal: streamWindow(),
    initialMaxStreamDataBidiRemote: streamWindow(),
    initialMaxStreamDataUni: streamWindow(),
    initialMaxStreamsBidi: random.logarithmic(1, 30),
    maxAckDelay: random.logarithmic(1, 100),
  }
}

/** Half of the runs verify the server's certificate, which takes time as it does in reality. */
function verification(world: World, random: Random): Parameters<World['open']>[0] {
  const choice = random.fork('verification')
  if (choice.chance(0.5)) return {}
  const time = choice.between(0, 50)
  return {
    verifyCertificate: (_request, done) => {
      world.clock.setTimer(world.clock.now() + time, () => done(true))
    },
  }
}
