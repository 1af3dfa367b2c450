// A QUIC connection, sans I/O: datagrams and time come in by handleX, datagrams go out by pollTransmit. This file
// only holds the parts together; receiving, transmitting, dispatch, IDs, keys and closing are files of their own.
// Driven by the endpoint, used by an application such as HTTP/3 (RFC 9000).
import {
  type ActorSubject,
  ConnectionAction,
  ConnectionEvent,
  ConnectionPhase,
  connectionLife,
  createLifeActor,
  type LifeActor,
} from '../../machines/index.ts'
import type { LossRecovery, PathMtu } from '../recovery/index.ts'
import type { QuicStream, StreamKind } from '../streams/index.ts'
import { type PacketHeader, QuicError, type TransportParameters } from '../wire/index.ts'
import type { ApplicationKeys } from './application-keys.ts'
import { applicationClose, type CloseInfo, Closing, errorClose, silentClose } from './closing.ts'
import { type ConnectionMetrics, connectionMetrics } from './connection-metrics.ts'
import type { ConnectionApplication, ConnectionOptions } from './connection-options.ts'
import { ConnectionStats } from './connection-stats.ts'
import { ConnectionStreams } from './connection-streams.ts'
import { ControlFrames } from './control-frames.ts'
import type { DatagramBatch, RemoteAddress } from './datagram-batch.ts'
import { DatagramQueue, type DatagramWatcher } from './datagram-queue.ts'
import { Deadlines } from './deadlines.ts'
import { Handshake } from './handshake.ts'
import { HeaderBits } from './header-bits.ts'
import { KeyUpdates } from './key-updates.ts'
import { Lifetime } from './lifetime.ts'
import { LocalConnectionIds } from './local-connection-ids.ts'
import { PacketSpace, Space } from './packet-space.ts'
import type { Path } from './path.ts'
import { createPathMtu, createRecovery } from './path-control.ts'
import { Paths } from './paths.ts'
import { PeerConnectionIds } from './peer-connection-ids.ts'
import { type ConnectionLog, openConnectionLog } from './qlog/connection-log.ts'
import { inventBytes } from './random-bytes.ts'
import { Receiver } from './receive.ts'
import { Retry } from './retry.ts'
import { DEFAULT_TRANSPORT_SETTINGS, type TransportSettings } from './settings.ts'
import { TimerKind, Timers } from './timers.ts'
import { Transmitter } from './transmit.ts'
import { Versions } from './versions.ts'

const INITIAL_CLIENT_DCID_LENGTH = 8

export class QuicConnection implements ActorSubject {
  readonly role: 'server' | 'client'
  readonly isServer: boolean
  readonly versions: Versions
  readonly settings: TransportSettings
  readonly originalDestinationConnectionId: Uint8Array
  readonly actor: LifeActor
  /** Undefined while nothing is logged. */
  readonly log: ConnectionLog | undefined
  readonly paths: Paths
  readonly retry: Retry
  readonly spaces: readonly PacketSpace[]
  readonly recovery: LossRecovery
  readonly mtu: PathMtu
  readonly host: ConnectionStreams
  readonly control: ControlFrames
  readonly localIds: LocalConnectionIds<QuicConnection>
  readonly peerIds: PeerConnectionIds
  readonly handshake: Handshake
  readonly receiver: Receiver
  readonly timers = new Timers()
  readonly closing = new Closing()
  readonly stats = new ConnectionStats()
  readonly datagrams = new DatagramQueue()
  readonly ackDelayExponent = 3
  application: ConnectionApplication | undefined
  applicationKeys: ApplicationKeys | undefined
  readonly headerBits: HeaderBits
  readonly keyUpdates = new KeyUpdates(this)
  /** Time of the current call, milliseconds. */
  now: number
  peerAckDelayExponent = 3
  /** Source connection ID of the peer's long headers, once a packet has proved it. */
  handshakePeerId: Uint8Array = new Uint8Array(0)
  isPeerIdKnown = false
  /** Set by the endpoint; called when output or timers may have changed outside of a handleX call. */
  wake: () => void = noop
  readonly #transmitter: Transmitter
  readonly #deadlines = new Deadlines(this)
  readonly lifetime: Lifetime

