// The endpoint: owns the sockets, finds out whose a datagram is, accepts connections, and gives every connection
// its turn. It knows no protocol above QUIC. Everything that is not deterministic (clock, sockets, entropy) is
// handed in, so that a simulator can run whole servers and clients in virtual time.
// Created by serve() and by the client.
//
//   socket -> receive() -> route by connection ID -> connection.handleDatagram -> marked dirty
//                       -> unknown: accept, version negotiation, stateless reset, or drop
//   clock.immediate -> runTurn(): timers, output of every dirty connection -> batch -> socket
import { InspectionHub } from '../machines/index.ts'
import { QUIC_VERSIONS, type RemoteAddress } from '../transport/connection/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { PacketHeader, PacketType, parsePacketHeader, TransportErrorCode } from '../transport/wire/index.ts'
import { AddressValidation } from './address-validation.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import { acceptConnection, type ConnectSettings, openConnection } from './connection-factory.ts'
import { ConnectionIds, ResetTokens } from './connection-ids.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import { Counters } from './counters.ts'
import { type DrainReport, EndpointDrain } from './endpoint-drain.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import { secretOf } from './endpoint-secret.ts'
import { EndpointSockets } from './endpoint-sockets.ts'
import { FirstFlights } from './first-flights.ts'
import { HalfOpen } from './half-open.ts'
import { HandOver } from './hand-over.ts'
import { Invariants } from './invariants.ts'
import * as limits from './limits.ts'
import { MissedTransitions } from './missed-transitions.ts'
import { StatelessResponder } from './stateless-responder.ts'
import { StuckFeed } from './stuck-feed.ts'
import type { StuckReport } from './stuck-report.ts'
import { DEFAULT_SUPERVISION, type SupervisionServices } from './supervision.ts'
import { SweepTimer } from './sweep-timer.ts'
import { TurnScheduler } from './turn-scheduler.ts'
import { TurnTime } from './turn-time.ts'
import { WorkerIds } from './worker-ids.ts'

const FIXED_BIT = 0x40

/** Long header up to the shortest destination ID that we could have issued. */
const LONG_HEADER_PREFIX = 6 + limits.CONNECTION_ID_LENGTH

export class Endpoint {
  readonly options: EndpointOptions
  readonly counters = new Counters()
  readonly missed = new MissedTransitions()
  readonly stuck = new StuckFeed()
  /** Inspectors listen here; see XState's inspection events. */
  readonly inspection = new InspectionHub()
  readonly turn: TurnTime
  readonly services: SupervisionServices
  readonly invariants: Invariants
  readonly ids: ConnectionIds<ConnectionEntry>
  readonly entries = new Set<ConnectionEntry>()
  readonly sockets: EndpointSockets
  readonly #turns: TurnScheduler
  readonly #responder: StatelessResponder
  readonly #addresses: AddressValidation
  readonly #header = new PacketHeader()
  readonly #versions: readonly number[]
  readonly #halfOpen = new HalfOpen()
  readonly #flights: FirstFlights
  readonly #handOver: HandOver | undefined
  /** Handlers that outlive their connection are still looked after. */
  #leaving = new Set<ConnectionSupervisor>()
  #isAccepting = true
  readonly #sweepTimer: SweepTimer
  #drain: EndpointDrain | undefined

