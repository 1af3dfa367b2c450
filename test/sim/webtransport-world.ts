// A simulated world whose server speaks WebTransport, and clients that ask for sessions. Used by the tests of
// WebTransport in test/sim, test/rfc and test/leaks.
import { expect } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type {
  WebTransportClientSession,
  WebTransportSessionOptions,
} from '../../src/client/webtransport-session.ts'
import type { WebTransportHandler, WebTransportService } from '../../src/handlers/webtransport-session.ts'
import type { H3Connection, WebTransportSessions } from '../../src/http3/index.ts'
import { statusOf } from '../../src/supervisor/status.ts'
import type { SupervisionSettings } from '../../src/supervisor/supervision.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { World } from './world.ts'

export interface WebTransportWorldOptions {
  readonly seed?: number
  readonly link?: Partial<LinkProfile>
  readonly transport?: Partial<TransportSettings>
  readonly supervision?: Partial<SupervisionSettings>
  readonly webtransport: WebTransportHandler | WebTransportService
}

/** Longest that anything of these tests may take, virtual ms. */
const LIMIT = 120_000

export class WebTransportWorld extends World {
  constructor(options: WebTransportWorldOptions) {
    const link = { ...PERFECT_LINK, ...options.link }
    const { webtransport } = options
    super({
      seed: options.seed ?? 1,
      handler: () => (exchange) => exchange.respond(200, [], 'page'),
      toServer: link,
      toClient: link,
      transport: { maxDatagramFrameSize: 65_535, ...options.transport },
      supervision: options.supervision ?? {},
      http3: () => ({
        webtransport: typeof webtransport === 'function' ? { handler: webtransport } : webtransport,
      }),
    })
  }

  /** A connection that may have sessions. */
  async connected(): Promise<ClientSession> {
    const connection = this.open({ webtransport: true })
    await this.run(connection.opened, LIMIT)
    return connection
  }

  /** A session on a connection of its own or a given one, once the server has accepted it. */
  async session(
    path = '/',
    connection?: ClientSession,
    options?: WebTransportSessionOptions,
  ): Promise<WebTransportClientSession> {
    const session = (connection ?? (await this.connected())).webtransport(path, options)
    await this.within(session.ready)
    return session
  }

  /** Runs the world until the promise settles. */
  within<T>(promise: Promise<T>): Promise<T> {
    return this.run(promise, LIMIT)
  }

  /** Sessions of the server's only connection. */
  get serverSessions(): WebTransportSessions {
    const { application } = [...this.server.entries][0]!.supervisor
    return (application as unknown as H3Connection).webtransport!
  }

  status() {
    return statusOf(this.server, { rss: () => 0, eventLoopLagP99Ms: () => 0 })
  }

  /** Nothing of sessions is left on connections that are still open. */
  async expectNoSessions(): Promise<void> {
    await this.pass(2_000)
    expect(this.serverSessions.count).toBe(0)
    expect(this.serverSessions.earlyStreams).toBe(0)
    for (const endpoint of [this.server, this.client]) {
      expect(endpoint.counters.sessionsLive).toBe(0)
      expect(endpoint.counters.channelsLive).toBe(0)
      expect(endpoint.counters.handlersLive).toBe(0)
      for (const { supervisor } of endpoint.entries) {
        expect(supervisor.sessions.count).toBe(0)
        expect(supervisor.requestStreams).toBe(0)
      }
    }
  }

  /** Ends everything, and looks whether everything ended. */
  async expectNothingLeft(): Promise<void> {
    for (const endpoint of [this.client, this.server]) {
      for (const { supervisor } of endpoint.entries)
        supervisor.connection.close(0x100, '', { application: true })
    }
    await this.pass(90_000)
    expect(this.status()).toMatchObject({
      connections: { live: 0 },
      streams: { live: 0, stuck: 0 },
      actors: { live: 0, missedTransitions: 0 },
      handlers: { live: 0 },
      datagramChannels: { live: 0 },
      timers: { armed: 0 },
      buffers: { receiveBytes: 0, sendBytes: 0 },
    })
    expect(this.client.entries.size).toBe(0)
    expect(this.server.counters.sessionsLive + this.client.counters.sessionsLive).toBe(0)
  }
}

/** Everything of a stream in one piece. */
export async function collect(readable: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Writes and closes. */
export async function send(writable: WritableStream<unknown>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter()
  for (let offset = 0; offset < bytes.length; offset += 10_000) {
    await writer.write(bytes.subarray(offset, offset + 10_000))
  }
  await writer.close()
}
