// A server that runs: what serve() returns. Owns the endpoint, the TCP fallback, the admin port, and their end.
// Made by start-server.ts.
import { Observable } from 'rxjs'
import type { InspectionEvent } from 'xstate'
import type { Feed } from '../inspector/feed.ts'
import { inspectorDoors } from '../inspector/inspector-doors.ts'
import { InspectorServer } from '../inspector/inspector-server.ts'
import { LocalFeed } from '../inspector/local-feed.ts'
import { type AdminServer, type AdminSource, listenAdmin } from '../supervisor/admin.ts'
import { type ConnectionReport, listConnections } from '../supervisor/connection-report.ts'
import type { Endpoint } from '../supervisor/endpoint.ts'
import type { DrainReport } from '../supervisor/endpoint-drain.ts'
import { EventLoopLag } from '../supervisor/event-loop-lag.ts'
import { CONNECTION_LIST_PER_WORKER, HARD_STOP } from '../supervisor/limits.ts'
import { prometheusText } from '../supervisor/metrics.ts'
import type { MissedTransition } from '../supervisor/missed-transitions.ts'
import { type ServerStatus, statusOf } from '../supervisor/status.ts'
import type { StuckReport } from '../supervisor/stuck-report.ts'
import { countersOf } from '../supervisor/transport-totals.ts'
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { NodeSocket } from '../transport/io/node-socket.ts'
import type { QlogDirectory } from '../transport/io/qlog-directory.ts'
import type { SelfSigned } from '../transport/io/self-signed.ts'
import { type CertificateStore, identitiesOf } from './certificate-store.ts'
import { connectionsOf, type LiveConnection } from './live-connections.ts'
import type { CertificateAndKey, QuactorServer } from './serve.ts'
import { chainsOf } from './server-certificate.ts'
import { urlOf } from './server-url.ts'
import { containStrayErrors } from './stray-errors.ts'
import type { TcpServer } from './tcp-server.ts'
import type { WorkerReport } from './workers/worker-report.ts'
import type { WorkerShare } from './workers/worker-share.ts'

/** What a server has beside its endpoint and its ports. */
export interface ServerBelongings {
  readonly certificates: CertificateStore
  readonly selfSigned: SelfSigned | undefined
  readonly qlog: QlogDirectory | undefined
}

export class RunningServer implements QuactorServer {
  readonly port: number
  readonly address: string
  readonly certificate: SelfSigned | undefined
  readonly worker: number | undefined
  readonly inspect$: Observable<InspectionEvent>
  readonly stuck$: Observable<StuckReport>
  readonly connections$: Observable<LiveConnection>
  readonly #endpoint: Endpoint
  readonly #tcp: readonly TcpServer[]
  readonly #qlog: QlogDirectory | undefined
  readonly #certificates: CertificateStore
  readonly #share: WorkerShare | undefined
  readonly #ended = Promise.withResolvers<DrainReport>()
  readonly #lag = new EventLoopLag()
  readonly #feed: LocalFeed
  #admin: AdminServer | undefined
  #inspector: InspectorServer | undefined
  #endContainment: (() => void) | undefined
  #closing: Promise<DrainReport> | undefined

