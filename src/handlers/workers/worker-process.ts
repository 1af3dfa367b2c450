// The place of one worker: starts its process, watches it, starts it again when it ends by itself, and ends it. Its life
// is machines/worker-machine.ts. Owned by workers-server.ts.
import { type ChildProcess, fork } from 'node:child_process'
import {
  type ActorOwner,
  type ActorSubject,
  createLifeActor,
  type LifeActor,
  WorkerAction,
  WorkerEvent,
  WorkerPhase,
  workerLife,
} from '../../machines/index.ts'
import { CrashIntensity } from '../../supervisor/crash-intensity.ts'
import type { DrainReport } from '../../supervisor/endpoint-drain.ts'
import type { WorkerStatus } from '../../supervisor/status.ts'
import type { StuckReport } from '../../supervisor/stuck-report.ts'
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import type { CertificateAndKey } from '../serve.ts'
import {
  ASK_TIMEOUT,
  WORKER_CLOSE_MARGIN,
  WORKER_CRASH_LIMIT,
  WORKER_CRASH_WINDOW,
  WORKER_EXIT_GRACE,
  WORKER_PAUSE,
  WORKER_START_TIMEOUT,
} from './limits.ts'
import { type FromWorker, type ToWorker, toError, WORKER_MARK, type WorkerSetup } from './worker-messages.ts'
import { totalsOf, type WorkerReport } from './worker-report.ts'

/** Whoever owns the workers. */
export interface WorkerOwner {
  readonly clock: Clock
  readonly actorOwner: ActorOwner
  setupOf(index: number): WorkerSetup
  handleReady(worker: WorkerProcess): void
  /** Its process ended without being told to. */
  handleCrash(worker: WorkerProcess, error: Error, pause: number): void
  handleStuck(report: StuckReport): void
  /** It says something to a viewer of the inspector. */
  handleInspected(worker: WorkerProcess, viewer: number, text: string): void
  /** The program in the worker wants the whole server closed. */
  handleCloseWish(timeout: number): void
  /** The program in the worker wants other certificates in all of them. */
  replaceCertificates(chains: readonly CertificateAndKey[]): void
  handleClosed(worker: WorkerProcess): void
}

/** What a debugger listens on belongs to the first process. */
function isInspectorOption(argument: string): boolean {
  return argument.startsWith('--inspect')
}

/** Starts the program that runs here once more, as a worker. */
function forkProgram(): ChildProcess {
  return fork(process.argv[1], process.argv.slice(2), {
    execArgv: process.execArgv.filter((argument) => !isInspectorOption(argument)),
    env: { ...process.env, [WORKER_MARK]: '1' },
    serialization: 'advanced',
  })
}

export class WorkerProcess implements ActorSubject {
  readonly index: number
  /** Processes that have ended here without being told to. */
  crashes = 0
  drain: DrainReport = { finished: 0, cut: 0 }
  readonly #owner: WorkerOwner
  readonly #actor: LifeActor
  readonly #intensity = new CrashIntensity(WORKER_CRASH_LIMIT, WORKER_CRASH_WINDOW)
  #child: ChildProcess | undefined
  #timer: TimerHandle | undefined
  #timeout = 0
  #failure: Error | undefined
  /** Of the process at hand, and what is left of those before. */
  #report: WorkerReport | undefined
  #ended: WorkerReport | undefined
  readonly #asked = new Map<number, () => void>()
  #nextAsk = 1