  constructor(options: ConnectionOptions) {
    this.role = options.role
    this.isServer = options.role === 'server'
    this.versions = new Versions(options)
    this.now = options.now
    this.settings = { ...DEFAULT_TRANSPORT_SETTINGS, ...options.transport }
    this.originalDestinationConnectionId =
      options.originalDestinationConnectionId ?? inventBytes(options.entropy, INITIAL_CLIENT_DCID_LENGTH)
    this.log = openConnectionLog(this, options.openQlog)
    this.paths = new Paths(this, options)
    this.retry = new Retry(options)
    this.headerBits = new HeaderBits(this.settings, this.isServer, options.entropy)
    const wake = () => this.wake()
    this.spaces = [0, 1, 2].map((index) => new PacketSpace(index, this.settings.maxAckDelay, wake))
    this.mtu = createPathMtu(this)
    this.recovery = createRecovery(this, options)
    this.host = new ConnectionStreams(this, options)
    this.control = new ControlFrames(this)
    this.localIds = new LocalConnectionIds<QuicConnection>(this, options.connectionIds)
    this.localIds.issueFirst()
    this.peerIds = new PeerConnectionIds(
      this.isServer ? this.handshakePeerId : this.originalDestinationConnectionId,
      this.settings.activeConnectionIdLimit,
    )
    this.lifetime = new Lifetime(this.timers, this.recovery, this.settings)
    this.retry.installInitialKeys(this)
    this.actor = createLifeActor(connectionLife, 'connection', options.owner, this)
    this.actor.start()
    this.handshake = new Handshake(this, options)
    this.receiver = new Receiver(this)
    this.#transmitter = new Transmitter(this, options.entropy)
    this.timers.set(TimerKind.handshake, options.now + this.settings.handshakeTimeout)
    this.lifetime.restartIdle(options.now)
    this.guard(() => this.handshake.start(options.now))
  }

  // --- State, read from the machine ---

  /** The negotiated version, as far as it is known. */
  get version(): number {
    return this.versions.current
  }

  get isHandshakeComplete(): boolean {
    return this.actor.phase >= ConnectionPhase.established
  }

  /** Server: what is processed now may be a replay (RFC 9001 section 9.2); the end of the handshake rules that out. */
  get isEarly(): boolean {
    return this.isServer && !this.isHandshakeComplete
  }

  /** Closing, draining or closed. */
  get isEnding(): boolean {
    return this.actor.phase >= ConnectionPhase.closing
  }

  get isClosed(): boolean {
    return this.actor.phase === ConnectionPhase.closed
  }

  get tls() {
    return this.handshake.tls
  }

  get path(): Path {
    return this.paths.active
  }

  /** The peer's address as far as it is proved. */
  get remote(): RemoteAddress {
    return this.paths.provedRemote
  }

  get streams(): ReadonlyMap<number, QuicStream> {
    return this.host.table.streams
  }

  get receiveBufferedBytes(): number {
    return this.host.table.receiveBufferedBytes
  }

  get sendBufferedBytes(): number {
    return this.host.table.sendBufferedBytes
  }

  /** Everything measured about this connection, as a plain object. */
  metrics(): ConnectionMetrics {
    return connectionMetrics(this)
  }

  // --- Input from the endpoint ---

  /**
   * Takes a datagram; decrypts it in place. Never throws: a protocol error closes this connection, nothing else.
   * @param now milliseconds of the monotonic clock
   * @param ecn ECN field of its IP header
   * @param local the socket that it came to, where there are several
   */
  handleDatagram(
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    now: number,
    ecn = 0,
    local?: object,
  ): void {
    this.now = now
    if (this.isClosed || !this.paths.handleArrival(remote, local, end - start)) return
    this.stats.noteReceived(end - start)
    if (this.path.canSend) this.recovery.setAntiAmplificationBlocked(false, now)
    if (this.actor.phase === ConnectionPhase.closing) this.closing.handlePacket()
    if (this.isEnding) return
    this.guard(() => {
      this.receiver.receive(buffer, start, end, ecn)
      this.host.settleReads()
    })
  }

  /** Appends datagrams to send; returns how many. Call again after other connections while it returns any. */
  pollTransmit(batch: DatagramBatch, now: number): number {
    this.now = now
    this.lifetime.settleEndStart(now)
    this.guard(() => {
      this.host.settleReads()
      this.keyUpdates.settle()
    })
    if (this.isClosed) return 0
    return this.#transmitter.poll(batch, now)
  }

  /** When handleTimeout is due next, absolute milliseconds; Infinity for never. */
  nextTimeout(): number {
    return this.#deadlines.next
  }

  handleTimeout(now: number): void {
    this.now = now
    this.lifetime.settleEndStart(now)
    if (this.isClosed) return
    this.#deadlines.handle(now)
  }

  // --- Application ---

  /** Opens a stream; undefined while the peer's limit forbids it (handleStreamCredit tells when it grows). */
  openStream(kind: StreamKind): QuicStream | undefined {
    if (this.isEnding) return undefined
    return this.host.open(kind)
  }

  /** Largest payload that sendDatagram takes now, bytes; 0 when the peer takes none (RFC 9221 section 3). */
  get maxDatagramPayload(): number {
    return this.datagrams.maxPayload(this.path.maxDatagramSize)
  }