  constructor(
    endpoint: Endpoint,
    { udp, tcp }: { readonly udp: readonly NodeSocket[]; readonly tcp: readonly TcpServer[] },
    { certificates, selfSigned, qlog }: ServerBelongings,
    share?: WorkerShare,
  ) {
    this.#endpoint = endpoint
    this.#tcp = tcp
    this.#qlog = qlog
    this.#share = share
    this.worker = share?.role.index
    this.certificate = selfSigned
    this.#certificates = certificates
    this.port = udp[0].localPort
    this.address = udp[0].localAddress
    this.inspect$ = new Observable((subscriber) =>
      endpoint.inspection.inspect((event) => subscriber.next(event)),
    )
    this.#feed = new LocalFeed(endpoint, {
      worker: share?.role.index ?? 0,
      url: this.url,
      qlog: qlog?.path,
      status: () => this.status(),
      close: () => void this.close(),
    })
    this.connections$ = connectionsOf(endpoint.connections)
    this.stuck$ = new Observable((subscriber) =>
      endpoint.stuck.subscribe((report) => subscriber.next(report)),
    )
  }

  get url(): string {
    return urlOf(this.address, this.port)
  }

  get inspector(): string | undefined {
    return this.#admin?.url
  }

  get inspectorToken(): string | undefined {
    return this.#inspector?.token
  }

  /** What a page sees of this process. */
  get feed(): Feed {
    return this.#feed
  }

  async openAdmin(port: number): Promise<void> {
    const source = {
      status: () => this.status(),
      metrics: () => prometheusText(this.status(), countersOf(this.#endpoint)),
      details: detailsOf(this.#endpoint),
    }
    const attachment = new InspectorServer(this.#feed, inspectorDoors(this.#feed))
    this.#admin = await listenAdmin({ port, source, attachment })
    this.#inspector = attachment
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

  connections(): readonly ConnectionReport[] {
    return listConnections(this.#endpoint.entries)
  }

  status(): ServerStatus {
    return statusOf(this.#endpoint, {
      rss: () => process.memoryUsage.rss(),
      eventLoopLagP99Ms: () => this.#lag.p99(),
    })
  }

  async readStatus(): Promise<ServerStatus> {
    return this.status()
  }

  /** Everything that the server of several workers tells of this one. */
  report(): WorkerReport {
    const { entries, missed, invariants } = this.#endpoint
    return {
      status: this.status(),
      counters: { ...countersOf(this.#endpoint) },
      connections: listConnections(entries, CONNECTION_LIST_PER_WORKER),
      stuck: this.stuck(),
      missed: { counts: missed.counts(), latest: missed.list() },
      invariants: { mode: invariants.mode, latest: invariants.list() },
    }
  }

  /** A datagram that another worker got, by its socket of this number. The buffer is borrowed. */
  takeOver(
    socket: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
  ): void {
    this.#endpoint.takeOver(socket, buffer, start, end, remote, ecn)
  }

  replaceCertificates(tls: CertificateAndKey | readonly CertificateAndKey[]): void {
    const chains = chainsOf(tls)
    if (this.#share !== undefined) {
      // Unusable ones are refused here; all workers change together.
      identitiesOf(chains)
      this.#share.replaceCertificates(chains)
      return
    }
    this.exchangeCertificates(chains)
  }

  /** In this process. */
  exchangeCertificates(chains: readonly CertificateAndKey[]): void {
    this.#certificates.replace(chains)
    for (const server of this.#tcp) server.setSecureContext(this.#certificates.first)
  }

  close(options: { readonly timeout?: number } = {}): Promise<DrainReport> {
    const timeout = options.timeout ?? HARD_STOP
    if (this.#share === undefined) return this.end(timeout)
    this.#share.closeAll(timeout)
    return this.#ended.promise
  }

  /** Ends this process's part. @param timeout ms after which whatever is left is cut */
  end(timeout: number): Promise<DrainReport> {
    this.#closing ??= this.#close(timeout)
    if (this.#share !== undefined) this.#ended.resolve(this.#closing)
    return this.#closing
  }

  async #close(timeout: number): Promise<DrainReport> {
    const tcp = this.#tcp.map((server) => server.close(timeout))
    const report = await this.#endpoint.close(timeout)
    await Promise.all(tcp)
    this.#feed.close()
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
    '/connections': () => listConnections(endpoint.entries),
    '/stuck': () => endpoint.listStuck(),
    '/missed': () => ({ counts: endpoint.missed.counts(), latest: endpoint.missed.list() }),
    '/invariants': () => ({ mode: endpoint.invariants.mode, latest: endpoint.invariants.list() }),
  }
}
