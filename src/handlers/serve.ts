// serve(): the front door of the server's side, and what can be asked of it. start-server.ts puts the parts together.
import type { Observable } from 'rxjs'
import type { InspectionEvent } from 'xstate'
import type { QpackLimits } from '../http3/index.ts'
import type { RetryMode } from '../supervisor/address-validation.ts'
import type { ConnectionReport } from '../supervisor/connection-report.ts'
import type { DrainReport } from '../supervisor/endpoint-drain.ts'
import type { MissedTransition } from '../supervisor/missed-transitions.ts'
import type { ServerStatus } from '../supervisor/status.ts'
import type { StuckReport } from '../supervisor/stuck-report.ts'
import type { HandlerFault, SupervisionSettings } from '../supervisor/supervision.ts'
import type { PreferredAddresses, QuicVersionName, TransportSettings } from '../transport/connection/index.ts'
import type { SelfSigned } from '../transport/io/self-signed.ts'
import type { TicketSecrets } from '../transport/tls/index.ts'
import type { AltSvc } from './alternative-service.ts'
import type { ConnectUdpOptions } from './connect-udp/udp-proxy.ts'
import type { ExchangeHandler } from './exchange.ts'
import type { FetchHandler } from './fetch-handler.ts'
import type { LiveConnection } from './live-connections.ts'
import type { AccessLogOptions } from './observation/access-log.ts'
import { startServer } from './start-server.ts'
import type { WebSocketOpenHandler, WebSocketService } from './websocket-handler.ts'
import type { WebTransportHandler, WebTransportService } from './webtransport-session.ts'
import { isWorkerProcess, runWorker } from './workers/run-worker.ts'
import { superviseWorkers } from './workers/supervise-workers.ts'
import { workerCount } from './workers/worker-count.ts'

/** Certificate chain and private key, each as PEM text. */
export interface CertificateAndKey {
  /** Certificate chain, the server's own first, PEM. */
  readonly cert: string
  /** Private key of the first certificate, PEM. */
  readonly key: string
}

/** See ServeOptions.clientCertificates. */
export interface ClientCertificateOptions {
  /** Trusted authorities, PEM. */
  readonly ca: string | readonly string[]
  readonly require?: boolean
}

/**
 * What serve() takes. Every option has a default that works: `serve({})` is the demo server with its own
 * certificate.
 */
export interface ServeOptions {
  /** UDP and TCP port; 0 lets the system choose. Default 4433. */
  readonly port?: number
  /** Address or `localhost` to bind to. Default: every address, IPv4 and IPv6. */
  readonly host?: string
  /**
   * Certificate and key, or several: each is shown to clients that ask for a name that it is for, the first to all others
   * (RFC 6066 section 3). `self-signed` (the default) makes one for localhost that lasts 13 days. See
   * QuactorServer.replaceCertificates().
   */
  readonly tls?: CertificateAndKey | readonly CertificateAndKey[] | 'self-signed'
  /**
   * Asks clients for certificates, which must chain up to `ca` (PEM); with `require` nobody comes in without one. Handlers
   * find it in Exchange.clientCertificate. Turns session tickets off: a resumed session has no certificate to show.
   */
  readonly clientCertificates?: ClientCertificateOptions
  /** Web-standard handler. */
  readonly fetch?: FetchHandler
  /** Lean handler; used instead of `fetch` when both are given. */
  readonly handler?: ExchangeHandler
  /**
   * WebSockets, on HTTP/3, HTTP/2 and HTTP/1.1 (RFC 9220, RFC 8441, RFC 6455): what to do with an open one, or that and
   * more. Every origin may open one unless `accept` says no.
   */
  readonly websocket?: WebSocketOpenHandler | WebSocketService
  /**
   * Relays UDP for clients (CONNECT-UDP, RFC 9298) to the targets that `allow` lists. Off by default. Whoever may
   * connect may use it: authenticate clients in front of it, or keep the list short.
   */
  readonly connectUdp?: ConnectUdpOptions
  /**
   * WebTransport over HTTP/3, as browsers speak it (draft 02) and as the current draft wants it: what to do with a
   * session, or that and more. Every origin may open one unless `origins` or the handler says no.
   */
  readonly webtransport?: WebTransportHandler | WebTransportService
  /** Handlers for other protocols on an accepted CONNECT or Upgrade, by upgrade token; see Exchange.accept(). */
  readonly tunnels?: Readonly<Record<string, ExchangeHandler>>
  /** Serves the demo routes when neither handler is given: folder for files. */
  readonly root?: string
  /** Admin port on loopback; off by default. */
  readonly inspector?: { readonly port: number } | false
  /** HTTP/1.1 and HTTP/2 on the same port number; on by default. */
  readonly tcp?: boolean
  /**
   * What responses over TCP say about HTTP/3 (Alt-Svc, RFC 7838). Default: that it is on the same port, good for a day.
   * False says nothing; `clear` makes clients forget what they were told.
   */
  readonly altSvc?: AltSvc
  /**
   * Origins ("https://a.example") that clients may use this server for on the same connection, beside the one that they
   * came for (ORIGIN frame, RFC 9412). The certificate has to be good for them.
   */
  readonly origins?: readonly string[]
  /**
   * Header compression with a dynamic table (QPACK, RFC 9204): bytes that a client may use of it, 4,096 by default, and
   * requests that may wait for it, 16 by default. A capacity of 0 turns it off for requests. Responses use what the
   * client allows, up to 4,096 bytes.
   */
  readonly qpack?: Partial<QpackLimits>
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
  /** Limits and timers of QUIC connections, in ms and bytes. */
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
  /** Deadlines (ms) and limits of handlers and connections. */
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
  /** One line per request, when its handler has ended: pino's JSON to standard output, or as the options say. */
  readonly accessLog?: boolean | AccessLogOptions
  /** Told about every handler that crashes or hangs; prints them by default. */
  readonly onFault?: (fault: HandlerFault) => void
  /**
   * Processes that serve the port together, at most 64; `auto`: as many as there are cores. The program runs again in
   * each of them, up to its own call of serve(), which makes that process a worker; see QuactorServer.worker. Needs a
   * kernel that spreads a shared port (Linux, FreeBSD). Default 1: this process alone.
   */
  readonly workers?: number | 'auto'
}

