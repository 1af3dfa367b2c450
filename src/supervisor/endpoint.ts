// The endpoint: owns the sockets and the connections, and gives every connection its turn. It knows no protocol above QUIC. Everything that is not deterministic (clock, sockets, entropy) is
// handed in, so that a simulator can run whole servers and clients in virtual time.
// Created by serve() and by the client.
//
//   socket -> Arrivals: whose is it? -> deliver() -> connection.handleDatagram -> marked dirty
//   clock.immediate -> runTurn(): timers, output of every dirty connection -> batch -> socket
import { InspectionHub } from '../machines/index.ts'
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { Arrivals } from './arrivals.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import { type ConnectSettings, openConnection } from './connection-factory.ts'
import { ConnectionFeed } from './connection-feed.ts'
import type { ConnectionIds } from './connection-ids.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import { Counters } from './counters.ts'
import { type DrainReport, EndpointDrain } from './endpoint-drain.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import { EndpointSockets } from './endpoint-sockets.ts'
import { FaultLog } from './fault-log.ts'
import { Invariants } from './invariants.ts'
import * as limits from './limits.ts'
import { MissedTransitions } from './missed-transitions.ts'
import { StuckFeed } from './stuck-feed.ts'
import type { StuckReport } from './stuck-report.ts'
import { DEFAULT_SUPERVISION, type SupervisionServices } from './supervision.ts'
import { SweepTimer } from './sweep-timer.ts'
import { addTransport } from './transport-totals.ts'
import { TurnScheduler } from './turn-scheduler.ts'
import { TurnTime } from './turn-time.ts'

export class Endpoint {
  readonly options: EndpointOptions
  readonly counters = new Counters()
  readonly missed = new MissedTransitions()
  readonly stuck = new StuckFeed()
  readonly connections = new ConnectionFeed()
  /** Inspectors listen here; see XState's inspection events. */
  readonly inspection = new InspectionHub()
  readonly turn: TurnTime
  readonly faults: FaultLog
  readonly services: SupervisionServices
  readonly invariants: Invariants
  readonly arrivals: Arrivals
  readonly entries = new Set<ConnectionEntry>()
  readonly sockets: EndpointSockets
  readonly #turns: TurnScheduler
  /** Handlers that outlive their connection are still looked after. */
  #leaving = new Set<ConnectionSupervisor>()
  readonly #sweepTimer: SweepTimer
  #drain: EndpointDrain | undefined

  constructor(options: EndpointOptions) {
    this.options = options
    this.sockets = new EndpointSockets(options.sockets, (socket) => (buffer, start, end, remote, ecn = 0) => {
      this.arrivals.receive(socket, buffer, start, end, remote, ecn)
    })
    this.turn = new TurnTime(options.clock)
    this.faults = new FaultLog(options.report ?? (() => {}), () => this.turn.now)
    const settings = { ...DEFAULT_SUPERVISION, ...options.supervision }
    this.services = {
      clock: options.clock,
      turn: this.turn,
      counters: this.counters,
      missed: this.missed,
      stuck: this.stuck,
      connections: this.connections,
      inspection: this.inspection,
      settings,
      faults: this.faults,
    }
    this.arrivals = new Arrivals(this)
    this.invariants = new Invariants(this, settings.invariants)
    const handleDefect = (entry: ConnectionEntry, error: unknown): void => this.#handleDefect(entry, error)
    const { clock } = options
    this.#sweepTimer = new SweepTimer(clock, this.counters, () => this.#sweep(this.turn.read()))
    this.#turns = new TurnScheduler(clock, this.turn, this.counters, handleDefect, this.invariants)
  }

  /** Begins to receive. */
  start(): void {
    this.sockets.start()
  }

  /**
   * Opens a connection of ours to `settings.remote`.
   * @throws Error when no socket speaks the remote address's IP version
   */
  connect(settings: ConnectSettings): ConnectionSupervisor {
    const socket = this.sockets.forFamily(settings.remote.family)
    this.turn.read()
    const entry = openConnection(this, socket, settings)
    this.register(entry)
    return entry.supervisor
  }

  /** Routing table of connection IDs. */
  get ids(): ConnectionIds<ConnectionEntry> {
    return this.arrivals.ids
  }

