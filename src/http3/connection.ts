// HTTP/3 on one QUIC connection, both roles: control and QPACK streams, request streams, GOAWAY, errors.
// RFC 9114 sections 3 to 8. Created by the supervisor or the client as the application of a QuicConnection.

import type { CloseInfo, ConnectionApplication, QuicConnection } from '../transport/connection/index.ts'
import type { QuicStream, StreamApplication } from '../transport/streams/index.ts'
import type { H3ConnectionOptions, H3Events } from './connection-events.ts'
import { ControlStreamReader } from './control-stream.ts'
import { HttpDatagrams } from './datagrams.ts'
import { connectionError, H3Error, H3ErrorCode } from './errors.ts'
import { FrameType, StreamType } from './frames.ts'
import { GlitchBudget } from './glitch-budget.ts'
import { GLITCH_REFUND_PER_REQUEST, MAX_FIELD_COUNT, MAX_FIELD_SECTION_SIZE } from './limits.ts'
import { MessageHead } from './message-head.ts'
import { encodeIdentifierFrame, encodePriorityUpdate, MessageWriter } from './message-writer.ts'
import { OwnStreams, type OwnStreamsOwner } from './own-streams.ts'
import { type Priority, priorityText } from './priorities.ts'
import { PriorityUpdates } from './priority-updates.ts'
import { H3Log } from './qlog.ts'
import { qpackLimitsOf } from './qpack/announced-limits.ts'
import { QpackDecoder } from './qpack/decoder.ts'
import { DecoderStreamReader } from './qpack/decoder-stream.ts'
import { EncoderStreamReader } from './qpack/encoder-stream.ts'
import { checkRequestHead, describeRequest } from './request-head.ts'
import { RequestStream } from './request-stream.ts'
import {
  checkRememberedSettings,
  encodeControlStreamStart,
  type H3Settings,
  initialSettings,
} from './settings.ts'
import {
  PeerUnidirectionalStream,
  refusedStream,
  type UnidirectionalReader,
} from './unidirectional-stream.ts'
import { ServerStream } from './webtransport/server-stream.ts'
import { WebTransportSessions, webtransportSettings } from './webtransport/sessions.ts'

const DEFAULT_GREASE = 417

// RFC 9114 section 5.2: 2^62-4, the largest request stream ID, is beyond the precision of a number.
const GOAWAY_ANY_REQUEST = Uint8Array.of(FrameType.goaway, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc)
const ANY_REQUEST = 2 ** 62

export class H3Connection implements ConnectionApplication, OwnStreamsOwner {
  /** The QUIC connection below. */
  readonly transport: QuicConnection
  readonly role: 'client' | 'server'
  readonly events: H3Events
  /** What we announce. */
  readonly settings: H3Settings
  /** What the peer announced; initial values until `hasPeerSettings`. */
  peerSettings: H3Settings = initialSettings
  hasPeerSettings = false
  readonly budget = new GlitchBudget()
  /** Points that an answered request gives back to the budget. */
  readonly refundPerRequest = GLITCH_REFUND_PER_REQUEST
  readonly decoder: QpackDecoder
  readonly head = new MessageHead()
  /** Undefined while nothing is logged. */
  readonly log: H3Log | undefined
  readonly writer = new MessageWriter()
  readonly datagrams: HttpDatagrams
  /** Undefined where WebTransport is not wanted. */
  readonly webtransport: WebTransportSessions | undefined
  private readonly priorityUpdates: PriorityUpdates
  /** Request streams whose QUIC stream is gone while received bytes wait for their reader. */
  readonly lingering = new Set<RequestStream>()
  private readonly grease: number
  private readonly claimedTypes = new Set<number>()
  private controlStream: QuicStream | undefined
  private peerControlId = -1
  private readonly ownStreams: OwnStreams
  private isFailed = false
  /** Client: settings of the last connection, as long as early data may rest on them. */
  private remembered: H3Settings | undefined
  private nextId = 0
  /** Requests from this ID on are rejected by us. */
  private sentGoaway = Number.POSITIVE_INFINITY
  /** Requests from this ID on are rejected by the peer. */
  private receivedGoaway = Number.POSITIVE_INFINITY

