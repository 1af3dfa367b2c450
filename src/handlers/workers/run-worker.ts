// serve({ workers }) in a process that was started as a worker: gets from the server what the workers share, serves, and
// does what it is told. Called by serve().
//
// The process lives for the server: it leaves SIGINT and SIGTERM to the process that the user started (a terminal, or a
// service manager, sends them to all), and ends when that one is gone.
import { systemClock } from '../../transport/io/clock.ts'
import type { TicketSecrets } from '../../transport/tls/index.ts'
import type { RunningServer } from '../running-server.ts'
import type { QuactorServer, ServeOptions } from '../serve.ts'
import { startServer } from '../start-server.ts'
import type { FrameReceiver } from './hand-over-frames.ts'
import { InspectedWorker } from './inspected-worker.ts'
import { ORPHAN_TIMEOUT, REPORT_INTERVAL } from './limits.ts'
import { removeFolder, SharedReplayMemory } from './shared-replay-memory.ts'
import { WorkerLinks } from './worker-links.ts'
import {
  type FromWorker,
  type ToWorker,
  tellError,
  WORKER_MARK,
  type WorkerSetup,
} from './worker-messages.ts'
import type { WorkerShare } from './worker-share.ts'

const isWorker = process.env[WORKER_MARK] !== undefined && process.send !== undefined
// Processes that user code starts are none of ours.
delete process.env[WORKER_MARK]

let isRunning = false

/** Whether this process was started to be a worker. */
export function isWorkerProcess(): boolean {
  return isWorker
}

/** Rejects with the reason why it cannot serve, of which the server learns too. */
export async function runWorker(options: ServeOptions): Promise<QuactorServer> {
  if (isRunning) throw new Error('a process can have one server with workers')
  isRunning = true
  const worker = new Worker()
  try {
    return await worker.start(options)
  } catch (error) {
    await tell({ type: 'failed', error: tellError(error) })
    worker.leave()
    throw error
  }
}

class Worker {
  readonly #clock = systemClock()
  readonly #setup = Promise.withResolvers<WorkerSetup>()
  readonly #inspected = new InspectedWorker((viewer, text) => void tell({ type: 'inspected', viewer, text }))
  #links: WorkerLinks | undefined
  #server: RunningServer | undefined
  #ticketSecrets: TicketSecrets | undefined
  #reporting: ReturnType<typeof setInterval> | undefined
  #directory: string | undefined
  #isLeaving = false

  async start(options: ServeOptions): Promise<RunningServer> {
    process.on('message', this.#handle)
    process.on('disconnect', this.#handleOrphaned)
    process.on('SIGINT', ignore)
    process.on('SIGTERM', ignore)
    await tell({ type: 'hello' })
    const setup = await this.#setup.promise
    this.#directory = setup.directory
    this.#ticketSecrets = setup.ticketSecrets
    const { directory, index, count } = setup
    const take: FrameReceiver = (socket, buffer, start, end, remote, ecn) => {
      this.#server?.takeOver(socket, buffer, start, end, remote, ecn)
    }
    this.#links = new WorkerLinks(directory, index, count, this.#clock, take)
    await this.#links.listen()
    const server = await startServer(options, this.#shareOf(setup, options))
    this.#server = server
    server.stuck$.subscribe((report) => void tell({ type: 'stuck', report }))
    this.#reporting = setInterval(() => this.#report(), REPORT_INTERVAL)
    this.#report()
    await tell({ type: 'ready' })
    return server
  }

  /** Nothing keeps the process alive any more but the program itself. */
  leave(): void {
    this.#isLeaving = true
    clearInterval(this.#reporting)
    this.#links?.close()
    process.off('message', this.#handle)
    if (process.connected) process.disconnect?.()
  }

  #shareOf(setup: WorkerSetup, { ticketKeys }: ServeOptions): WorkerShare {
    const isOwnRing = ticketKeys === false || typeof ticketKeys === 'function'
    return {
      port: setup.port,
      certificate: setup.certificate,
      secret: setup.secret,
      tickets: isOwnRing ? {} : { ticketKeys: () => this.#ticketSecrets ?? [] },
      antiReplay: new SharedReplayMemory(setup.directory, setup.replayId, setup.count),
      role: {
        index: setup.index,
        count: setup.count,
        since: this.#clock.wallTime(),
        send: (worker, buffer, start, end, remote, socket, ecn) =>
          this.#links!.send(worker, buffer, start, end, remote, socket, ecn),
      },
      replaceCertificates: (chains) => void tell({ type: 'certificates', chains }),
      closeAll: (timeout) => void tell({ type: 'close', timeout }),
    }
  }

  #handle = (message: ToWorker): void => {
    if (message.type === 'setup') this.#setup.resolve(message.setup)
    else if (message.type === 'ticketSecrets') this.#ticketSecrets = message.secrets
    else if (message.type === 'certificates') this.#server?.exchangeCertificates(message.chains)
    else if (message.type === 'ask') this.#report(message.id)
    else if (message.type === 'inspect')
      this.#inspected.handle(this.#server?.feed, message.viewer, message.request)
    else void this.#end(message.timeout)
  }

  #report(id?: number): void {
    const report = this.#server?.report()
    if (report !== undefined) void tell({ type: 'report', report, ...(id === undefined ? {} : { id }) })
  }

  async #end(timeout: number): Promise<void> {
    if (this.#server === undefined) process.exit(0)
    const drain = await this.#server.end(timeout)
    this.#report()
    await tell({ type: 'closed', drain })
    this.leave()
  }

  /** The server has died without a word: nobody would look after this process, or end it. */
  #handleOrphaned = (): void => {
    if (this.#isLeaving) return
    const leave = (): never => {
      if (this.#directory !== undefined) removeFolder(this.#directory)
      process.exit(1)
    }
    if (this.#server === undefined) leave()
    else this.#server.end(ORPHAN_TIMEOUT).then(leave, leave)
  }
}

/** Resolves when the message has left, or cannot leave any more. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve()
    else process.send!(message, undefined, undefined, () => resolve())
  })
}

/** These signals are for the process that the user started. */
function ignore(): void {}
