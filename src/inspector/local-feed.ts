// The feed of one endpoint. While nobody looks it does not exist: no timer, no tap, no number is kept. While somebody
// looks, all live actors are looked through ten times a second, and every viewer is told what has changed.
// Made by serve(), in each worker too.
//
//   endpoint's registries --scan--> Population --born, moved, gone--> link of each viewer --tick--> viewer
//   machines --tap, numbers only--> tally, histories; events of selections --> link

import type { Endpoint } from '../supervisor/endpoint.ts'
import type { ServerStatus } from '../supervisor/status.ts'
import { makeChart } from './chart-maker.ts'
import { connectionName } from './connection-name.ts'
import type { Feed, FeedLink, Viewer } from './feed.ts'
import { LocalFeedLink } from './feed-link.ts'
import { KEPT_GONE, MOST_SKIPPED, STUCK_EVERY, STUCK_ROWS, TICK_COST, TOTALS_EVERY } from './limits.ts'
import { MachineCatalogue } from './machine-catalogue.ts'
import { packageVersion } from './package-version.ts'
import { Population } from './population.ts'
import {
  type Chart,
  type Fault,
  type Hello,
  type MachineDefinition,
  PROTOCOL_VERSION,
  type StuckRow,
  TICK_INTERVAL,
  type Totals,
} from './protocol.ts'

export interface FeedOptions {
  /** Number of this process among the workers, 0 where it is alone. */
  readonly worker: number
  readonly url: string
  /** Folder of the qlog files, if there are any. */
  readonly qlog: string | undefined
  status(): ServerStatus
  /** Drains the whole server. */
  close(): void
}

/** What is the same for all viewers of one tick. */
export interface TickFacts {
  readonly now: number
  readonly epoch: number
  readonly machines: readonly MachineDefinition[]
  readonly stuck: readonly StuckRow[]
  /** Totals and times in state go along. */
  readonly isFull: boolean
  readonly lag: number
  readonly cost: number
}

export class LocalFeed implements Feed {
  readonly endpoint: Endpoint
  readonly options: FeedOptions
  readonly worker: number
  catalogue: MachineCatalogue
  population: Population
  readonly #links = new Set<LocalFeedLink>()
  #timer: ReturnType<typeof setInterval> | undefined
  #ticks = 0
  #due = 0
  #skips = 0
  #cost = 0
  #stuck: readonly StuckRow[] = []
  /** Events where they are impossible, beside the faults of handlers. */
  #missed: Fault[] = []
  #missedCount = 0

  constructor(endpoint: Endpoint, options: FeedOptions) {
    this.endpoint = endpoint
    this.options = options
    this.worker = options.worker
    this.catalogue = new MachineCatalogue(options.worker)
    this.population = new Population(endpoint, this.catalogue, options.worker)
  }

  /** Monotonic time of the endpoint, ms. */
  readonly now = (): number => Math.floor(this.endpoint.options.clock.now())

  hello(): Hello {
    const { options } = this.endpoint
    const { url, qlog, worker } = this.options
    return {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      version: packageVersion(),
      node: process.version,
      pid: process.pid,
      url,
      backends: { udp: options.sockets[0]?.name ?? 'none', aead: options.backends.name },
      workers: [worker],
      epoch: this.#epoch,
      hasQlog: qlog !== undefined,
      stuckPolicy: this.endpoint.services.settings.stuckPolicy,
    }
  }

