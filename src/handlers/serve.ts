// serve(): puts a whole server together. UDP sockets, endpoint and HTTP/3; the TCP fallback on the same port number;
// the admin port. The only place on the server's side that knows real sockets, the real clock and the process.
import { Observable } from 'rxjs'
import type { InspectionEvent } from 'xstate'
import type { RetryMode } from '../supervisor/address-validation.ts'
import { type AdminServer, type AdminSource, listenAdmin } from '../supervisor/admin.ts'
import { Endpoint } from '../supervisor/endpoint.ts'
import type { DrainReport } from '../supervisor/endpoint-drain.ts'
import { checkSecret } from '../supervisor/endpoint-secret.ts'
import { EventLoopLag } from '../supervisor/event-loop-lag.ts'
import { HARD_STOP } from '../supervisor/limits.ts'
import { prometheusText } from '../supervisor/metrics.ts'
import type { MissedTransition } from '../supervisor/missed-transitions.ts'
import { type ServerStatus, statusOf } from '../supervisor/status.ts'
import type { StuckReport } from '../supervisor/stuck-report.ts'
import type { HandlerFault, SupervisionSettings } from '../supervisor/supervision.ts'
import {
  type PreferredAddresses,
  type QuicVersionName,
  type TransportSettings,
  versionsNamed,
} from '../transport/connection/index.ts'
import { selectBackends } from '../transport/crypto/index.ts'
import { type Clock, systemClock } from '../transport/io/clock.ts'
import { systemEntropy } from '../transport/io/entropy.ts'
import type { NodeSocket } from '../transport/io/node-socket.ts'
import { QlogDirectory } from '../transport/io/qlog-directory.ts'
import { createSelfSigned, type SelfSigned } from '../transport/io/self-signed.ts'
import { loadIdentity, SessionTickets, type TicketSecrets } from '../transport/tls/index.ts'
import { bindPorts } from './bind-ports.ts'
import { type DemoOptions, demoRoutes } from './demo-routes.ts'
import type { ExchangeHandler } from './exchange.ts'
import { type FetchHandler, fetchHandler } from './fetch-handler.ts'
import { httpDates } from './http-date.ts'
import { EARLY_DATA_SETTINGS, http3Service } from './http3-service.ts'
import { MAX_DATAGRAM_FRAME_SIZE, SELF_SIGNED_DAYS } from './limits.ts'
import { containStrayErrors } from './stray-errors.ts'
import type { TcpServer } from './tcp-server.ts'

/** Certificate chain and private key, each as PEM text. */
export interface CertificateAndKey {
  readonly cert: string
  readonly key: string
}

export interface ServeOptions {
  /** UDP and TCP port; 0 lets the system choose. Default 4433. */
  readonly port?: number
  /** Address or `localhost` to bind to. Default: every address, IPv4 and IPv6. */
  readonly host?: string
  /** `self-signed` (the default) makes a certificate for localhost that lasts 13 days. */
  readonly tls?: CertificateAndKey | 'self-signed'
  /** Web-standard handler. */
  readonly fetch?: FetchHandler
  /** Lean handler; used instead of `fetch` when both are given. */
  readonly handler?: ExchangeHandler
  /** Serves the demo routes when neither handler is given: folder for files. */
  readonly root?: string
  /** Admin port on loopback; off by default. */
  readonly inspector?: { readonly port: number } | false
  /** HTTP/1.1 and HTTP/2 on the same port number; on by default. */
  readonly tcp?: boolean
  /**
   * Lets returning clients send requests with their first packets (0-RTT): one round trip less. Off by default, because
   * an attacker may replay such requests: handlers see only safe methods so, with `earlyData` set; others get 425.
   */
  readonly earlyData?: boolean
  /**
   * Secrets of 32 random bytes, newest first, that seal session tickets, or a function that gives them: for processes
   * that resume each other's sessions. Default: keys of this process, which rotate. False: no session tickets.
   */
  readonly ticketKeys?: TicketSecrets | (() => TicketSecrets) | false
  readonly transport?: Partial<TransportSettings>
  /**
   * UDP addresses that clients are asked to move to after the handshake (RFC 9000 section 9.6), e.g. of this machine
   * behind an anycast address. They are bound in addition to the port.
   */
  readonly preferredAddress?: PreferredAddresses
  /**
   * QUIC versions in order of preference; default v1, v2. A client that began with another one is moved to the
   * first that it speaks, in the same handshake (RFC 9368). By default the client's order counts.
   */
  readonly versions?: readonly QuicVersionName[]
  /**
   * When clients must prove their address by a Retry before anything is computed for them: `auto` (the default) while
   * more than 100 handshakes are under way.
   */
  readonly retry?: RetryMode
  /**
   * 32 random bytes or more, from which the keys of address tokens and stateless resets are derived. Processes behind
   * one address share it, and a restarted one knows its own tokens again. Default: random.
   */
  readonly secret?: Uint8Array
  readonly supervision?: Partial<SupervisionSettings>
  /** Receives each line of the TLS key log (NSS format). Secrets: for debugging only. */
  readonly keyLog?: (line: string) => void
  /** Folder for one qlog file per connection (JSON-SEQ, for qvis); made when it does not exist. */
  readonly qlogDirectory?: string
  /**
   * Whether errors that handlers leave behind (thrown in a timer or a listener, rejected where nobody waits) are
   * brought home to their handler instead of ending the process; on by default.
   */
  readonly containErrors?: boolean
  /** Told about every handler that crashes or hangs; prints them by default. */
  readonly onFault?: (fault: HandlerFault) => void
}

