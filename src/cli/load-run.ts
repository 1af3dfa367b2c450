// Generates HTTP/3 load: a fixed number of requests in flight on each connection, until a number of requests or a
// time is reached. Bodies are counted, not kept. Used by cli/bench.ts and by the benchmark of the project.

import type { ClientSession } from '../client/session.ts'
import type { StreamTaker } from '../client/stream-taker.ts'
import type { RequestStream, RequestStreamEvents } from '../http3/index.ts'
import { LatencyHistogram } from './latency-histogram.ts'

/** What is requested, how much of it, and when to stop. */
export interface LoadPlan {
  /** Complete field list, pseudo fields first. */
  readonly fields: readonly string[]
  readonly body: Uint8Array | undefined
  /** Requests in flight per session. */
  readonly streams: number
  /** Requests to start in total; Infinity = until the time is over. */
  readonly requests: number
  /** No request starts later than this, ms after the start; Infinity = until the requests are done. */
  readonly duration: number
}

/** What came of it. */
export interface LoadOutcome {
  succeeded: number
  failed: number
  /** Why requests failed, and how often. */
  errors: Record<string, number>
  statuses: Record<number, number>
  bodyBytes: number
  /** From the first request to the last response, ms. */
  elapsed: number
  readonly latencies: LatencyHistogram
}

/** Runs a plan over open sessions. `now` in ms. Resolves when the last request has ended, well or badly. */
export class LoadRun {
  readonly outcome: LoadOutcome = {
    succeeded: 0,
    failed: 0,
    errors: {},
    statuses: {},
    bodyBytes: 0,
    elapsed: 0,
    latencies: new LatencyHistogram(),
  }
  readonly plan: LoadPlan
  readonly now: () => number
  readonly #finished = Promise.withResolvers<LoadOutcome>()
  #started = 0
  #lanes = 0
  #startedAt = 0

  constructor(plan: LoadPlan, now: () => number) {
    this.plan = plan
    this.now = now
  }

  start(sessions: readonly ClientSession[]): Promise<LoadOutcome> {
    this.#startedAt = this.now()
    this.#lanes = sessions.length * this.plan.streams
    for (const session of sessions) {
      for (let lane = 0; lane < this.plan.streams; lane++) this.continueLane(session)
    }
    return this.#finished.promise
  }

  /** Makes the next request of one lane, or ends the lane. */
  continueLane(session: ClientSession): void {
    const { requests, duration } = this.plan
    const isOver = this.#started >= requests || this.now() - this.#startedAt >= duration
    if (isOver || !session.isUsable) {
      this.handleLaneEnd()
      return
    }
    this.#started++
    new LoadExchange(this, session)
  }

  noteFailure(reason: string): void {
    this.outcome.failed++
    this.outcome.errors[reason] = (this.outcome.errors[reason] ?? 0) + 1
  }

  handleLaneEnd(): void {
    if (--this.#lanes > 0) return
    this.outcome.elapsed = this.now() - this.#startedAt
    this.#finished.resolve(this.outcome)
  }
}

/** One request of a lane: the lean path, without promises, copies or body objects. */
class LoadExchange implements StreamTaker, RequestStreamEvents {
  readonly #run: LoadRun
  readonly #session: ClientSession
  readonly #startedAt: number
  #stream: RequestStream | undefined
  #isDone = false

  constructor(run: LoadRun, session: ClientSession) {
    this.#run = run
    this.#session = session
    this.#startedAt = run.now()
    const { fields, body } = run.plan
    session.openStream(fields, body !== undefined, this)
  }

  take(stream: RequestStream): void {
    this.#stream = stream
    stream.events = this
    const { body } = this.#run.plan
    if (body === undefined) return
    stream.write(body)
    stream.end()
  }

  refuse(reason: unknown): void {
    this.#run.noteFailure(reason instanceof Error ? reason.message : String(reason))
    // A session that refuses one request refuses the next: its lane is over.
    this.#run.handleLaneEnd()
  }

  handleHead(status: number): void {
    const { statuses } = this.#run.outcome
    statuses[status] = (statuses[status] ?? 0) + 1
  }

  handleBodyReadable(): void {
    const stream = this.#stream!
    for (let chunk = stream.readBody(); chunk !== undefined; chunk = stream.readBody()) {
      this.#run.outcome.bodyBytes += chunk.length
    }
  }

  handleBodyEnd(): void {
    if (this.#isDone) return
    this.#isDone = true
    const { outcome } = this.#run
    outcome.succeeded++
    outcome.latencies.add(this.#run.now() - this.#startedAt)
    this.#run.continueLane(this.#session)
  }

  handleWritable(): void {}

  handleReset(code: number): void {
    this.#fail(`reset by the server (0x${code.toString(16)})`)
  }

  /** Nothing is lost by it: the response tells how the request went. */
  handleStopSending(_code: number): void {}

  handleClosed(): void {
    this.#fail('the connection ended')
  }

  #fail(reason: string): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#run.noteFailure(reason)
    this.#run.continueLane(this.#session)
  }
}