  constructor(transport: QuicConnection, options: H3ConnectionOptions) {
    this.transport = transport
    this.role = options.role
    this.events = options.events
    const qpack = options.qpack ?? qpackLimitsOf()
    this.settings = {
      ...initialSettings,
      maxFieldSectionSize: MAX_FIELD_SECTION_SIZE,
      qpackMaxTableCapacity: qpack.maxTableCapacity,
      qpackBlockedStreams: qpack.blockedStreams,
      // RFC 9297 section 2.1.1: only beside the transport parameter.
      h3Datagram: transport.settings.maxDatagramFrameSize > 0,
      ...(options.webtransport && webtransportSettings(transport.settings)),
      ...options.settings,
    }
    this.grease = options.grease ?? DEFAULT_GREASE
    this.log = transport.log && new H3Log(transport.log)
    this.writer.log = this.log
    this.writer.encoder.budget = this.budget
    this.datagrams = new HttpDatagrams(transport, () => this.nextId)
    this.priorityUpdates = new PriorityUpdates(transport, () => this.nextId)
    this.webtransport = options.webtransport && new WebTransportSessions(this, options.webtransport)
    this.ownStreams = new OwnStreams(this, this.takesWebTransport)
    const caps = { maxSize: this.settings.maxFieldSectionSize, maxCount: MAX_FIELD_COUNT }
    this.decoder = new QpackDecoder(qpack, caps, (error) => this.fail(error))
    if (!this.takesWebTransport) return
    this.writer.encoder.output.want = () => this.ownStreams.want(StreamType.qpackEncoder)
    this.decoder.output.want = () => this.ownStreams.want(StreamType.qpackDecoder)
  }

  // ReceiverContext

  get maxFieldSectionSize(): number {
    return this.settings.maxFieldSectionSize
  }

  get allowsConnectProtocol(): boolean {
    return this.settings.enableConnectProtocol
  }

  get takesWebTransport(): boolean {
    return this.webtransport !== undefined
  }

  /** ID of the first request stream that the peer (server) or we (client) have not opened yet. */
  get nextRequestId(): number {
    return this.nextId
  }

  /** Either side has announced the end with GOAWAY. */
  get isDraining(): boolean {
    return this.sentGoaway < Number.POSITIVE_INFINITY || this.receivedGoaway < Number.POSITIVE_INFINITY
  }

  /**
   * Client: opens a request stream and sends the head.
   * @param fields flat list with the pseudo-header fields first
   * @param hasBody whether `write` and `end` follow; otherwise the message is ended at once
   * @returns the stream, or undefined while the peer's limit forbids one and after GOAWAY
   * @throws TypeError for a head that RFC 9114 section 4.3.1 forbids; RangeError when it is too large for the peer
   */
  openRequest(fields: readonly string[], hasBody: boolean): RequestStream | undefined {
    // Draft 02 of WebTransport implies extended CONNECT.
    const { enableConnectProtocol, webtransportDraft02 } = this.peerSettings
    checkRequestHead(this.head, fields, enableConnectProtocol || webtransportDraft02)
    this.writer.scan(fields, 'request', 0)
    // RFC 9114 section 5.2: "MUST NOT initiate new requests [...] after receipt of a GOAWAY frame".
    if (this.isFailed || this.receivedGoaway < Number.POSITIVE_INFINITY) return undefined
    const stream = this.transport.openStream('bidi')
    if (stream === undefined) return undefined
    this.nextId = stream.id + 4
    const request = new RequestStream(stream, this)
    describeRequest(request, this.head)
    stream.application = request
    request.sendRequest(fields, hasBody)
    return request
  }

