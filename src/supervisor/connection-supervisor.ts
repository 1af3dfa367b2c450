// Owns one connection's children: its stream actors and its handlers. These registries are the only strong
// references to them. A final state deregisters its actor here and nowhere else. It also stands between the
// connection and its application (HTTP/3), so that the end of the connection is seen before anybody else acts on it.
// Created by endpoint.ts, one per connection.
import { H3ErrorCode } from '../http3/index.ts'
import type { ActorOwner, CompiledMachine, InspectionHub, LifeActor } from '../machines/index.ts'
import { createLifeActor, StreamEvent } from '../machines/index.ts'
import type { CloseInfo, ConnectionApplication, QuicConnection } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type {
  QuicStream,
  StreamApplication,
  StreamKind,
  StreamSupervision,
} from '../transport/streams/index.ts'
import { ConnectionChildren } from './connection-children.ts'
import { ConnectionDrain } from './connection-drain.ts'
import { ConnectionWatch } from './connection-watch.ts'
import { CrashIntensity } from './crash-intensity.ts'
import { DatagramChannel } from './datagram-channel.ts'
import { type HandlerActor, type HandlerOwner, HandlerPhase } from './handler-actor.ts'
import type { StuckReport } from './stuck-report.ts'
import type { SupervisedApplication, SupervisionServices } from './supervision.ts'
import { SessionRegistry } from './webtransport-sessions.ts'

