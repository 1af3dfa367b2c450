// A whole server for tests, in virtual time on a simulated network: no socket, no port, no waiting. Everything that
// happens is a function of the seed. Used by tests of users, and by machine-service-suite.ts.
import type { AnyActorRef } from 'xstate'
import type { SessionSettings } from '../client/open-session.ts'
import type { ExchangeHandler } from '../handlers/exchange.ts'
import { type FetchHandler, fetchHandler } from '../handlers/fetch-handler.ts'
import { type ServerStatus, statusOf } from '../supervisor/status.ts'
import type { HandlerFault, SupervisionSettings } from '../supervisor/supervision.ts'
import type { TransportSettings } from '../transport/connection/index.ts'
import { type LinkProfile, PERFECT_LINK } from './sim/link-profile.ts'
import { addressKey } from './sim/network.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS, World } from './sim/world.ts'
import { TestClient } from './test-client.ts'

/** What a test server serves, and through which network. */
export interface TestServerOptions {
  /** A handler, for example of machineService(); or `fetch`. */
  readonly handler?: ExchangeHandler
  /** A fetch function, instead of `handler`. */
  readonly fetch?: FetchHandler
  /** Everything random comes from it; default 1. */
  readonly seed?: number
  /** The network, both ways; default: 10 ms of delay and nothing wrong. */
  readonly link?: Partial<LinkProfile>
  /** Limits and times of QUIC, of both sides. */
  readonly transport?: Partial<TransportSettings>
  /** Deadlines and limits of the server. */
  readonly supervision?: Partial<SupervisionSettings>
}

/** Virtual ms that something may take unless it is said otherwise. */
const PATIENCE = 60_000
/** Longer than an idle timeout and three PTOs after it, virtual ms. */
const LAST_BREATH = 120_000
const NO_PROCESS = { rss: () => 0, eventLoopLagP99Ms: () => 0 }

/** What is left of connections that have ended. */
export class LeakError extends Error {
  /** One line for each thing that is still there. */
  readonly leaks: readonly string[]

  constructor(leaks: readonly string[]) {
    super(`left over: ${leaks.join(', ')}`)
    this.name = 'LeakError'
    this.leaks = leaks
  }
}

/** A server in a world of its own. Made by {@link createTestServer}. */
export class TestServer {
  /** Clock, network and endpoints, for whoever needs more than this class offers. */
  readonly world: World
  readonly #clients: TestClient[] = []

  constructor(options: TestServerOptions) {
    const { handler, fetch, seed = 1, link } = options
    const chosen = handler ?? (fetch === undefined ? undefined : fetchHandler(fetch))
    if (chosen === undefined) throw new TypeError('a test server needs a handler or fetch')
    const profile = { ...PERFECT_LINK, ...link }
    this.world = new World({
      seed,
      handler: () => chosen,
      toServer: profile,
      toClient: profile,
      ...(options.transport && { transport: options.transport }),
      ...(options.supervision && { supervision: options.supervision }),
    })
  }

  /** The present moment, virtual ms. */
  get now(): number {
    return this.world.clock.now()
  }

  /** What handlers did wrong so far. */
  get faults(): readonly HandlerFault[] {
    return this.world.faults
  }

  /** The numbers of `/status`. */
  status(): ServerStatus {
    return statusOf(this.world.server, NO_PROCESS)
  }

  /** The actors of the streams that live now, oldest connection first. */
  streamActors(): AnyActorRef[] {
    const actors: AnyActorRef[] = []
    for (const { supervisor } of this.world.server.entries) {
      for (const { actor } of supervisor.connection.streams.values())
        actors.push(actor as unknown as AnyActorRef)
    }
    return actors
  }

  /** Connects a client; see {@link createTestClient}. */
  async connect(settings: Partial<SessionSettings> = {}): Promise<TestClient> {
    const { world } = this
    const endpoint = this.#clients.length === 0 ? world.client : world.addClient()
    const session = world.open(settings, endpoint)
    await world.run(session.opened, PATIENCE)
    const client = new TestClient(this, session)
    this.#clients.push(client)
    return client
  }

  /**
   * Lets virtual time pass until the promise settles.
   * @param limit virtual ms
   * @throws Error when the time is over, or nothing is left that could happen
   */
  run<T>(promise: Promise<T>, limit: number = PATIENCE): Promise<T> {
    return this.world.run(promise, limit)
  }

  /** Lets `time` virtual ms pass. */
  pass(time: number): Promise<void> {
    return this.world.pass(time)
  }

  /** Tells every connection that the server is about to go (two GOAWAYs, then CONNECTION_CLOSE). */
  drain(): void {
    for (const { supervisor } of [...this.world.server.entries]) supervisor.drain()
  }

  /** Cuts the network between the first client and the server, or mends it. */
  cut(isCut: boolean): void {
    const [server, client] = [addressKey(SERVER_ADDRESS), addressKey(CLIENT_ADDRESS)]
    this.world.network.setBlackhole(server, client, isCut)
    this.world.network.setBlackhole(client, server, isCut)
  }

  /** What lives in the server and should not when no client is connected; empty when nothing does. */
  leaks(): string[] {
    const status = this.status()
    const live: Record<string, number> = {
      connections: status.connections.live,
      streams: status.streams.live,
      actors: status.actors.live,
      handlers: status.handlers.live,
      'datagram channels': status.datagramChannels.live,
      'armed timers': status.timers.armed,
      'received bytes': status.buffers.receiveBytes,
      'bytes to send': status.buffers.sendBytes,
      'missed transitions': status.actors.missedTransitions,
      'connection IDs': this.world.server.ids.size,
    }
    return Object.entries(live).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]))
  }

  /** Closes every client, lets everything end that ends by itself, and looks at what is left. See expectNoLeaks. */
  async end(): Promise<readonly string[]> {
    for (const { session } of this.#clients) if (session.isUsable) session.close()
    await this.pass(LAST_BREATH)
    return this.leaks()
  }
}

/**
 * A server in virtual time on a simulated network. Nothing of it has to be closed: what is not referenced is gone.
 * @throws TypeError without `handler` and `fetch`
 */
export function createTestServer(options: TestServerOptions): TestServer {
  return new TestServer(options)
}

/**
 * A client that is connected to a test server over the same simulated network; each has an address of its own.
 * @throws Error when the handshake does not end within a minute of virtual time
 */
export function createTestClient(
  server: TestServer,
  settings: Partial<SessionSettings> = {},
): Promise<TestClient> {
  return server.connect(settings)
}

/**
 * Ends all clients, lets two minutes of virtual time pass, and compares what the server has left with nothing: streams,
 * actors, handlers, datagram channels, timers, buffers, connection IDs, missed transitions.
 * @throws LeakError that names each
 */
export async function expectNoLeaks(server: TestServer): Promise<void> {
  const leaks = await server.end()
  if (leaks.length > 0) throw new LeakError(leaks)
}