/** A running server. */
export interface QuactorServer {
  readonly port: number
  /** First address that is listened on. */
  readonly address: string
  readonly url: string
  /** Base URL of the admin port, if there is one. */
  readonly inspector: string | undefined
  /** Fingerprints of a self-signed certificate, by which browsers can be told to accept it. */
  readonly certificate: SelfSigned | undefined
  /** XState inspection events of every stream, connection and handshake; nothing is emitted while nobody listens. */
  readonly inspect$: Observable<InspectionEvent>
  /** A stream, handler, handshake or connection that has just been found past its deadline: once for each state. */
  readonly stuck$: Observable<StuckReport>
  /** Everything that is past its deadline now, with the reason of this moment. */
  stuck(): readonly StuckReport[]
  /** The latest events that reached a machine where they are impossible, oldest first; each is a bug of quactor. */
  missedTransitions(): readonly MissedTransition[]
  status(): ServerStatus
  /**
   * Drains and stops: requests that were accepted finish, new ones are turned away.
   * @param options.timeout after so many ms whatever is left is cut; default 30 s
   */
  close(options?: { readonly timeout?: number }): Promise<DrainReport>
}

/**
 * Starts a server.
 * @throws Error of the system when a port is busy or may not be bound, or the qlog folder cannot be made;
 *   IdentityError for a key that cannot be used; RangeError for a secret that is too short
 */