  constructor(options: EndpointOptions) {
    this.options = options
    this.sockets = new EndpointSockets(options.sockets, (socket) => (buffer, start, end, remote) => {
      this.receive(socket, buffer, start, end, remote)
    })
    this.#versions = options.versions ?? QUIC_VERSIONS
    this.turn = new TurnTime(options.clock)
    const settings = { ...DEFAULT_SUPERVISION, ...options.supervision }
    this.services = {
      clock: options.clock,
      turn: this.turn,
      counters: this.counters,
      missed: this.missed,
      stuck: this.stuck,
      inspection: this.inspection,
      settings,
      report: options.report ?? (() => {}),
    }
    const { entropy, backends, worker } = options
    this.#header.allowsClearFixedBit = options.transport?.greaseQuicBit !== false
    const secret = secretOf(options.secret, entropy)
    const tokens = new ResetTokens(secret)
    this.#handOver =
      worker && new HandOver(worker, new WorkerIds(secret, worker.index, backends, entropy), this.counters)
    const idSource = this.#handOver?.ids ?? entropy
    this.ids = new ConnectionIds(idSource, tokens)
    this.#responder = new StatelessResponder(this.#versions, backends, entropy, tokens, this.counters)
    this.#addresses = new AddressValidation(options, secret, this.#responder, this.counters, idSource)
    this.#flights = new FirstFlights(this.#handOver, this.#addresses)
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
    this.#register(entry)
    return entry.supervisor
  }

  /** One datagram from a socket. The buffer is borrowed. */
  receive(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
  ): void {
    this.counters.datagramsReceived++
    this.counters.bytesReceived += end - start
    const entry = this.#route(buffer, start, end)
    if (entry === undefined) {
      this.#handleUnrouted(socket, buffer, start, end, remote)
      return
    }
    this.#deliver(entry, socket, buffer, start, end, remote)
  }

  /** A datagram that another worker got, by its socket of this number. The buffer is borrowed. */
  takeOver(socket: number, buffer: Uint8Array, start: number, end: number, remote: RemoteAddress): void {
    const ours = this.sockets.at(socket)
    if (ours !== undefined) {
      this.#handOver?.arrive(() => this.receive(ours, buffer, start, end, remote))
    }
  }

