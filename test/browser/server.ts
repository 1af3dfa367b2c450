/**
 * The server under test, in this process: serve() with a certificate of an authority made for the run, the demo's routes,
 * the pages of this folder as files, and the sessions of sessions.ts. Counts what is alive after each check.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { demoRoutes } from '../../src/handlers/demo-routes.ts'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { H3Exchange } from '../../src/handlers/h3-exchange.ts'
import { type QuactorServer, serve, type WebTransportServerSession } from '../../src/index.ts'
import { systemClock } from '../../src/transport/io/clock.ts'
import { leftovers, readStatus, type Status } from '../interop/status.ts'
import { issue, keyPem, SERVER_AUTH } from '../unit/transport/tls/certificates.ts'
import type { Site } from './browser.ts'
import { Sessions } from './sessions.ts'

const PAGES = fileURLToPath(new URL('./pages', import.meta.url))
const HOUR = 3_600_000
const DAY = 24 * HOUR
const POLL_INTERVAL = 25
/** A browser that was told about an abort may be slow, the machine too, ms. */
const QUIET_TIMEOUT = 10_000

export interface BrowserSiteOptions {
  /** UDP and TCP port; the system chooses one when absent. */
  readonly port?: number
  readonly qlog?: string | undefined
  readonly idleTimeout?: number
  /** Whether the site is there over TCP, too; by default it is not, so that nothing can fall back. */
  readonly tcp?: boolean
}

/** What can be closed from here: an HTTP/3 connection that a browser keeps for later. */
interface Closable {
  close(): void
}

export class BrowserSite {
  readonly server: QuactorServer
  readonly authority: string
  readonly spkiHash: string
  readonly certificateHash: string
  readonly sessions: Sessions
  readonly faults: string[]
  readonly #connections: Set<Closable>

  private constructor(
    server: QuactorServer,
    certificates: Pick<BrowserSite, 'authority' | 'spkiHash' | 'certificateHash'>,
    live: { sessions: Sessions; connections: Set<Closable>; faults: string[] },
  ) {
    this.server = server
    this.authority = certificates.authority
    this.spkiHash = certificates.spkiHash
    this.certificateHash = certificates.certificateHash
    this.sessions = live.sessions
    this.faults = live.faults
    this.#connections = live.connections
  }

  static async start({
    port = 0,
    qlog,
    idleTimeout,
    tcp = false,
  }: BrowserSiteOptions = {}): Promise<BrowserSite> {
    const now = Date.now()
    const validity = { notBefore: now - HOUR, notAfter: now + 13 * DAY - HOUR }
    const authority = issue({ subject: 'quactor test authority', isAuthority: true, ...validity })
    const leaf = issue({
      ...validity,
      subject: 'localhost',
      issuer: authority,
      names: ['localhost'],
      addresses: ['127.0.0.1'],
      usages: [SERVER_AUTH],
    })
    const connections = new Set<Closable>()
    const sessions = new Sessions()
    const faults: string[] = []
    const routes = demoRoutes({ clock: systemClock(), root: PAGES })
    const server = await serve({
      port,
      tls: { cert: leaf.pem, key: keyPem(leaf) },
      inspector: { port: 0 },
      tcp,
      handler: (exchange) => {
        if (exchange instanceof H3Exchange) connections.add(exchange.request.connection)
        return exchange.path === '/upload' ? upload(exchange) : routes(exchange)
      },
      webtransport: (session: WebTransportServerSession) => {
        connections.add({ close: () => session.closeConnection() })
        return sessions.handle(session)
      },
      onFault: (fault) => faults.push(JSON.stringify(fault, errorsToo)),
      ...(qlog === undefined ? {} : { qlogDirectory: qlog }),
      ...(idleTimeout === undefined ? {} : { transport: { maxIdleTimeout: idleTimeout } }),
    })
    const spki = leaf.publicKey.export({ format: 'der', type: 'spki' })
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')
    const certificates = {
      authority: authority.pem,
      spkiHash: hash(spki),
      certificateHash: hash(leaf.der),
    }
    return new BrowserSite(server, certificates, { sessions, connections, faults })
  }

  get origin(): string {
    return `https://localhost:${this.server.port}`
  }

  site(forceQuic: boolean): Site {
    const { authority, spkiHash } = this
    return { port: this.server.port, authority, spkiHash, forceQuic }
  }

  readStatus(): Promise<Status> {
    return readStatus(this.server.inspector!)
  }

  /**
   * After a check: everything that it started has to be over although the browser keeps its connection; then that is
   * closed, too, and nothing at all may be left.
   * @throws Error naming what is left, or the faults of handlers
   */
  async settle(): Promise<void> {
    try {
      await this.#until(activity)
    } finally {
      for (const connection of this.#connections) connection.close()
      this.#connections.clear()
    }
    await this.#until(leftovers)
    if (this.faults.length > 0) throw new Error(`faults of handlers: ${this.faults.splice(0).join(', ')}`)
  }

  async #until(left: (status: Status) => string[]): Promise<void> {
    const end = performance.now() + QUIET_TIMEOUT
    for (;;) {
      const status = await this.readStatus()
      const names = left(status)
      if (names.length === 0) return
      if (performance.now() > end || status.actors.missedTransitions > 0) {
        const where = JSON.stringify(this.server.connections())
        throw new Error(`left behind: ${names.join(', ')}; ${where}`)
      }
      await delay(POLL_INTERVAL)
    }
  }

  async close(): Promise<void> {
    await this.server.close({ timeout: 2_000 })
  }
}

/** Tells what has arrived: a browser reads no response before its request is sent, so no echo of 10 MB. */
async function upload(exchange: Exchange): Promise<void> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of exchange.body) {
    hash.update(chunk)
    length += chunk.length
  }
  const report = JSON.stringify({ length, digest: hash.digest('hex') })
  exchange.respond(200, ['content-type', 'application/json'], report)
}

/** What has to be over when the page has gone, on connections that are still open. */
function activity({ handlers, datagramChannels, streams, actors }: Status): string[] {
  const zero = {
    'handlers.live': handlers.live,
    'datagramChannels.live': datagramChannels.live,
    'streams.stuck': streams.stuck,
    'actors.crashed': actors.crashed,
    'actors.missedTransitions': actors.missedTransitions,
  }
  return Object.entries(zero)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} = ${value}`)
}

function errorsToo(_key: string, value: unknown): unknown {
  return value instanceof Error ? String(value.stack) : value
}
