// What of one connection is past its deadline: streams, handlers that do not stop, the handshake, the connection
// itself. Reports it, and resets stuck streams where the policy says so. Swept by connection-supervisor.ts.
import { H3ErrorCode } from '../http3/index.ts'
import { connectionLife, deadlinesOf, type LifeActor, webtransportSession } from '../machines/index.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import { type HandlerActor, HandlerPhase } from './handler-actor.ts'
import { findStreamReason } from './stuck-reason.ts'
import type { StuckReport } from './stuck-report.ts'
import { type StuckHost, StuckStreams } from './stuck-streams.ts'
import type { SupervisionServices } from './supervision.ts'

export class ConnectionWatch implements StuckHost {
  readonly #supervisor: ConnectionSupervisor
  readonly #services: SupervisionServices
  readonly #actors: StuckStreams
  /** Handlers that have been reported and still go on. */
  readonly #handlers = new Set<HandlerActor>()

  /** @param streams the supervisor's registry */
  constructor(
    supervisor: ConnectionSupervisor,
    services: SupervisionServices,
    streams: ReadonlyMap<LifeActor, QuicStream>,
  ) {
    this.#supervisor = supervisor
    this.#services = services
    this.#actors = new StuckStreams(this, streams)
  }

  /** Looks at every actor of the connection. `now` in ms. */
  sweep(now: number): void {
    const { connection, sessions } = this.#supervisor
    this.#actors.sweep(now)
    for (const actor of sessions.actors) this.#actors.inspect(actor, now)
    this.#actors.inspect(connection.actor, now)
    // A handshake that its connection gave up is let go with the connection, after the closing period.
    if (!connection.isEnding) this.#actors.inspect(connection.tls.actor, now)
  }

  /** A stream's actor is over. */
  forget(actor: LifeActor): void {
    this.#actors.forget(actor)
  }

  /** A handler was cut off and has not ended; called by every sweep while that is so. */
  noteCut(handler: HandlerActor, now: number): void {
    if (this.#handlers.has(handler)) return
    this.#handlers.add(handler)
    this.#services.stuck.emit(this.#reportHandler(handler, now))
  }

  forgetHandler(handler: HandlerActor): void {
    if (this.#handlers.size > 0) this.#handlers.delete(handler)
  }

  /** Streams that are stuck, or whose handler is; each counts once. */
  get stuckStreams(): number {
    let count = this.#actors.count
    for (const handler of this.#handlers) if (!this.#isListed(handler)) count++
    return count
  }

  /** Everything that is stuck now, with the reason of this moment. `now` in ms. */
  list(now: number): StuckReport[] {
    const handlers = [...this.#handlers].filter((handler) => !this.#isListed(handler))
    return [...this.#actors.list(now), ...handlers.map((handler) => this.#reportHandler(handler, now))]
  }

  #isListed(handler: HandlerActor): boolean {
    const stream = this.#supervisor.connection.streams.get(handler.request.id)
    return stream !== undefined && this.#actors.isStuck(stream.actor)
  }

  // --- StuckHost -------------------------------------------------------------------------------------------------

  reportStuck(actor: LifeActor, stream: QuicStream | undefined, now: number): StuckReport {
    const { table, state } = actor
    const deadline = deadlinesOf(table)[state]!
    const { connection } = this.#supervisor
    const finding =
      stream === undefined
        ? { waitingFor: deadline.waitingFor[0], reason: deadline.why }
        : findStreamReason(stream, connection, this.#supervisor.hasRunningHandler(stream.id))
    return {
      kind: stream !== undefined ? 'stream' : this.#kindOf(actor),
      connection: this.#supervisor.name,
      stream: stream?.id,
      machine: table.id,
      state: table.name[state],
      timeInState: now - actor.since,
      deadline: deadline.ms,
      ...finding,
    }
  }

  #kindOf({ table }: LifeActor): StuckReport['kind'] {
    if (table.id === webtransportSession.id) return 'session'
    return table.id === connectionLife.id ? 'connection' : 'handshake'
  }

  handleStuck(report: StuckReport, stream: QuicStream | undefined): void {
    const { stuck, counters, settings } = this.#services
    counters.stuckReports++
    stuck.emit(report)
    if (settings.stuckPolicy === 'report' || stream === undefined) return
    counters.stuckResets++
    stream.stopSending(H3ErrorCode.H3_INTERNAL_ERROR)
    stream.reset(H3ErrorCode.H3_INTERNAL_ERROR)
  }

  #reportHandler(handler: HandlerActor, now: number): StuckReport {
    return {
      kind: 'handler',
      connection: this.#supervisor.name,
      stream: handler.request.id,
      machine: 'handler',
      state: handler.phase === HandlerPhase.cut ? 'cut' : 'cancelled',
      timeInState: now - handler.cancelledAt,
      deadline: this.#services.settings.handlerGrace,
      waitingFor: 'handler',
      reason: `the handler of ${handler.request.method} ${handler.request.path} goes on after its AbortSignal`,
    }
  }
}
