// The watchdog of one connection: which of its streams have been in their state for longer than the state may last.
// Asked by connection-supervisor.ts once a second.
//
// An actor remembers since when it has been in its state, so nothing is armed or noted per stream, and a look at a
// stream that is not stuck is a subtraction and a comparison with a table. Why a stream is stuck is only found out
// for those that are.
import { type CompiledMachine, deadlinesOf, type LifeActor } from '../machines/index.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import type { StuckReport } from './stuck-report.ts'

/** What the watchdog needs of its supervisor. */
export interface StuckHost {
  /** Says why, and whose it is. */
  reportStuck(actor: LifeActor, stream: QuicStream | undefined, now: number): StuckReport
  /** An actor has just become stuck in its state; called once per actor and state. */
  handleStuck(report: StuckReport, stream: QuicStream | undefined): void
}

export class StuckStreams {
  readonly #host: StuckHost
  /** Those that are stuck, with the state they are stuck in. Normally empty. */
  readonly #stuck = new Map<LifeActor, number>()
  readonly #streams: ReadonlyMap<LifeActor, QuicStream>

  /** @param streams the registry of the supervisor */
  constructor(host: StuckHost, streams: ReadonlyMap<LifeActor, QuicStream>) {
    this.#host = host
    this.#streams = streams
  }

  /** Looks at every stream of the registry. `now` in ms. */
  sweep(now: number): void {
    if (this.#stuck.size > 0) this.#dropMoved()
    let table: CompiledMachine | undefined
    let limits: Float64Array = NO_LIMITS
    for (const actor of this.#streams.keys()) {
      if (actor.table !== table) {
        table = actor.table
        limits = limitsOf(table)
      }
      if (now - actor.since > limits[actor.state]) this.#note(actor, this.#streams.get(actor), now)
    }
  }

  /** Looks at one actor that is not a stream: that of the connection or of the handshake. */
  inspect(actor: LifeActor, now: number): void {
    if (now - actor.since > limitsOf(actor.table)[actor.state]) this.#note(actor, undefined, now)
  }

  #note(actor: LifeActor, stream: QuicStream | undefined, now: number): void {
    if (this.#stuck.get(actor) === actor.state) return
    this.#stuck.set(actor, actor.state)
    this.#host.handleStuck(this.#host.reportStuck(actor, stream, now), stream)
  }

  /** The actor is over. */
  forget(actor: LifeActor): void {
    if (this.#stuck.size > 0) this.#stuck.delete(actor)
  }

  #dropMoved(): void {
    for (const [actor, state] of this.#stuck) if (actor.state !== state) this.#stuck.delete(actor)
  }

  /** Streams that are stuck now. */
  get count(): number {
    let count = 0
    for (const [actor, state] of this.#stuck) if (actor.state === state && this.#streams.has(actor)) count++
    return count
  }

  isStuck(actor: LifeActor): boolean {
    return this.#stuck.get(actor) === actor.state
  }

  /** One report for each actor that is stuck now, with the reason of this moment. `now` in ms. */
  list(now: number): StuckReport[] {
    this.#dropMoved()
    return [...this.#stuck.keys()].map((actor) =>
      this.#host.reportStuck(actor, this.#streams.get(actor), now),
    )
  }
}

const NO_LIMITS = new Float64Array(0)
const limitsByTable = new WeakMap<CompiledMachine, Float64Array>()

/** ms that each state may last; Infinity where nothing or something else watches. */
function limitsOf(table: CompiledMachine): Float64Array {
  let limits = limitsByTable.get(table)
  if (limits === undefined) {
    limits = Float64Array.from(deadlinesOf(table), (deadline) => deadline?.ms ?? Number.POSITIVE_INFINITY)
    limitsByTable.set(table, limits)
  }
  return limits
}
