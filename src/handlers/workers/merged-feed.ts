// The feeds of all workers as one: each viewer has a link in every worker, and what they say is passed on as it is. A worker
// goes on only when the viewer has taken what it said before, so that a slow page leaves out ticks where they are made.
// Made by workers-server.ts; the workers' side is inspected-worker.ts.
import type { Feed, FeedLink, FeedRequest, Viewer } from '../../inspector/feed.ts'
import { VIEWER_BACKLOG } from '../../inspector/limits.ts'
import { MACHINES_PER_WORKER } from '../../inspector/machine-catalogue.ts'
import { packageVersion } from '../../inspector/package-version.ts'
import { UIDS_PER_WORKER } from '../../inspector/population.ts'
import { type Hello, PROTOCOL_VERSION, type ServerMessage, TICK_INTERVAL } from '../../inspector/protocol.ts'
import type { InspectRequest } from './worker-messages.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What the feed needs of the server. */
export interface MergedFeedOptions {
  readonly url: string
  readonly hasQlog: boolean
  readonly stuckPolicy: 'report' | 'reset'
  backends(): Hello['backends']
  workers(): readonly WorkerProcess[]
  close(): void
}

export class MergedFeed implements Feed {
  readonly options: MergedFeedOptions
  readonly #links = new Map<number, MergedLink>()
  #lastViewer = 0

  constructor(options: MergedFeedOptions) {
    this.options = options
  }

  hello(): Hello {
    const { url, hasQlog, stuckPolicy } = this.options
    return {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      version: packageVersion(),
      node: process.version,
      pid: process.pid,
      url,
      backends: this.options.backends(),
      workers: this.options.workers().map(({ index }) => index),
      // Each worker tells its own.
      epoch: 0,
      hasQlog,
      stuckPolicy,
    }
  }

  open(viewer: Viewer): FeedLink {
    this.#lastViewer++
    const link = new MergedLink(this, this.#lastViewer, viewer)
    this.#links.set(this.#lastViewer, link)
    for (const worker of this.options.workers()) if (worker.isRunning) link.join(worker)
    return link
  }

  forget(viewer: number): void {
    this.#links.delete(viewer)
  }

  // --- what happens to workers -----------------------------------------------------------------------------------

  handleUp(worker: WorkerProcess): void {
    for (const link of this.#links.values()) link.handleUp(worker)
  }

  handleDown(worker: WorkerProcess): void {
    for (const link of this.#links.values()) link.handleDown(worker)
  }

  handleText(worker: WorkerProcess, viewer: number, text: string): void {
    this.#links.get(viewer)?.pass(worker, text)
  }
}

class MergedLink implements FeedLink {
  readonly #feed: MergedFeed
  readonly #id: number
  readonly #viewer: Viewer
  /** Characters that each worker has said and that the viewer has not taken. */
  readonly #owed = new Map<WorkerProcess, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What a worker that comes later has to know. */
  #isPaused = false
  #isRevealed = false
  #watched = 0

  constructor(feed: MergedFeed, id: number, viewer: Viewer) {
    this.#feed = feed
    this.#id = id
    this.#viewer = viewer
  }

  join(worker: WorkerProcess): void {
    this.#owed.set(worker, 0)
    this.#ask(worker, { type: 'open' })
    if (this.#isRevealed) this.#ask(worker, { type: 'reveal', isRevealed: true })
    if (this.#watched > 0) this.#ask(worker, { type: 'watch', most: this.#watched })
    if (this.#isPaused) this.#ask(worker, { type: 'pause', isPaused: true })
  }

  handleUp(worker: WorkerProcess): void {
    if (this.#owed.has(worker)) return
    this.#tell({ type: 'worker', worker: worker.index, isLive: true })
    this.join(worker)
  }

  handleDown(worker: WorkerProcess): void {
    if (this.#owed.delete(worker)) this.#tell({ type: 'worker', worker: worker.index, isLive: false })
  }

  pass(worker: WorkerProcess, text: string): void {
    this.#viewer.send(text)
    this.#owed.set(worker, (this.#owed.get(worker) ?? 0) + text.length)
    this.#settle()
  }

  request(request: FeedRequest): void {
    if (request.type === 'select') this.#select(request)
    else if (request.type === 'action') this.#act(request)
    else if (request.type === 'export') this.#askOne(this.#owner(request.uid), request, request.id)
    else if (request.type === 'chart') {
      this.#askOne(this.#worker(Math.floor(request.machine / MACHINES_PER_WORKER)), request)
    } else if (request.type === 'watch') {
      this.#watched = Math.ceil(request.most / Math.max(1, this.#owed.size))
      this.#askAll({ type: 'watch', most: this.#watched })
    } else {
      if (request.type === 'pause') this.#isPaused = request.isPaused
      else if (request.type === 'reveal') this.#isRevealed = request.isRevealed
      this.#askAll(request)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#askAll({ type: 'close' })
    this.#owed.clear()
    this.#feed.forget(this.#id)
  }

  #select(request: Extract<FeedRequest, { type: 'select' }>): void {
    const owner = this.#owner(request.uid)
    for (const worker of this.#owed.keys())
      this.#ask(worker, worker === owner ? request : { type: 'deselect' })
  }

  #act(request: Extract<FeedRequest, { type: 'action' }>): void {
    const { action, id } = request
    if (action.kind !== 'drainServer') {
      this.#askOne(this.#owner(action.uid), request, id)
      return
    }
    this.#tell({ type: 'result', id, isDone: true, message: 'the server drains' })
    this.#feed.options.close()
  }

  #owner(uid: number): WorkerProcess | undefined {
    return this.#worker(Math.floor(uid / UIDS_PER_WORKER))
  }

  #worker(index: number): WorkerProcess | undefined {
    for (const worker of this.#owed.keys()) if (worker.index === index) return worker
    return undefined
  }

  #askAll(request: InspectRequest): void {
    for (const worker of this.#owed.keys()) this.#ask(worker, request)
  }

  #askOne(worker: WorkerProcess | undefined, request: InspectRequest, id?: number): void {
    if (worker !== undefined) this.#ask(worker, request)
    else if (id !== undefined)
      this.#tell({ type: 'result', id, isDone: false, error: 'gone', message: 'its worker is gone' })
  }

  #ask(worker: WorkerProcess, request: InspectRequest): void {
    worker.tell({ type: 'inspect', viewer: this.#id, request })
  }

  #tell(message: ServerMessage): void {
    this.#viewer.send(JSON.stringify(message))
  }

  /** Tells the workers what was taken, now or when it is. */
  #settle(): void {
    if (this.#viewer.backlog > VIEWER_BACKLOG) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#settle()
      }, TICK_INTERVAL)
      this.#timer.unref()
      return
    }
    for (const [worker, length] of this.#owed) {
      if (length === 0) continue
      this.#owed.set(worker, 0)
      this.#ask(worker, { type: 'taken', length })
    }
  }
}