  /**
   * Sends GOAWAY (RFC 9114 section 5.2). IDs never increase: a call with a larger one than before does nothing.
   * @param id server: requests from this ID on are rejected, default none yet (2^62-4); client: first refused push
   */
  goaway(id: number = this.role === 'server' ? ANY_REQUEST : 0): void {
    if (id >= this.sentGoaway || this.controlStream === undefined) return
    this.sentGoaway = id
    this.log?.goaway('created', this.controlStream.id, id)
    this.controlStream.write(
      id >= ANY_REQUEST ? GOAWAY_ANY_REQUEST : encodeIdentifierFrame(FrameType.goaway, id),
    )
    this.webtransport?.handleGoaway()
  }

  /** Server: finishes what has arrived and rejects every later request with H3_REQUEST_REJECTED. */
  shutdown(): void {
    this.goaway(this.role === 'server' ? this.nextId : 0)
  }

  /** Closes the connection with an application error code (RFC 9114 section 5.3). */
  close(code: number = H3ErrorCode.H3_NO_ERROR, reason = ''): void {
    this.isFailed = true
    this.transport.close(code, reason, { application: true })
  }

  /** Gives points back to the glitch budget; the owner's sweep calls it once a second. */
  replenish(points: number): void {
    this.budget.refund(points)
  }

  /** Ends the connection because of what the peer sent. Later errors are not reported. */
  fail(error: H3Error): void {
    if (!this.isFailed) this.close(error.code, error.message)
  }

  /** Counts a malformed or oversized message. */
  chargeFault(): void {
    this.charge(1)
  }

  noteIgnoredStream(): void {
    this.charge(1)
  }

  /** Takes points off the glitch budget for useless traffic; the connection ends when none are left. */
  charge(points: number): void {
    try {
      this.budget.charge(points)
    } catch (error) {
      if (!(error instanceof H3Error)) throw error
      this.fail(error)
    }
  }

  // ConnectionApplication

  handleHandshakeComplete(): void {
    this.ownStreams.open()
  }

  /**
   * Client: requests may go out as early data, under the server's settings of the last connection (section 7.2.4.2).
   * Our own SETTINGS go first.
   */
  beginEarlyData(settings: H3Settings): void {
    this.remembered = settings
    this.peerSettings = settings
    this.writer.maxFieldSectionSize = settings.maxFieldSectionSize
    this.ownStreams.open()
  }

  /** Rejected early data is sent again by the transport; the settings of then say nothing any more. */
  handleEarlyDataVerdict(isAccepted: boolean): void {
    if (isAccepted || this.remembered === undefined) return
    this.remembered = undefined
    if (this.hasPeerSettings) return
    this.peerSettings = initialSettings
    this.writer.maxFieldSectionSize = initialSettings.maxFieldSectionSize
  }

  handleStreamCredit(kind: 'bidi' | 'uni'): void {
    if (kind === 'uni') this.ownStreams.open()
    else this.events.handleRequestCredit?.()
    this.webtransport?.handleStreamCredit()
  }

  acceptStream(stream: QuicStream): StreamApplication {
    if (!stream.isBidirectional) return new PeerUnidirectionalStream(this)
    if (this.role === 'client') {
      if (this.webtransport !== undefined) return new ServerStream(this, this.webtransport)
      // RFC 9114 section 6.1
      this.fail(connectionError(H3ErrorCode.H3_STREAM_CREATION_ERROR, 'bidirectional stream of a server'))
      return refusedStream
    }
    // Streams of a WebTransport session may come after GOAWAY: the head will tell.
    if (this.isRefused(stream.id) && this.webtransport === undefined) {
      stream.reset(H3ErrorCode.H3_REQUEST_REJECTED)
      stream.stopSending(H3ErrorCode.H3_REQUEST_REJECTED)
      return refusedStream
    }
    if (stream.id >= this.nextId) this.nextId = stream.id + 4
    const request = new RequestStream(stream, this)
    this.priorityUpdates.deliverEarly(request)
    return request
  }

  /** Server: GOAWAY has said that this request will not be processed. */
  isRefused(id: number): boolean {
    return id >= this.sentGoaway
  }

  handleDatagramFrame(payload: Uint8Array): void {
    try {
      this.datagrams.handleFrame(payload)
    } catch (error) {
      if (!(error instanceof H3Error)) throw error
      this.fail(error)
    }
  }