export class ConnectionSupervisor
  implements StreamSupervision, ActorOwner, HandlerOwner, ConnectionApplication
{
  connection!: QuicConnection
  application!: SupervisedApplication
  /** Live request streams: the bidirectional ones. */
  requestStreams = 0
  /** Live streams that the peer opened, of both kinds. */
  peerStreams = 0
  isHandshakeComplete = false
  handleDatagramFrame?: (payload: Uint8Array) => void
  /** Owner of the connection's and the handshake's own actors: they are not streams and not counted as such. */
  readonly lifeOwner: ActorOwner
  /** WebTransport sessions; their streams are among those below. */
  readonly sessions: SessionRegistry
  readonly #services: SupervisionServices
  readonly #forget: (supervisor: ConnectionSupervisor) => void
  /** Its registries; nobody else changes them. */
  readonly children = new ConnectionChildren()
  /** Streams that are gone while their handler still runs; at most one per handler. */
  readonly #owedCredit = new Set<number>()
  readonly #crashes: CrashIntensity
  readonly #watch: ConnectionWatch
  #drain: ConnectionDrain | undefined
  #isEnded = false

  /** @param forget takes the connection out of the endpoint's tables; called once, when its actor is final */
  constructor(services: SupervisionServices, forget: (supervisor: ConnectionSupervisor) => void) {
    this.#services = services
    this.#forget = forget
    this.#crashes = new CrashIntensity(services.settings.crashLimit, services.settings.crashWindow)
    this.#watch = new ConnectionWatch(this, services, this.children.streams)
    this.sessions = new SessionRegistry(this, services)
    this.lifeOwner = new LifeOwner(this, services)
    services.counters.connectionsOpened++
  }

  /** Puts the two together; called once, before the first datagram. */
  adopt(connection: QuicConnection, application: SupervisedApplication): void {
    this.connection = connection
    this.application = application
    // Only where the application takes datagrams: its absence tells the connection that nobody does.
    if (application.handleDatagramFrame !== undefined) {
      this.handleDatagramFrame = (payload) => application.handleDatagramFrame?.(payload)
    }
    connection.application = this
  }

  /** When the actors' changes of state happen, whole ms. */
  get time(): number {
    return this.#services.turn.now
  }

  get inspector(): ActorOwner['inspector'] {
    return this.#services.inspection.active
  }

  get inspection(): InspectionHub {
    return this.#services.inspection
  }

  /** Names the connection for its whole life: the client's first destination connection ID, in hex. */
  get name(): string {
    // While the connection is being built it already has actors, but we do not have it yet.
    const id = this.connection?.originalDestinationConnectionId
    return id === undefined ? '' : Buffer.from(id).toString('hex')
  }

  get streamCount(): number {
    return this.children.streams.size
  }

  get handlerCount(): number {
    return this.children.handlers.size
  }

  get clock(): Clock {
    return this.#services.clock
  }

  /** Streams that are gone while the credit for them waits for the end of their handler. */
  get owedCredit(): number {
    return this.#owedCredit.size
  }

  now(): number {
    return this.#services.clock.now()
  }

  // --- stream actors -------------------------------------------------------------------------------------------

  startActor(table: CompiledMachine, stream: QuicStream, subject: QuicStream): LifeActor {
    const { interpreter, tables } = this.#services.settings
    const actor = createLifeActor(tables?.get(table) ?? table, stream.id, this, subject, interpreter)
    this.children.streams.set(actor, stream)
    const counters = this.#services.counters
    counters.actorsStarted++
    counters.streamsOpened++
    if (stream.isBidirectional) this.requestStreams++
    if (!stream.isLocal) this.peerStreams++
    return actor.start()
  }

  handleFinal(actor: LifeActor): void {
    this.#deregister(actor)
  }

  handleMissed(actor: LifeActor, state: number, event: number): void {
    this.#services.counters.missedTransitions++
    this.#services.missed.record(this.name, actor, state, event)
  }

  /** The one place where a stream ends: its actor, its place in the table and what the table gives back. */
  #deregister(actor: LifeActor): void {
    const stream = this.children.streams.get(actor)
    if (stream === undefined) return
    this.children.streams.delete(actor)
    this.#watch.forget(actor)
    const counters = this.#services.counters
    counters.actorsStopped++
    counters.streamsClosed++
    if (stream.isBidirectional) this.requestStreams--
    if (!stream.isLocal) this.peerStreams--
    this.closeDatagramChannel(stream.id)
    const keepsCredit = this.children.handlers.has(stream.id)
    if (keepsCredit) this.#owedCredit.add(stream.id)
    this.connection.releaseStream(stream.id, keepsCredit)
    this.#noteProgress()
  }

  // --- datagram channels ---------------------------------------------------------------------------------------

  /** The datagram channel of a live request stream, opened on first use; undefined once the stream is gone. */
  datagramChannel(id: number): DatagramChannel | undefined {
    let channel = this.children.channels.get(id)
    if (channel === undefined && this.connection.streams.has(id)) {
      channel = new DatagramChannel()
      this.children.channels.set(id, channel)
      this.#services.counters.channelsOpened++
    }
    return channel
  }

  get channelCount(): number {
    return this.children.channels.size
  }

  /** Ends with its stream, or before it with its WebTransport session. */
  closeDatagramChannel(id: number): void {
    const channel = this.children.channels.get(id)
    if (channel === undefined) return
    this.children.channels.delete(id)
    const { counters } = this.#services
    counters.channelsClosed++
    counters.datagramsDropped += channel.dropped
    channel.close()
  }

  /** A WebTransport session is over. */
  forgetSession(actor: LifeActor): void {
    this.#watch.forget(actor)
  }

  // --- handlers ------------------------------------------------------------------------------------------------

  /** Registers a request's handler and runs it. */
  startHandler(handler: HandlerActor): void {
    this.children.handlers.set(handler.request.id, handler)
    this.#services.counters.handlersStarted++
    handler.request.events = handler
    handler.start()
  }

  handleHandlerEnd(handler: HandlerActor): void {
    const { id } = handler.request
    if (!this.children.handlers.delete(id)) return
    this.#watch.forgetHandler(handler)
    this.#services.counters.handlersEnded++
    // The stream may be long gone: only now may the client open another one in its place.
    if (this.#owedCredit.delete(id)) this.connection.returnStreamCredit(id)
    this.#noteProgress()
  }

  /** Handlers that nobody has cancelled. */
  get runningHandlers(): number {
    let running = 0
    for (const handler of this.children.handlers.values())
      if (handler.phase === HandlerPhase.running) running++
    return running
  }

  handleHandlerCrash(handler: HandlerActor, error: unknown): void {
    const { counters, settings } = this.#services
    counters.crashed++
    counters.crashResets++
    const isTooMuch = this.#crashes.record(this.now())
    const outcome = `${isTooMuch ? 'connection closed' : 'stream reset'} with H3_INTERNAL_ERROR`
    this.#services.faults.record('crash', error, outcome, this.name, handler)
    if (!isTooMuch) return
    counters.intensityCloses++
    const reason = `more than ${settings.crashLimit} handlers crashed within ${settings.crashWindow} ms`
    this.connection.close(H3ErrorCode.H3_INTERNAL_ERROR, reason, { application: true })
  }

  handleLateFault(handler: HandlerActor, error: unknown): void {
    this.#services.counters.lateFaults++
    this.#services.faults.record('late', error, 'reported only', this.name, handler)
  }

  handleDefect(error: unknown): void {
    this.#services.counters.internalErrors++
    this.#services.faults.record('internal', error, 'connection ended', this.name)
    this.kill()
  }

  handleHandlerHang(handler: HandlerActor): void {
    this.#services.counters.hung++
    const error = new Error('the handler did not begin a response before its deadline')
    this.#services.faults.record('hang', error, 'cancelled, then stream reset', this.name, handler)
  }

  /** True while a handler works on the stream that nobody has cancelled. */
  hasRunningHandler(id: number): boolean {
    return this.children.handlers.get(id)?.phase === HandlerPhase.running
  }

  /** Streams past their deadline, and streams whose handler does not stop. */
  get stuckStreams(): number {
    return this.#watch.stuckStreams
  }

  /** A report for everything of this connection that is past its deadline. `now` in ms. */
  listStuck(now: number): StuckReport[] {
    return this.#watch.list(now)
  }

  /** Looks at every handler's deadline; called by the endpoint's sweep. `now` in ms. */
  sweep(now: number): void {
    const { handlerDeadline, handlerGrace } = this.#services.settings
    for (const handler of this.children.handlers.values()) {
      handler.sweep(now, handlerDeadline, handlerGrace)
      if (handler.phase === HandlerPhase.cut) this.#watch.noteCut(handler, now)
    }
    if (this.#isEnded) {
      this.#abandonHandlers(now)
      return
    }
    this.#watch.sweep(now)
    this.application.sweep?.(now)
  }

  // --- draining ------------------------------------------------------------------------------------------------

  /** Lets requests finish, then closes with H3_NO_ERROR. */
  drain(): void {
    if (this.#drain !== undefined || this.#isEnded) return
    this.#drain = new ConnectionDrain(this, this.#services)
    this.#drain.start()
    for (const handler of [...this.children.handlers.values()]) handler.handleDrain()
  }

  /** True when no request is in the works. */
  get isIdle(): boolean {
    return this.requestStreams === 0 && this.children.handlers.size === 0
  }

  #noteProgress(): void {
    if (this.#drain !== undefined && this.isIdle) this.#drain.handleIdle()
  }

  // --- between connection and application ------------------------------------------------------------------------

  handleHandshakeComplete(): void {
    this.isHandshakeComplete = true
    this.application.handleHandshakeComplete()
    this.#services.connections.opened(this)
  }

  handleEarlyDataVerdict(isAccepted: boolean): void {
    this.application.handleEarlyDataVerdict?.(isAccepted)
  }

  acceptStream(stream: QuicStream): StreamApplication {
    return this.application.acceptStream(stream)
  }

  handleStreamCredit(kind: StreamKind): void {
    this.application.handleStreamCredit(kind)
  }

  handleClosing(close: CloseInfo): void {
    this.application.handleClosing(close)
    this.#cancelHandlers()
  }

  /** The connection's actor is final: everything that belongs to it goes. */
  handleClosed(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#drain?.stop()
    this.#cancelHandlers()
    for (const actor of [...this.children.streams.keys()]) actor.raise(StreamEvent.connectionClosed)
    this.application.handleClosed()
    this.#services.counters.connectionsClosed++
    this.#services.connections.closed(this)
    this.#forget(this)
  }

  /** Ends without another word to the peer: the hard stop of a drain. */
  kill(): void {
    this.connection.abandon()
    this.handleClosed()
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  #cancelHandlers(): void {
    for (const handler of [...this.children.handlers.values()])
      handler.cancel('connectionClosed', H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  /** A handler that ignores its AbortSignal is let go once its connection is gone: nothing it does counts. */
  #abandonHandlers(now: number): void {
    for (const handler of [...this.children.handlers.values()]) {
      if (
        handler.phase !== HandlerPhase.cut ||
        now - handler.cancelledAt < this.#services.settings.handlerGrace
      )
        continue
      handler.phase = HandlerPhase.ended
      this.#services.counters.abandoned++
      this.handleHandlerEnd(handler)
    }
  }
}

/** Owner of actors that live exactly as long as their connection: only missed transitions matter here. */
class LifeOwner implements ActorOwner {
  readonly #supervisor: ConnectionSupervisor
  readonly #services: SupervisionServices

  constructor(supervisor: ConnectionSupervisor, services: SupervisionServices) {
    this.#supervisor = supervisor
    this.#services = services
  }

  get time(): number {
    return this.#services.turn.now
  }

  get inspector(): ActorOwner['inspector'] {
    return this.#services.inspection.active
  }

  get inspection(): InspectionHub {
    return this.#services.inspection
  }

  handleFinal(_actor: LifeActor): void {}

  handleMissed(actor: LifeActor, state: number, event: number): void {
    this.#supervisor.handleMissed(actor, state, event)
  }
}
