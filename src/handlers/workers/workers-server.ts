// A server of several workers, as the process that the user started sees it: its numbers are the sums of theirs, its end
// is the end of all. Made by supervise-workers.ts.
import { NEVER, Observable } from 'rxjs'
import type { InspectionEvent } from 'xstate'
import { inspectorDoors } from '../../inspector/inspector-doors.ts'
import { InspectorServer } from '../../inspector/inspector-server.ts'
import type { ActorOwner } from '../../machines/index.ts'
import { type AdminServer, listenAdmin } from '../../supervisor/admin.ts'
import type { ConnectionReport } from '../../supervisor/connection-report.ts'
import type { DrainReport } from '../../supervisor/endpoint-drain.ts'
import { HARD_STOP } from '../../supervisor/limits.ts'
import { prometheusText } from '../../supervisor/metrics.ts'
import { type MissedTransition, MissedTransitions } from '../../supervisor/missed-transitions.ts'
import type { ServerStatus } from '../../supervisor/status.ts'
import { StuckFeed } from '../../supervisor/stuck-feed.ts'
import type { StuckReport } from '../../supervisor/stuck-report.ts'
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import { systemEntropy } from '../../transport/io/entropy.ts'
import type { SelfSigned } from '../../transport/io/self-signed.ts'
import { REPLAY_WINDOW } from '../../transport/tls/limits.ts'
import { identitiesOf } from '../certificate-store.ts'
import type { ReportHandlerFault } from '../fault-report.ts'
import type { LiveConnection } from '../live-connections.ts'
import type { CertificateAndKey, QuactorServer, ServeOptions } from '../serve.ts'
import { chainsOf, type ServerCertificate } from '../server-certificate.ts'
import { urlOf } from '../server-url.ts'
import { REPLAY_ID_LENGTH } from './limits.ts'
import { MergedFeed } from './merged-feed.ts'
import { sweepReplayMemory } from './shared-replay-memory.ts'
import { RotatingSecrets } from './ticket-secrets.ts'
import type { WorkerSetup } from './worker-messages.ts'
import { type WorkerOwner, WorkerProcess } from './worker-process.ts'
import { sumCounters, sumMissed, sumStatus, type WorkerReport } from './worker-report.ts'

export interface WorkersServerOptions {
  readonly options: ServeOptions
  readonly count: number
  readonly port: number
  readonly address: string
  readonly certificate: ServerCertificate
  readonly secret: Uint8Array
  /** Folder of the workers' links. */
  readonly directory: string
  readonly clock: Clock
  readonly report: ReportHandlerFault
  /** Called once, when no process is left. */
  handleEnd(directory: string): void
}

export class WorkersServer implements QuactorServer, WorkerOwner {
  readonly port: number
  readonly address: string
  readonly certificate: SelfSigned | undefined
  readonly worker = undefined
  readonly inspect$: Observable<InspectionEvent> = NEVER
  readonly connections$: Observable<LiveConnection> = NEVER
  readonly stuck$: Observable<StuckReport>
  readonly clock: Clock
  readonly actorOwner: ActorOwner
  readonly #settings: WorkersServerOptions
  readonly #workers: readonly WorkerProcess[]
  readonly #stuck = new StuckFeed()
  /** Of the workers' machines, which live in this process. */
  readonly #missed = new MissedTransitions()
  readonly #tickets: RotatingSecrets | undefined
  readonly #started = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<DrainReport>()
  readonly #replayId = new Uint8Array(REPLAY_ID_LENGTH)
  #replaySweep: TimerHandle | undefined
  readonly #feed: MergedFeed
  #admin: AdminServer | undefined
  #inspector: InspectorServer | undefined
  /** What workers are given that start from now on. */
  #certificate: ServerCertificate
  #phase: 'starting' | 'running' | 'closing' = 'starting'

