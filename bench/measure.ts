// Rows of the benchmark: one server and one load generator, each a process of its own, measured in alternating
// rounds. CPU is the server process's own accounting, because wall time on a busy machine says little.
import { Child, type Usage } from './control.ts'
import type { LoadOrder, LoadResult } from './load.ts'

/** What is compared. */
export interface Contender {
  readonly name: string
  readonly server: string
  readonly serverArgs: string[]
  readonly load: string
}

/** How long and how much. */
export interface Plan {
  readonly rounds: number
  readonly warmUpSeconds: number
  readonly smallSeconds: number
  readonly largeSeconds: number
  readonly connections: number
  readonly streams: number
  readonly largeBytes: number
}

/** Totals of one kind of load over all rounds. */
export interface Totals {
  requests: number
  bytes: number
  seconds: number
  serverCpuSeconds: number
  loadCpuSeconds: number
}

/** What is reported of one contender. */
export interface Row {
  readonly name: string
  readonly requestsPerSecond: number
  readonly cpuSecondsPer100kRequests: number
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
  readonly downloadMiBPerSecond: number
  readonly cpuSecondsPerGiB: number
  readonly rssMiB: number
}

const MIB = 1_048_576

/** A contender's two processes and what was measured of them so far. */
export class Lane {
  readonly contender: Contender
  readonly #server: Child
  readonly #load: Child
  readonly #small = emptyTotals()
  readonly #large = emptyTotals()
  #port = 0
  #rss = 0
  #p50: number[] = []
  #p99: number[] = []

  constructor(contender: Contender) {
    this.contender = contender
    this.#server = new Child(contender.server, contender.serverArgs)
    this.#load = new Child(contender.load)
  }

  async start(identity: { cert: string; key: string }): Promise<void> {
    this.#port = await this.#server.call<number>('start', identity)
  }

  async warmUp(plan: Plan, smallBytes: number): Promise<void> {
    await this.#run(smallOrder(plan, this.#port, smallBytes, plan.warmUpSeconds), emptyTotals())
    await this.#run(largeOrder(plan, this.#port, plan.warmUpSeconds / 2), emptyTotals())
  }

  async round(plan: Plan, smallBytes: number): Promise<void> {
    const order = smallOrder(plan, this.#port, smallBytes, plan.smallSeconds)
    const { latency } = await this.#run(order, this.#small)
    this.#p50.push(latency.p50)
    this.#p99.push(latency.p99)
    await this.#run(largeOrder(plan, this.#port, plan.largeSeconds), this.#large)
  }

  row(): Row {
    const small = this.#small
    const large = this.#large
    return {
      name: this.contender.name,
      requestsPerSecond: small.requests / small.seconds,
      cpuSecondsPer100kRequests: (small.serverCpuSeconds / small.requests) * 100_000,
      latencyP50Ms: median(this.#p50),
      latencyP99Ms: median(this.#p99),
      downloadMiBPerSecond: large.bytes / MIB / large.seconds,
      cpuSecondsPerGiB: large.serverCpuSeconds / (large.bytes / MIB / 1024),
      rssMiB: this.#rss / MIB,
    }
  }

  end(): void {
    this.#load.end()
    this.#server.end()
  }

  async #run(order: LoadOrder, totals: Totals): Promise<LoadResult> {
    const before = await this.#server.call<Usage>('usage')
    const result = await this.#load.call<LoadResult>('run', order)
    const after = await this.#server.call<Usage>('usage')
    totals.requests += result.requests
    totals.bytes += result.bytes
    totals.seconds += result.seconds
    totals.serverCpuSeconds += after.cpuSeconds - before.cpuSeconds
    totals.loadCpuSeconds += result.cpuSeconds
    this.#rss = Math.max(this.#rss, after.rss)
    return result
  }
}

function smallOrder(plan: Plan, port: number, bodyBytes: number, seconds: number): LoadOrder {
  return { port, connections: plan.connections, streams: plan.streams, path: '/', bodyBytes, seconds }
}

function largeOrder(plan: Plan, port: number, seconds: number): LoadOrder {
  const bodyBytes = plan.largeBytes
  return { port, connections: 1, streams: 1, path: `/bytes/${bodyBytes}`, bodyBytes, seconds }
}

function emptyTotals(): Totals {
  return { requests: 0, bytes: 0, seconds: 0, serverCpuSeconds: 0, loadCpuSeconds: 0 }
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