  open(viewer: Viewer): FeedLink {
    if (this.#links.size === 0) this.#attach()
    const link = new LocalFeedLink(this, viewer)
    this.#links.add(link)
    viewer.send(JSON.stringify({ type: 'machines', machines: this.catalogue.all }))
    return link
  }

  forget(link: LocalFeedLink): void {
    if (this.#links.delete(link) && this.#links.size === 0) this.#detach()
  }

  /** Ends everything; viewers are told by their own end of the link. */
  close(): void {
    for (const link of [...this.#links]) link.close()
  }

  get #epoch(): number {
    const { clock } = this.endpoint.options
    return clock.wallTime() - Math.floor(clock.now())
  }

  #attach(): void {
    this.endpoint.inspection.setTap(this.population)
    this.#due = performance.now() + TICK_INTERVAL
    this.#timer = setInterval(this.#tick, TICK_INTERVAL)
    this.#timer.unref()
    this.population.scan()
  }

  #detach(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.endpoint.inspection.setTap(undefined)
    this.catalogue = new MachineCatalogue(this.worker)
    this.population = new Population(this.endpoint, this.catalogue, this.worker)
    this.#missed = []
    this.#stuck = []
  }

  readonly #tick = (): void => {
    const started = performance.now()
    const lag = Math.max(0, Math.round((started - this.#due) * 10) / 10)
    this.#due = started + TICK_INTERVAL
    if (this.#skips > 0) {
      this.#skips--
      for (const link of this.#links) link.skip()
      return
    }
    this.#ticks++
    this.population.scan()
    this.#noteMissed()
    if (this.#ticks % STUCK_EVERY === 1) this.#stuck = this.#listStuck()
    const facts: TickFacts = {
      now: this.now(),
      epoch: this.#epoch,
      machines: this.catalogue.takeNews(),
      stuck: this.#stuck,
      isFull: this.#ticks % TOTALS_EVERY === 1,
      lag,
      cost: Math.round(this.#cost * 100) / 100,
    }
    for (const link of [...this.#links]) link.tick(facts)
    this.#cost = performance.now() - started
    this.#skips = Math.min(MOST_SKIPPED, Math.floor(this.#cost / TICK_COST))
  }

  totals(): Totals {
    const { connections, streams, actors, handlers, datagramChannels, timers, buffers, process } =
      this.options.status()
    const { heapUsed } = globalThis.process.memoryUsage()
    return {
      connections,
      streams,
      actors,
      handlers,
      datagramChannels,
      timers,
      buffers,
      process: { ...process, heapUsed },
    }
  }

  chart(machine: number): Promise<Chart> {
    return makeChart(machine, this.catalogue.get(machine))
  }

  // --- faults ----------------------------------------------------------------------------------------------------

  get faultCount(): number {
    return this.endpoint.faults.count + this.#missedCount
  }

  /** Those that came after so many. */
  faultsAfter(count: number): Fault[] {
    const fresh = this.faultCount - count
    if (fresh <= 0) return []
    const own = this.endpoint.faults.list().map(
      ({ time, kind, connection, stream, method, path, error, outcome }): Fault => ({
        time,
        kind,
        connection,
        stream,
        method,
        path: path.split('?')[0]!,
        error: error instanceof Error ? error.message : String(error),
        outcome,
      }),
    )
    return [...own, ...this.#missed].sort((a, b) => a.time - b.time).slice(-fresh)
  }

  #noteMissed(): void {
    const { missed } = this.population
    if (missed.length === 0) return
    this.population.missed = []
    for (const { actor, state, event } of missed) {
      const { table } = actor
      const track = this.population.of(actor)
      this.#missedCount++
      this.#missed.push({
        time: this.now(),
        kind: 'missed',
        connection: track?.supervisor?.name ?? '',
        stream: track?.stream?.id,
        method: '',
        path: '',
        error: `${table.id}: ${table.events[event] ?? 'unknown'} is impossible in ${table.name[state]}`,
        outcome: 'counted as a missed transition',
      })
    }
    this.#missed = this.#missed.slice(-KEPT_GONE)
  }

  // --- what is stuck ---------------------------------------------------------------------------------------------

  #listStuck(): StuckRow[] {
    const reports = this.endpoint.listStuck(STUCK_ROWS)
    if (reports.length === 0) return []
    const now = this.endpoint.options.clock.now()
    const uids = this.#uidsByName()
    return reports
      .map(
        ({ kind, connection, stream, state, timeInState, deadline, waitingFor, reason }): StuckRow => ({
          uid: uids.get(connectionName(kind, connection, stream)) ?? 0,
          kind,
          connection,
          stream,
          state,
          // Whole tenths, so that the list is the same as long as nothing changes.
          since: Math.round((now - timeInState) / 100) * 100,
          deadline,
          waitingFor,
          reason,
        }),
      )
      .sort((a, b) => a.since - b.since)
  }

  #uidsByName(): Map<string, number> {
    const uids = new Map<string, number>()
    for (const { uid, kind, key, supervisor } of this.population.tracks) {
      if (supervisor !== undefined) uids.set(connectionName(kind, supervisor.name, key), uid)
    }
    return uids
  }
}