  constructor(index: number, owner: WorkerOwner) {
    this.index = index
    this.#owner = owner
    this.#actor = createLifeActor(workerLife, `worker ${index}`, owner.actorOwner, this)
    this.#actor.start()
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get isRunning(): boolean {
    return this.#actor.phase === WorkerPhase.running
  }

  get isClosed(): boolean {
    return this.#actor.phase === WorkerPhase.closed
  }

  /** The latest of the process at hand, and the totals of its forerunners. */
  get reports(): readonly WorkerReport[] {
    return [this.#ended, this.#report].filter((report) => report !== undefined)
  }

  get status(): WorkerStatus {
    const { status, counters } = this.#report ?? {}
    return {
      id: this.index,
      pid: this.pid,
      state: workerLife.name[this.#actor.state],
      connections: { live: status?.connections.live ?? 0 },
      restarts: this.crashes,
      handedOver: counters?.handedOver ?? 0,
      handOverDropped: counters?.handOverDropped ?? 0,
    }
  }

  start(): void {
    this.#actor.raise(WorkerEvent.restartDue)
  }

  /** @param timeout ms after which whatever is left is cut */
  close(timeout: number): void {
    this.#timeout = timeout
    this.#actor.raise(WorkerEvent.close)
    if (this.isClosed) this.#end()
  }

  tell(message: ToWorker): void {
    if (this.#child?.connected === true) this.#child.send(message, ignoreResult)
  }

  /** Has the worker report now; resolves also when it does not. */
  refresh(): Promise<void> {
    if (!this.isRunning) return Promise.resolve()
    const { clock } = this.#owner
    const id = this.#nextAsk++
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimer(timer)
        this.#asked.delete(id)
        resolve()
      }
      const timer = clock.setTimer(clock.now() + ASK_TIMEOUT, done)
      this.#asked.set(id, done)
      this.tell({ type: 'ask', id })
    })
  }

  perform(action: number): void {
    if (action === WorkerAction.launch) this.#launch()
    else if (action === WorkerAction.kill) this.#child?.kill('SIGKILL')
    else if (action === WorkerAction.tellClose) {
      this.tell({ type: 'close', timeout: this.#timeout })
      this.#arm(this.#timeout + WORKER_CLOSE_MARGIN, WorkerEvent.timeout)
    } else this.#scheduleRestart()
  }

  #launch(): void {
    this.#failure = undefined
    const child = forkProgram()
    this.#child = child
    this.#arm(WORKER_START_TIMEOUT, WorkerEvent.timeout)
    child.on('message', (message) => {
      if (this.#child === child) this.#handle(message as FromWorker)
    })
    child.on('error', (error) => {
      this.#failure ??= error
      // A process that could not be made does not exit.
      if (child.pid === undefined) this.#handleExit(child, null, null)
    })
    child.on('exit', (code, signal) => this.#handleExit(child, code, signal))
  }

  #handle(message: FromWorker): void {
    if (message.type === 'hello') this.tell({ type: 'setup', setup: this.#owner.setupOf(this.index) })
    else if (message.type === 'ready') {
      this.#disarm()
      this.#actor.raise(WorkerEvent.ready)
      if (this.isRunning) this.#owner.handleReady(this)
      else this.#arm(this.#timeout + WORKER_CLOSE_MARGIN, WorkerEvent.timeout)
    } else if (message.type === 'failed') this.#failure = toError(message.error)
    else if (message.type === 'report') {
      this.#report = message.report
      if (message.id !== undefined) this.#asked.get(message.id)?.()
    } else if (message.type === 'stuck') this.#owner.handleStuck(message.report)
    else if (message.type === 'inspected') this.#owner.handleInspected(this, message.viewer, message.text)
    else if (message.type === 'close') this.#owner.handleCloseWish(message.timeout)
    else if (message.type === 'certificates') this.#owner.replaceCertificates(message.chains)
    else {
      this.drain = message.drain
      if (this.#actor.phase === WorkerPhase.closing) this.#arm(WORKER_EXIT_GRACE, WorkerEvent.timeout)
    }
  }

  #handleExit(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child !== child) return
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`
    this.#failure ??= new Error(`worker ${this.index} (pid ${child.pid}) ended ${how}`)
    this.#child = undefined
    this.#disarm()
    if (this.#report !== undefined) this.#ended = totalsOf(this.#report, this.#ended)
    this.#report = undefined
    for (const done of [...this.#asked.values()]) done()
    this.#actor.raise(WorkerEvent.exited)
    if (this.isClosed) this.#end()
  }

  #scheduleRestart(): void {
    const { clock } = this.#owner
    this.crashes++
    const pause = this.#intensity.record(clock.now()) ? WORKER_PAUSE : 0
    this.#arm(pause, WorkerEvent.restartDue)
    this.#owner.handleCrash(this, this.#failure!, pause)
  }

  #arm(delay: number, event: number): void {
    this.#disarm()
    const { clock } = this.#owner
    this.#timer = clock.setTimer(clock.now() + delay, () => {
      this.#timer = undefined
      this.#actor.raise(event)
    })
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#owner.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #end(): void {
    this.#disarm()
    this.#owner.handleClosed(this)
  }
}

/** A worker that is about to end takes no message any more; its exit is what counts. */
function ignoreResult(): void {}