  handleClosing(close: CloseInfo): void {
    this.isFailed = true
    this.decoder.close()
    this.events.handleClosing(close)
  }

  handleClosed(): void {
    this.isFailed = true
    this.decoder.close()
    for (const request of this.lingering) request.handleConnectionClosed()
    this.events.handleClosed()
  }

  // OwnStreamsOwner

  handleOwnControl(stream: QuicStream): void {
    this.controlStream = stream
    this.log?.settings('created', stream.id, this.settings)
    stream.write(encodeControlStreamStart(this.settings, this.grease))
  }

  handleOwnEncoderStream(stream: QuicStream): void {
    this.writer.encoder.output.attach(stream)
  }

  handleOwnDecoderStream(stream: QuicStream): void {
    this.decoder.output.attach(stream)
  }

  // UnidirectionalOwner and ControlStreamOwner

  claimStreamType(type: number, streamId: number): UnidirectionalReader | undefined {
    if (type === StreamType.push && this.role === 'server') {
      // RFC 9114 section 6.2.2: "if a server receives a client-initiated push stream".
      throw connectionError(H3ErrorCode.H3_STREAM_CREATION_ERROR, 'push stream of a client')
    }
    const reader = this.createReader(type)
    if (reader === undefined) return undefined
    if (this.claimedTypes.has(type)) {
      // RFC 9114 section 6.2.1, RFC 9204 section 4.2
      throw connectionError(H3ErrorCode.H3_STREAM_CREATION_ERROR, 'second critical stream of its type')
    }
    this.claimedTypes.add(type)
    if (type === StreamType.control) this.peerControlId = streamId
    return reader
  }

  private createReader(type: number): UnidirectionalReader | undefined {
    if (type === StreamType.control) return new ControlStreamReader(this)
    if (type === StreamType.qpackEncoder) return new EncoderStreamReader(this.decoder)
    if (type === StreamType.qpackDecoder) return new DecoderStreamReader(this.writer.encoder)
    return undefined
  }

  handleSettings(settings: H3Settings): void {
    if (settings.h3Datagram && this.transport.datagrams.peerLimit === 0) {
      // RFC 9297 section 2.1.1: the setting promises what the transport parameter denies.
      throw connectionError(H3ErrorCode.H3_SETTINGS_ERROR, 'HTTP datagrams without QUIC datagrams')
    }
    if (this.remembered !== undefined) checkRememberedSettings(this.remembered, settings)
    this.log?.settings('parsed', this.peerControlId, settings)
    this.peerSettings = settings
    this.hasPeerSettings = true
    this.writer.applySettings(settings)
    this.webtransport?.handleSettings()
    this.events.handleSettings?.(settings)
  }

  handleOrigins(origins: readonly string[]): void {
    this.events.handleOrigins?.(origins)
  }

  handlePriorityUpdate(id: number, value: string): void {
    this.log?.priorityUpdate('parsed', this.peerControlId, id, value)
    this.priorityUpdates.handle(id, value)
  }

  /** Client: tells the server to send a response more or less urgently (RFC 9218 section 7). */
  sendPriorityUpdate(streamId: number, priority: Priority): void {
    if (this.controlStream === undefined) return
    const value = priorityText(priority)
    this.log?.priorityUpdate('created', this.controlStream.id, streamId, value)
    this.controlStream.write(encodePriorityUpdate(streamId, value))
  }

  handlePeerGoaway(id: number): void {
    this.log?.goaway('parsed', this.peerControlId, id)
    if (this.role === 'client') {
      this.receivedGoaway = id
      this.rejectRequestsFrom(id)
    }
    this.webtransport?.handleGoaway()
    this.events.handleGoaway?.(id)
  }

  // RFC 9114 section 5.2: these requests "will not be processed"; the client cancels them and may retry elsewhere.
  private rejectRequestsFrom(id: number): void {
    for (const stream of [...this.transport.streams.values()]) {
      const request = stream.application
      if (stream.id >= id && request instanceof RequestStream) request.handleRejected()
    }
  }
}