  /** A datagram that another worker got, by its socket of this number. The buffer is borrowed. */
  takeOver(
    socket: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn = 0,
  ): void {
    this.arrivals.takeOver(socket, buffer, start, end, remote, ecn)
  }

  /** Our own code threw: that connection ends, the endpoint goes on. */
  #handleDefect(entry: ConnectionEntry, error: unknown): void {
    this.counters.internalErrors++
    this.faults.record('internal', error, 'connection ended', entry.supervisor.name)
    try {
      entry.supervisor.kill()
    } catch {
      this.forget(entry)
    }
  }

  /** A datagram of a connection that exists; it is read now or, when the connection has had its share, later. */
  deliver(
    entry: ConnectionEntry,
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
  ): void {
    if (entry.readThisTurn >= limits.DATAGRAMS_PER_TURN || entry.hasBacklog) {
      if (!entry.defer(buffer, start, end, remote, ecn, socket)) this.counters.backlogDropped++
    } else {
      entry.readThisTurn++
      try {
        entry.supervisor.connection.handleDatagram(buffer, start, end, remote, this.turn.read(), ecn, socket)
      } catch (error) {
        this.#handleDefect(entry, error)
      }
    }
    this.#turns.markDirty(entry)
  }

  /** A connection begins. */
  register(entry: ConnectionEntry): void {
    this.entries.add(entry)
    entry.supervisor.connection.wake = () => this.#turns.markDirty(entry)
    this.#turns.markDirty(entry)
    this.#sweepTimer.arm()
  }

  /** Streams past their deadline, and streams whose handler ignores its AbortSignal. */
  get stuckStreams(): number {
    let stuck = 0
    for (const { supervisor } of this.entries) stuck += supervisor.stuckStreams
    return stuck
  }

  /** What is past its deadline now, at most `most` of it. */
  listStuck(most: number = limits.STUCK_LIST): StuckReport[] {
    const now = this.options.clock.now()
    const reports: StuckReport[] = []
    for (const { supervisor } of this.entries) {
      for (const report of supervisor.listStuck(now)) {
        if (reports.length === most) return reports
        reports.push(report)
      }
    }
    return reports
  }

  /** Handlers whose connection is gone. */
  get leavingHandlers(): number {
    let handlers = 0
    for (const supervisor of this.#leaving) handlers += supervisor.handlerCount
    return handlers
  }

  /** Takes a connection out of every table; called by its supervisor when its actor is final. */
  forget(entry: ConnectionEntry): void {
    if (!this.entries.delete(entry)) return
    addTransport(this.counters, entry.supervisor.connection)
    this.arrivals.forget(entry)
    entry.retireIds()
    this.#turns.remove(entry)
    if (entry.supervisor.handlerCount > 0) this.#leaving.add(entry.supervisor)
    this.#settleSweep()
    this.#drain?.handleGone()
  }

  // --- sweep, drain, end -----------------------------------------------------------------------------------------

  /** Without anything to look after there is no timer either. */
  #settleSweep(): void {
    if (this.entries.size === 0 && this.#leaving.size === 0) this.#sweepTimer.disarm()
  }

  #sweep(now: number): void {
    for (const entry of [...this.entries]) {
      try {
        entry.supervisor.sweep(now)
      } catch (error) {
        this.#handleDefect(entry, error)
      }
    }
    for (const supervisor of this.#leaving) {
      supervisor.sweep(now)
      if (supervisor.handlerCount === 0) this.#leaving.delete(supervisor)
    }
    this.invariants.checkSums()
    this.#settleSweep()
  }

  /**
   * Stops accepting, lets requests finish, closes everything and resolves when nothing is left. The sockets stay
   * open: close() does that too.
   * @param hardStop after so many ms whatever is left is cut
   */
  drain(hardStop: number = this.services.settings.hardStop): Promise<DrainReport> {
    this.arrivals.stopAccepting()
    this.#drain ??= new EndpointDrain(this, hardStop)
    return this.#drain.finished
  }

  /** Drains, then frees the ports. */
  async close(hardStop?: number): Promise<DrainReport> {
    const report = await this.drain(hardStop)
    await this.sockets.close()
    return report
  }
}