export async function serve(options: ServeOptions = {}): Promise<QuactorServer> {
  const report = options.onFault === undefined ? printFault : guardReport(options.onFault)
  if (options.secret !== undefined) checkSecret(options.secret)
  const qlog = options.qlogDirectory === undefined ? undefined : new QlogDirectory(options.qlogDirectory)
  const clock = systemClock()
  const certificate = await certificateOf(options)
  const identity = loadIdentity(certificate.cert, certificate.key)
  const tickets = ticketsOf(options, clock)
  const handler = handlerOf(options, { clock, ...(options.root === undefined ? {} : { root: options.root }) })
  const ports = await bindPorts({
    host: options.host,
    port: options.port ?? 4433,
    preferred: options.preferredAddress,
    tcp:
      options.tcp === false ? undefined : { cert: certificate.cert, key: certificate.key, handler, report },
  })
  const endpoint = new Endpoint({
    clock,
    entropy: systemEntropy(),
    sockets: ports.udp,
    backends: selectBackends(),
    server: {
      tls: { identities: [identity], alpn: ['h3'], ...(tickets && { resumption: tickets }) },
      application: http3Service(handler, httpDates()),
      ...(options.preferredAddress && { preferredAddress: options.preferredAddress }),
    },
    report,
    transport: { maxDatagramFrameSize: MAX_DATAGRAM_FRAME_SIZE, ...options.transport },
    ...(options.versions && { versions: versionsNamed(options.versions) }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
    ...(options.keyLog === undefined ? {} : { keyLog: options.keyLog }),
    ...(qlog && { openQlog: qlog.open }),
  })
  const server = new RunningServer(endpoint, ports, certificate.selfSigned, qlog)
  try {
    if (options.inspector) await server.openAdmin(options.inspector.port)
  } catch (error) {
    await server.close({ timeout: 0 })
    throw error
  }
  if (options.containErrors !== false) server.containErrors()
  endpoint.start()
  return server
}

class RunningServer implements QuactorServer {
  readonly port: number
  readonly address: string
  readonly certificate: SelfSigned | undefined
  readonly inspect$: Observable<InspectionEvent>
  readonly stuck$: Observable<StuckReport>
  readonly #endpoint: Endpoint
  readonly #tcp: readonly TcpServer[]
  readonly #qlog: QlogDirectory | undefined
  readonly #lag = new EventLoopLag()
  #admin: AdminServer | undefined
  #endContainment: (() => void) | undefined
  #closing: Promise<DrainReport> | undefined

  constructor(
    endpoint: Endpoint,
    { udp, tcp }: { readonly udp: readonly NodeSocket[]; readonly tcp: readonly TcpServer[] },
    certificate: SelfSigned | undefined,
    qlog: QlogDirectory | undefined,
  ) {
    this.#endpoint = endpoint
    this.#tcp = tcp
    this.#qlog = qlog
    this.certificate = certificate
    this.port = udp[0].localPort
    this.address = udp[0].localAddress
    this.inspect$ = new Observable((subscriber) =>
      endpoint.inspection.inspect((event) => subscriber.next(event)),
    )
    this.stuck$ = new Observable((subscriber) =>
      endpoint.stuck.subscribe((report) => subscriber.next(report)),
    )
  }

  get url(): string {
    return `https://${hostOf(this.address)}:${this.port}`
  }

  get inspector(): string | undefined {
    return this.#admin?.url
  }

  async openAdmin(port: number): Promise<void> {
    const source = {
      status: () => this.status(),
      metrics: () => prometheusText(this.status(), this.#endpoint.counters),
      details: detailsOf(this.#endpoint),
    }
    this.#admin = await listenAdmin({ port, source })
  }

  /** Until the server is closed. */
  containErrors(): void {
    this.#endContainment = containStrayErrors()
  }

  stuck(): readonly StuckReport[] {
    return this.#endpoint.listStuck()
  }

  missedTransitions(): readonly MissedTransition[] {
    return this.#endpoint.missed.list()
  }

  status(): ServerStatus {
    return statusOf(this.#endpoint, {
      rss: () => process.memoryUsage.rss(),
      eventLoopLagP99Ms: () => this.#lag.p99(),
    })
  }

  close(options: { readonly timeout?: number } = {}): Promise<DrainReport> {
    this.#closing ??= this.#close(options.timeout ?? HARD_STOP)
    return this.#closing
  }

  async #close(timeout: number): Promise<DrainReport> {
    const tcp = this.#tcp.map((server) => server.close(timeout))
    const report = await this.#endpoint.close(timeout)
    await Promise.all(tcp)
    await this.#admin?.close()
    await this.#qlog?.close()
    this.#lag.stop()
    this.#endContainment?.()
    return report
  }
}

/** What is behind the numbers that should be zero, for the admin port. */
function detailsOf(endpoint: Endpoint): NonNullable<AdminSource['details']> {
  return {
    '/stuck': () => endpoint.listStuck(),
    '/missed': () => ({ counts: endpoint.missed.counts(), latest: endpoint.missed.list() }),
    '/invariants': () => ({ mode: endpoint.invariants.mode, latest: endpoint.invariants.list() }),
  }
}

/** Something that a browser can be pointed at: "every address" is reached as localhost. */
function hostOf(address: string): string {
  if (['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address)) return 'localhost'
  return address.includes(':') ? `[${address}]` : address
}

interface ServerCertificate extends CertificateAndKey {
  readonly selfSigned?: SelfSigned
}

async function certificateOf(options: ServeOptions): Promise<ServerCertificate> {
  const { tls = 'self-signed', host } = options
  if (tls !== 'self-signed') return tls
  const names = ['localhost', '127.0.0.1', '::1']
  const isSpecific = host !== undefined && host !== '0.0.0.0' && host !== '::' && !names.includes(host)
  if (isSpecific) names.push(host)
  const selfSigned = await createSelfSigned({ names, days: SELF_SIGNED_DAYS })
  return { cert: selfSigned.certPem, key: selfSigned.keyPem, selfSigned }
}

/** @throws RangeError for ticket keys that cannot be used */
function ticketsOf({ ticketKeys, earlyData }: ServeOptions, clock: Clock): SessionTickets | undefined {
  if (ticketKeys === false) return undefined
  return new SessionTickets({
    entropy: systemEntropy(),
    now: () => clock.wallTime(),
    keys: ticketKeys,
    earlyData,
    applicationState: EARLY_DATA_SETTINGS,
  })
}

function handlerOf(options: ServeOptions, demo: DemoOptions): ExchangeHandler {
  if (options.handler !== undefined) return options.handler
  return options.fetch === undefined ? demoRoutes(demo) : fetchHandler(options.fetch)
}

function printFault({ kind, method, path, error }: HandlerFault): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const where = kind === 'internal' ? 'defect' : `handler ${kind} in ${method} ${path}`
  console.error(`${where}: ${detail}`)
}

/** A report that throws must not become a fault of its own. */
function guardReport(onFault: (fault: HandlerFault) => void): (fault: HandlerFault) => void {
  return (fault) => {
    try {
      onFault(fault)
    } catch (error) {
      console.error('onFault failed:', error)
    }
  }
}