  /** Our own code threw: that connection ends, the endpoint goes on. */
  #handleDefect(entry: ConnectionEntry, error: unknown): void {
    this.counters.internalErrors++
    this.services.report({ kind: 'internal', method: '', path: '', error })
    try {
      entry.supervisor.kill()
    } catch {
      this.forget(entry)
    }
  }

  #deliver(
    entry: ConnectionEntry,
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
  ): void {
    if (entry.readThisTurn >= limits.DATAGRAMS_PER_TURN || entry.hasBacklog) {
      if (!entry.defer(buffer, start, end, remote, socket)) this.counters.backlogDropped++
    } else {
      entry.readThisTurn++
      try {
        entry.supervisor.connection.handleDatagram(buffer, start, end, remote, this.turn.read(), 0, socket)
      } catch (error) {
        this.#handleDefect(entry, error)
      }
    }
    this.#turns.markDirty(entry)
  }

  #route(buffer: Uint8Array, start: number, end: number): ConnectionEntry | undefined {
    const isLong = (buffer[start] & 0x80) !== 0
    if (!isLong) {
      return end - start > limits.CONNECTION_ID_LENGTH ? this.ids.find(buffer, start + 1) : undefined
    }
    if (end - start < LONG_HEADER_PREFIX) return undefined
    const length = buffer[start + 5]
    if (length === limits.CONNECTION_ID_LENGTH) {
      const known = this.ids.find(buffer, start + 6)
      if (known !== undefined) return known
    }
    if (start + 6 + length > end) return undefined
    return this.ids.findFirstFlight(buffer, start + 6, length)
  }

  #handleUnrouted(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
  ): void {
    const now = this.turn.read()
    if (this.#handOver?.take(buffer, start, end, remote, this.sockets.indexOf(socket), 0, now)) return
    const header = this.#header
    const isReflected = this.options.server !== undefined && limits.REFLECTION_PORTS.has(remote.port)
    if (isReflected || !parsePacketHeader(buffer, start, end, limits.CONNECTION_ID_LENGTH, header)) {
      this.counters.unroutable++
      return
    }
    if (header.type === PacketType.oneRtt) {
      // RFC 9287 holds on connections: without one, this may be another protocol.
      if ((header.firstByte & FIXED_BIT) === 0) this.counters.unroutable++
      else this.#handleUnknownConnection(socket, buffer, start, end, remote, now)
    } else if (this.options.server === undefined || header.type === PacketType.versionNegotiation) {
      this.counters.unroutable++
    } else if (!this.#versions.includes(header.version)) {
      const answered = this.#responder.negotiateVersion(header, buffer, end - start, socket, remote, now)
      if (!answered) this.counters.unroutable++
    } else this.#accept(socket, buffer, start, end, remote)
  }

  /** A short header with an ID that is not ours: a stateless reset for one of our connections, or an old peer. */
  #handleUnknownConnection(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    now: number,
  ): void {
    if (this.options.server === undefined) {
      // RFC 9000 section 10.3.1: a reset has a random ID; only the address and the token at its end tell whose it is.
      for (const entry of this.entries) {
        const peer = entry.supervisor.connection.remote
        if (peer.port !== remote.port || peer.address !== remote.address) continue
        this.#deliver(entry, socket, buffer, start, end, remote)
        return
      }
    } else if (this.#responder.reset(buffer, start, end - start, socket, remote, now)) return
    this.counters.unroutable++
  }

  #accept(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
  ): void {
    const header = this.#header
    const { type, dcidStart, dcidLength } = header
    // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a
    // payload that is smaller than the smallest allowed maximum datagram size of 1200 bytes."
    const isFirst =
      type === PacketType.initial &&
      end - start >= limits.MIN_INITIAL_DATAGRAM &&
      dcidLength >= limits.MIN_FIRST_CONNECTION_ID
    if (!isFirst) {
      const isHeld =
        this.#takesEarlyData && this.#flights.hold(header, buffer, start, end, remote, this.turn.now)
      if (!isHeld) this.counters.unroutable++
      return
    }
    if (this.#takesEarlyData && this.#handOver !== undefined) {
      const index = this.sockets.indexOf(socket)
      if (this.#flights.lead(header, buffer, start, end, remote, index, this.turn.now)) return
    }
    const { maxConnections, maxHalfOpen } = this.services.settings
    const halfOpen = this.#countHalfOpen()
    if (!this.#isAccepting || this.entries.size >= maxConnections || halfOpen >= maxHalfOpen) {
      this.counters.refused++
      const { CONNECTION_REFUSED } = TransportErrorCode
      this.#responder.refuse(header, buffer, CONNECTION_REFUSED, socket, remote, this.turn.now)
      return
    }
    const destination = new Uint8Array(buffer.subarray(dcidStart, dcidStart + dcidLength))
    const admitted = this.#addresses.admit(header, buffer, socket, remote, halfOpen, this.turn.now)
    if (admitted === undefined) return
    const entry = acceptConnection(this, socket, destination, remote, admitted, header.version)
    this.ids.addFirstFlight(destination, entry)
    this.#halfOpen.add(entry)
    this.#register(entry)
    this.#deliver(entry, socket, buffer, start, end, remote)
    for (const { bytes, remote: from } of this.#flights.take(destination, this.turn.now)) {
      this.#deliver(entry, socket, bytes, 0, bytes.length, from)
    }
  }

  /** 0-RTT packets are only kept where early data can be accepted at all. */
  get #takesEarlyData(): boolean {
    return this.#isAccepting && this.options.server?.tls.resumption?.allowsEarlyData === true
  }

  #countHalfOpen(): number {
    const { size } = this.#halfOpen
    const isMany = size >= this.services.settings.maxHalfOpen || this.#addresses.isCrowded(size)
    return isMany ? this.#halfOpen.settle(this.turn.now) : size
  }

  #register(entry: ConnectionEntry): void {
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
    this.#halfOpen.delete(entry)
    if (entry.isServer) this.ids.removeFirstFlight(entry.firstConnectionId)
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
    this.#isAccepting = false
    this.#flights.clear()
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