  /**
   * Sends an unreliable datagram; the payload is kept by reference.
   * @param watcher told whether it was sent, lost, acknowledged, or dropped from a full queue
   * @throws RangeError when it is larger than maxDatagramPayload
   */
  sendDatagram(payload: Uint8Array, watcher?: DatagramWatcher): void {
    if (this.isEnding) return
    if (payload.length > this.maxDatagramPayload)
      throw new RangeError('datagram larger than the path carries')
    this.datagrams.push(payload, watcher)
    this.wake()
  }

  /**
   * Updates the packet protection keys of both directions (RFC 9001 section 6).
   * @returns false when that is not allowed yet: before the handshake is confirmed, and shortly after another update
   */
  updateKeys(): boolean {
    return this.keyUpdates.request()
  }

  /** Closes at once with CONNECTION_CLOSE; all streams end (RFC 9000 section 10.2). */
  close(code: number, reason: string, options: { application: boolean }): void {
    this.end(ConnectionEvent.closeLocal, applicationClose(code, reason, options.application))
    this.wake()
  }

  /** Ends at once, closing or not, without a packet: the endpoint stops hard, or there is no path to send on. */
  abandon(cause: CloseInfo['cause'] = 'close', reason = 'abandoned'): void {
    if (!this.isEnding) this.closing.begin(silentClose(cause, reason))
    this.actor.raise(ConnectionEvent.closeSilent)
  }

  /**
   * The supervisor has deregistered the stream's actor: forget the stream.
   * @param keepsCredit the handler still runs; `returnStreamCredit` follows when it has ended
   */
  releaseStream(id: number, keepsCredit = false): void {
    this.host.release(id, keepsCredit)
  }

  returnStreamCredit(id: number): void {
    this.host.returnCredit(id)
  }

  // --- Called by the parts ---

  /** An authentic packet: what follows from its mere existence. */
  handlePacketOpened(space: PacketSpace, header: PacketHeader, buffer: Uint8Array): void {
    if (!this.isPeerIdKnown) {
      const start = header.scidStart
      this.handshakePeerId = new Uint8Array(buffer.subarray(start, start + header.scidLength))
      this.isPeerIdKnown = true
      this.peerIds.replaceFirst(this.handshakePeerId)
    }
    if (this.isServer && space.index === Space.handshake) {
      // RFC 9000 section 8.1 and RFC 9001 section 4.9.1: the address is proved, Initial keys have served.
      this.paths.handleAddressProved()
      this.recovery.setAntiAmplificationBlocked(false, this.now)
      this.discardSpace(Space.initial)
    }
    this.lifetime.handleReceived(this.now)
  }

  applyPeerParameters(peer: TransportParameters): void {
    this.host.setPeerLimits(peer)
    this.datagrams.peerLimit = peer.maxDatagramFrameSize
    this.peerAckDelayExponent = peer.ackDelayExponent
    this.headerBits.isFixedBitFree = peer.greaseQuicBit && this.settings.greaseQuicBit
    this.recovery.setPeerMaxAckDelay(peer.maxAckDelay)
    this.mtu.setPeerLimit(peer.maxUdpPayloadSize)
    if (peer.statelessResetToken !== undefined) this.peerIds.setFirstToken(peer.statelessResetToken)
    this.lifetime.negotiateIdle(peer.maxIdleTimeout)
  }

  discardSpace(index: number): void {
    const space = this.spaces[index]
    if (space.isDiscarded) return
    space.discard()
    this.recovery.discardSpace(index, this.now)
  }

  /** Runs work on input; an error closes this connection with its code and goes no further. */
  guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    // TLS gives an alert to what it did not expect itself, and keeps the cause.
    if (!(error instanceof QuicError) || error.cause !== undefined) this.stats.internalErrors++
    this.end(ConnectionEvent.closeLocal, errorClose(error))
  }

  /** Begins the end, unless it has begun. @param event of the connection's machine */
  end(event: number, info: CloseInfo): void {
    if (this.isEnding) return
    this.closing.begin(info)
    this.actor.raise(event)
  }

  /** Executes the machine's actions. */
  perform(action: number): void {
    if (action === ConnectionAction.closeStreams) {
      this.host.closeAll()
      this.datagrams.discard()
      this.guard(() => this.application?.handleClosing(this.closing.info!))
    } else if (action === ConnectionAction.armDrainTimer) {
      this.lifetime.beginEnd(this.now)
    } else if (action === ConnectionAction.releaseConnection) this.#release()
  }

  #release(): void {
    this.timers.clearAll()
    this.paths.discard()
    this.receiver.discard()
    this.localIds.retireAll()
    this.handshake.tls.discard()
    this.handshake.early.discard()
    for (const space of this.spaces) this.discardSpace(space.index)
    this.guard(() => this.application?.handleClosed())
  }
}

function noop(): void {}