  constructor(settings: WorkersServerOptions) {
    this.#settings = settings
    this.port = settings.port
    this.address = settings.address
    this.certificate = settings.certificate.selfSigned
    this.#certificate = settings.certificate
    this.clock = settings.clock
    this.actorOwner = this.#makeActorOwner()
    systemEntropy().fill(this.#replayId)
    if (settings.options.earlyData === true) this.#armReplaySweep()
    this.#feed = this.#makeFeed()
    this.stuck$ = new Observable((subscriber) => this.#stuck.subscribe((report) => subscriber.next(report)))
    if (settings.options.ticketKeys === undefined) {
      this.#tickets = new RotatingSecrets(this.clock, (secrets) => {
        for (const worker of this.#workers) worker.tell({ type: 'ticketSecrets', secrets })
      })
    }
    this.#workers = Array.from({ length: settings.count }, (_, index) => new WorkerProcess(index, this))
  }

  /** Resolves when all workers serve; rejects with the reason why one of them does not, and nothing runs then. */
  async start(): Promise<void> {
    for (const worker of this.#workers) worker.start()
    try {
      await this.#started.promise
      const { inspector } = this.#settings.options
      if (inspector) await this.#openAdmin(inspector.port)
      this.#phase = 'running'
    } catch (error) {
      await this.close({ timeout: 0 })
      throw error
    }
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

  connections(): readonly ConnectionReport[] {
    return this.#reports.flatMap(({ connections }) => connections)
  }

  stuck(): readonly StuckReport[] {
    return this.#reports.flatMap(({ stuck }) => stuck)
  }

  missedTransitions(): readonly MissedTransition[] {
    return [...this.#missed.list(), ...sumMissed(this.#reports).latest]
  }

  status(): ServerStatus {
    const workers = this.#workers.map(({ status }) => status)
    return sumStatus(this.#reports, workers, process.memoryUsage.rss())
  }

  async readStatus(): Promise<ServerStatus> {
    await this.#refresh()
    return this.status()
  }

  replaceCertificates(tls: CertificateAndKey | readonly CertificateAndKey[]): void {
    const chains = chainsOf(tls)
    // Unusable ones are refused here, before any worker is told.
    identitiesOf(chains)
    this.#certificate = { chains }
    for (const worker of this.#workers) worker.tell({ type: 'certificates', chains })
  }

  close(options: { readonly timeout?: number } = {}): Promise<DrainReport> {
    if (this.#phase !== 'closing') {
      this.#phase = 'closing'
      for (const worker of this.#workers) worker.close(options.timeout ?? HARD_STOP)
    }
    return this.#ended.promise
  }

  // --- what the workers tell -----------------------------------------------------------------------------------

  setupOf(index: number): WorkerSetup {
    const { count, port, secret, directory, options } = this.#settings
    const certificate = this.#certificate
    const given = Array.isArray(options.ticketKeys) ? options.ticketKeys : undefined
    const ticketSecrets = this.#tickets?.current ?? given
    return { index, count, port, certificate, secret, ticketSecrets, replayId: this.#replayId, directory }
  }

  handleReady(worker: WorkerProcess): void {
    this.#feed.handleUp(worker)
    if (this.#workers.every(({ isRunning }) => isRunning)) this.#started.resolve()
  }

  handleCrash(worker: WorkerProcess, error: Error, pause: number): void {
    this.#feed.handleDown(worker)
    if (this.#phase === 'starting') {
      this.#started.reject(error)
      return
    }
    const next = pause === 0 ? 'it is started again' : `too often: it is started again in ${pause / 1_000} s`
    const fault = new Error(`${error.message}; ${next}`, { cause: error })
    this.#settings.report({ kind: 'worker', method: '', path: '', error: fault })
  }

  handleStuck(report: StuckReport): void {
    this.#stuck.emit(report)
  }

  handleInspected(worker: WorkerProcess, viewer: number, text: string): void {
    this.#feed.handleText(worker, viewer, text)
  }

  handleCloseWish(timeout: number): void {
    void this.close({ timeout })
  }

  handleClosed(): void {
    if (this.#workers.every(({ isClosed }) => isClosed)) void this.#finish()
  }

  async #finish(): Promise<void> {
    this.#tickets?.stop()
    if (this.#replaySweep !== undefined) this.clock.clearTimer(this.#replaySweep)
    await this.#admin?.close()
    this.#settings.handleEnd(this.#settings.directory)
    const drain = { finished: 0, cut: 0 }
    for (const worker of this.#workers) {
      drain.finished += worker.drain.finished
      drain.cut += worker.drain.cut
    }
    this.#ended.resolve(drain)
  }

  #armReplaySweep(): void {
    const { clock } = this
    this.#replaySweep = clock.setTimer(clock.now() + REPLAY_WINDOW, () => {
      this.#armReplaySweep()
      // What cannot be removed now can be later, or at the end.
      sweepReplayMemory(this.#settings.directory, clock.wallTime()).catch(() => {})
    })
  }

  get #reports(): readonly WorkerReport[] {
    return this.#workers.flatMap(({ reports }) => reports)
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.refresh()))
  }

  async #openAdmin(port: number): Promise<void> {
    const fresh = async <Value>(take: () => Value): Promise<Value> => {
      await this.#refresh()
      return take()
    }
    const attachment = new InspectorServer(this.#feed, inspectorDoors(this.#feed))
    this.#admin = await listenAdmin({
      port,
      attachment,
      source: {
        status: () => this.readStatus(),
        metrics: () => fresh(() => prometheusText(this.status(), sumCounters(this.#reports))),
        details: {
          '/connections': () => fresh(() => this.connections()),
          '/stuck': () => fresh(() => this.stuck()),
          '/missed': () => fresh(() => sumMissed(this.#reports)),
          '/invariants': () => fresh(() => this.#invariants()),
        },
      },
    })
    this.#inspector = attachment
  }

  #makeFeed(): MergedFeed {
    const { options } = this.#settings
    return new MergedFeed({
      url: this.url,
      hasQlog: options.qlogDirectory !== undefined,
      stuckPolicy: options.supervision?.stuckPolicy ?? 'report',
      backends: () => this.status().backends,
      workers: () => this.#workers,
      close: () => void this.close(),
    })
  }

  #invariants(): WorkerReport['invariants'] {
    const all = this.#reports.map(({ invariants }) => invariants)
    const { mode } = all.findLast((each) => each.mode !== '') ?? { mode: '' }
    return { mode, latest: all.flatMap(({ latest }) => latest) }
  }

  #makeActorOwner(): ActorOwner {
    const { clock } = this
    return {
      handleFinal: () => {},
      handleMissed: (actor, state, event) => this.#missed.record('', actor, state, event),
      get time() {
        return Math.floor(clock.now())
      },
      inspector: undefined,
    }
  }
}