/** A running server. */
export interface QuactorServer {
  /** UDP and TCP port that is listened on. */
  readonly port: number
  /** First address that is listened on. */
  readonly address: string
  /** `https://` URL of the server, with `localhost` where it listens everywhere. */
  readonly url: string
  /** Base URL of the admin port, if there is one. */
  readonly inspector: string | undefined
  /** Goes into the inspector's address (`/?token=`): whoever has it may act on the server and see payloads. */
  readonly inspectorToken: string | undefined
  /** Fingerprints of a self-signed certificate, by which browsers can be told to accept it. */
  readonly certificate: SelfSigned | undefined
  /** With several workers, in each of them: its number, from 0. Undefined in the process that was started. */
  readonly worker: number | undefined
  /**
   * XState inspection events of every stream, connection and handshake; nothing is emitted while nobody listens. With
   * several workers, each has its own, and the process that was started has none.
   */
  readonly inspect$: Observable<InspectionEvent>
  /** A stream, handler, handshake or connection that has just been found past its deadline: once for each state. */
  readonly stuck$: Observable<StuckReport>
  /**
   * Each connection whose handshake completes from now on. Hot, shared, without backpressure: subscribers run while packets
   * are processed. With workers: subscribe in the worker, this process has no connections.
   */
  readonly connections$: Observable<LiveConnection>
  /** Everything that is past its deadline now, with the reason of this moment. */
  stuck(): readonly StuckReport[]
  /** The latest events that reached a machine where they are impossible, oldest first; each is a bug of quactor. */
  missedTransitions(): readonly MissedTransition[]
  /** Live connections with their numbers, the oldest 100; of several workers, the oldest 20 of each. */
  connections(): readonly ConnectionReport[]
  /** The numbers of this moment; of several workers together, those of the last half second. */
  status(): ServerStatus
  /** The numbers of this moment, whatever the number of workers. */
  readStatus(): Promise<ServerStatus>
  /**
   * Shows other certificates to new connections; open ones, and their keys, stay as they are.
   * @throws IdentityError for a chain or key that cannot be used; nothing has changed then
   */
  replaceCertificates(tls: CertificateAndKey | readonly CertificateAndKey[]): void
  /**
   * Drains and stops: requests that were accepted finish, new ones are turned away. With several workers this ends all
   * of them, in whichever process it is called.
   * @param options.timeout after so many ms whatever is left is cut; default 30 s
   */
  close(options?: { readonly timeout?: number }): Promise<DrainReport>
}

/**
 * Starts a server.
 * @throws Error of the system when a port is busy or may not be bound, or the qlog folder cannot be made;
 *   IdentityError for a key that cannot be used; RangeError for a secret that is too short or workers that cannot be so many; TypeError for an origin
 *   that is none
 */
export async function serve(options: ServeOptions = {}): Promise<QuactorServer> {
  const count = workerCount(options.workers)
  if (options.workers !== undefined && isWorkerProcess()) return runWorker(options)
  return count === 1 ? startServer(options) : superviseWorkers(options, count)
}
