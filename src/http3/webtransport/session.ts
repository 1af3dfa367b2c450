// One WebTransport session, draft-ietf-webtrans-http3: its CONNECT stream with the capsules on it, its credit, its
// streams, and its machine, which decides. The same for servers and clients. Made by sessions.ts, driven by whoever owns
// the CONNECT stream; its actor belongs to the connection supervisor.

import {
  type ActorSubject,
  type LifeActor,
  SessionAction,
  SessionEvent,
  SessionPhase,
} from '../../machines/index.ts'
import type { StreamKind } from '../../transport/streams/index.ts'
import { varintLength, writeVarint } from '../../transport/wire/varint.ts'
import { CapsuleReader } from '../capsules.ts'
import { H3Error, H3ErrorCode } from '../errors.ts'
import { FrameType, StreamType } from '../frames.ts'
import type { RequestStream } from '../request-stream.ts'
import { type CloseMessage, DRAIN_CAPSULE, encodeClose, encodeInteger, WtCapsule } from './capsules.ts'
import { WtErrorCode } from './errors.ts'
import { EXPORTER_LABEL, exporterContext } from './exporter.ts'
import type { SessionCredit } from './flow-control.ts'
import { CLOSE_TIMEOUT, MAX_CAPSULE_BACKLOG, MAX_INCOMING_STREAMS } from './limits.ts'
import { SessionCapsules } from './session-capsules.ts'
import { abruptEnd, cleanEnd, connectionEnd, type SessionEnd, type SessionEvents } from './session-events.ts'
import type { WebTransportSessions } from './sessions.ts'
import { WebTransportStream } from './stream.ts'

export class WebTransportSession implements ActorSubject {
  readonly request: RequestStream
  readonly credit: SessionCredit
  readonly actor: LifeActor
  /** Set by the owner before anything else happens. */
  events: SessionEvents | undefined
  /** Live streams of the session. */
  readonly streams = new Set<WebTransportStream>()
  /** Streams of the peer that nobody has taken yet, oldest first. */
  readonly incomingBidi: WebTransportStream[] = []
  readonly incomingUni: WebTransportStream[] = []
  readonly #registry: WebTransportSessions
  readonly #reader: CapsuleReader
  /** Streams with data beyond the session's credit. */
  readonly #waiting = new Set<WebTransportStream>()
  #end: SessionEnd | undefined
  #resetCode: number = H3ErrorCode.H3_REQUEST_CANCELLED

  constructor(request: RequestStream, registry: WebTransportSessions, credit: SessionCredit) {
    this.request = request
    this.credit = credit
    this.#registry = registry
    this.#reader = new CapsuleReader(new SessionCapsules(this))
    this.actor = registry.startActor(this)
  }

  /** ID of the CONNECT stream. */
  get id(): number {
    return this.request.id
  }

  get isOver(): boolean {
    return this.actor.phase === SessionPhase.over
  }

  /** Streams and datagrams can be used: until either side closes. */
  get isUsable(): boolean {
    return this.actor.phase < SessionPhase.closing
  }

  get isEstablished(): boolean {
    const { phase } = this.actor
    return phase >= SessionPhase.open && phase <= SessionPhase.leaving
  }

  // --- establishment ---------------------------------------------------------------------------------------------

  /** Server: answers with 200, before anything else. @throws TypeError for fields that HTTP does not allow */
  accept(fields: readonly string[]): void {
    this.request.isTunnel = true
    this.request.respond(200, fields)
    this.#establish()
  }

  /** Server: answers with another status, which ends the session. */
  reject(status: number, fields: readonly string[], body?: Uint8Array): void {
    this.request.respond(status, fields, { end: true, ...(body !== undefined && { body }) })
    this.#end = abruptEnd('rejected', `rejected with status ${status}`)
    this.actor.raise(SessionEvent.rejected)
  }

  /** Client: the final response has arrived. */
  handleResponse(status: number): void {
    if (status >= 200 && status < 300) {
      this.#establish()
      return
    }
    this.#end = abruptEnd('rejected', `the server answered with status ${status}`)
    this.actor.raise(SessionEvent.rejected)
    this.request.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  #establish(): void {
    if (this.actor.phase !== SessionPhase.connecting) return
    this.actor.raise(SessionEvent.established)
    if (this.request.connection.isDraining) this.actor.raise(SessionEvent.recvDrain)
    this.handleBodyReadable()
  }

  // --- what the application does -----------------------------------------------------------------------------------

  /** Asks the peer to bring the session to an end (section 4.7). */
  drain(): void {
    this.actor.raise(SessionEvent.appDrain)
  }

  /** Closes the session: what is under way on its streams is lost (section 6). */
  close(message: CloseMessage): void {
    if (!this.isUsable) return
    this.#end = cleanEnd(message)
    if (this.actor.phase === SessionPhase.connecting)
      this.#end = abruptEnd('aborted', 'closed before it was ready')
    this.actor.raise(SessionEvent.appClose)
  }

  /** Gives the session up because of a violation or a fault. */
  fail(code: number, reason: string): void {
    if (this.#end === undefined) this.#end = abruptEnd('failed', reason, code)
    this.#resetCode = code
    this.actor.raise(SessionEvent.fail)
  }

  /**
   * Opens a stream and sends its header.
   * @returns undefined while the session's limit or the connection's forbids it; `handleStreamCredit` tells of more
   */
  openStream(kind: StreamKind): WebTransportStream | undefined {
    if (!this.isUsable) return undefined
    const credit = this.credit[kind]
    if (credit.available <= 0) {
      const type = kind === 'bidi' ? WtCapsule.streamsBlockedBidi : WtCapsule.streamsBlockedUni
      if (this.isEstablished && credit.takeBlocked()) this.#sendCapsule(encodeInteger(type, credit.max))
      return undefined
    }
    const stream = this.request.connection.transport.openStream(kind)
    if (stream === undefined) return undefined
    credit.used++
    const header = headerOf(kind, this.id)
    const child = new WebTransportStream(stream, header.length)
    stream.application = child
    this.streams.add(child)
    child.attach(this)
    child.sendHeader(header)
    return child
  }

  /** The oldest stream of the peer that waits. */
  takeIncoming(kind: StreamKind): WebTransportStream | undefined {
    return (kind === 'bidi' ? this.incomingBidi : this.incomingUni).shift()
  }

  /**
   * Bytes that both ends of this session, and nobody else, can compute (section 4.8).
   * @param length bytes wanted
   * @throws RangeError for an empty label, and for more than 255 bytes of either
   */
  exportKeyingMaterial(label: Uint8Array, context: Uint8Array, length: number): Uint8Array {
    const { tls } = this.request.connection.transport
    return tls.exportKeyingMaterial(EXPORTER_LABEL, exporterContext(this.id, label, context), length)
  }

  /** Section 3.4: the priority of the CONNECT request holds for everything in its session. */
  get urgency(): number {
    return this.request.priority.urgency
  }

  // --- streams -----------------------------------------------------------------------------------------------------

  /** A stream of the peer belongs to this session. The caps are enforced here. */
  adopt(stream: WebTransportStream): void {
    if (!this.isUsable) {
      stream.abandon(WtErrorCode.WT_SESSION_GONE)
      return
    }
    const kind: StreamKind = stream.isBidirectional ? 'bidi' : 'uni'
    this.streams.add(stream)
    const isAllowed = this.#guard(() => {
      const { peerBidi, peerUni } = this.credit
      const credit = kind === 'bidi' ? peerBidi : peerUni
      credit.receive(1)
    })
    stream.attach(this)
    if (!isAllowed || !this.isUsable) return
    const queue = kind === 'bidi' ? this.incomingBidi : this.incomingUni
    if (queue.length >= MAX_INCOMING_STREAMS) {
      stream.abandon(WtErrorCode.WT_BUFFERED_STREAM_REJECTED)
      return
    }
    queue.push(stream)
    this.events?.handleIncomingStream(kind)
  }

  /** The QUIC stream is gone: the peer may open another one. */
  forget(stream: WebTransportStream): void {
    this.streams.delete(stream)
    this.#waiting.delete(stream)
    if (stream.isLocal || !this.credit.isEnabled) return
    const { peerBidi, peerUni } = this.credit
    const max = (stream.isBidirectional ? peerBidi : peerUni).giveBack(1)
    const type = stream.isBidirectional ? WtCapsule.maxStreamsBidi : WtCapsule.maxStreamsUni
    if (max > 0 && this.isEstablished) this.#sendCapsule(encodeInteger(type, max))
  }

  handleDataReceived(bytes: number): void {
    this.#guard(() => this.credit.peerData.receive(bytes))
  }

  handleDataRead(bytes: number): void {
    if (!this.credit.isEnabled) return
    const max = this.credit.peerData.giveBack(bytes)
    if (max > 0 && this.isEstablished) this.#sendCapsule(encodeInteger(WtCapsule.maxData, max))
  }

  /** Bytes that were charged and will never be sent. */
  handleUnsent(bytes: number): void {
    this.credit.data.used -= bytes
    this.handleDataCredit()
  }

  /** The peer reset a stream: cheap for it, so it costs points. */
  handleStreamReset(): void {
    this.request.connection.charge(1)
  }

  /** A stream has more to send than the session's credit. */
  awaitCredit(stream: WebTransportStream): void {
    this.#waiting.add(stream)
    const { data } = this.credit
    if (this.isEstablished && data.takeBlocked()) {
      this.#sendCapsule(encodeInteger(WtCapsule.dataBlocked, data.max))
    }
  }

  /** Those who wait go on, in the order in which they began to wait. */
  handleDataCredit(): void {
    for (const stream of [...this.#waiting]) {
      if (this.credit.data.available <= 0) return
      this.#waiting.delete(stream)
      stream.handleSessionCredit()
    }
  }

  // --- the CONNECT stream ------------------------------------------------------------------------------------------

  /** Reads capsules; not before the session is established (section 3.2), and to the end afterwards. */
  handleBodyReadable(): void {
    const { phase } = this.actor
    if (phase === SessionPhase.connecting) return
    for (let piece = this.request.readBody(); piece !== undefined; piece = this.request.readBody()) {
      // Section 6: "If any additional stream data is received on the CONNECT stream after receiving" a close.
      if (this.actor.phase === SessionPhase.ending) {
        this.fail(H3ErrorCode.H3_MESSAGE_ERROR, 'data after WT_CLOSE_SESSION')
      } else if (this.isEstablished) this.#read(piece)
    }
  }

  #read(piece: Uint8Array): void {
    this.#guard(() => this.#reader.push(piece))
  }

  /** The peer has ended the CONNECT stream. */
  handleBodyEnd(): void {
    const isRead = this.isEstablished || this.actor.phase === SessionPhase.ending
    if (isRead && !this.#guard(() => this.#reader.finish())) return
    if (this.isOver || this.actor.phase === SessionPhase.connecting) return
    this.#end ??= cleanEnd({ code: 0, reason: '' })
    this.actor.raise(SessionEvent.recvFin)
  }

  /** @param isLocal we found an error in what the peer sent */
  handleReset(code: number, isLocal: boolean): void {
    const reason = isLocal ? 'the CONNECT stream broke the rules' : 'the peer reset the CONNECT stream'
    this.#end ??= abruptEnd('reset', reason, code)
    this.#resetCode = code
    this.actor.raise(isLocal ? SessionEvent.fail : SessionEvent.recvAbort)
  }

  handleStopSending(code: number): void {
    // Section 6: WT_SESSION_GONE stands beside a close, which may arrive after it.
    if (code === WtErrorCode.WT_SESSION_GONE) {
      this.actor.raise(SessionEvent.recvLeave)
      return
    }
    this.#end ??= abruptEnd('reset', 'the peer stopped the CONNECT stream', code)
    this.actor.raise(SessionEvent.recvAbort)
  }

  handleClosed(): void {
    this.#end ??= connectionEnd(this.request.connection.transport.closing.info)
    this.actor.raise(SessionEvent.streamClosed)
  }

  /** WT_CLOSE_SESSION. */
  handleClose(message: CloseMessage): void {
    this.#end ??= cleanEnd(message)
    this.actor.raise(SessionEvent.recvClose)
  }

  /** WT_DRAIN_SESSION, or GOAWAY on the connection. */
  handleDrain(): void {
    if (this.isUsable) this.actor.raise(SessionEvent.recvDrain)
  }

  /** The machine is final: the connection forgets the session. Called by its supervisor. */
  release(): void {
    this.#registry.release(this)
  }

  /** About once a second. `now` in ms. */
  sweep(now: number): void {
    const { phase, since } = this.actor
    if (phase < SessionPhase.leaving || phase > SessionPhase.ending) return
    if (now - since >= CLOSE_TIMEOUT) {
      this.#end ??= abruptEnd('reset', 'the peer left without a close', WtErrorCode.WT_SESSION_GONE)
      this.#resetCode = WtErrorCode.WT_SESSION_GONE
      this.actor.raise(SessionEvent.timeoutClose)
    }
  }

  /** Runs work on what the peer sent; a violation ends the session. Returns whether there was none. */
  #guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!(error instanceof H3Error)) throw error
      const { connection } = this.request
      if (error.scope === 'connection') connection.fail(error)
      else {
        connection.chargeFault()
        this.fail(error.code, error.message)
      }
      return false
    }
  }

  #sendCapsule(bytes: Uint8Array): void {
    if (this.request.bufferedBytes > MAX_CAPSULE_BACKLOG) {
      this.fail(H3ErrorCode.H3_EXCESSIVE_LOAD, 'the peer does not read its CONNECT stream')
    } else this.request.write(bytes)
  }

  // --- ActorSubject ------------------------------------------------------------------------------------------------

  /** Executes the machine's actions. */
  perform(action: number): void {
    switch (action) {
      case SessionAction.announceOpen:
        this.events?.handleOpen()
        break
      case SessionAction.sendDrain:
        this.#sendCapsule(DRAIN_CAPSULE)
        break
      case SessionAction.announceDrain:
        this.events?.handleDraining()
        break
      case SessionAction.endChildren:
        this.#endChildren()
        break
      case SessionAction.sendClose:
        this.request.write(encodeClose(this.#end!))
        this.request.end()
        break
      case SessionAction.sendFin:
        this.request.end()
        break
      case SessionAction.resetStream:
        this.#reader.stop()
        this.request.reset(this.#resetCode)
        break
      case SessionAction.announceEnd:
        this.events?.handleEnd(this.#end ?? abruptEnd('reset', 'the peer stopped the CONNECT stream'))
    }
  }

  // Section 6: "MUST reset the send side and abort reading on the receive side of all" streams of the session.
  #endChildren(): void {
    this.#waiting.clear()
    this.incomingBidi.length = 0
    this.incomingUni.length = 0
    for (const stream of [...this.streams]) stream.abandon(WtErrorCode.WT_SESSION_GONE)
    this.#registry.handleChildrenEnded(this)
  }
}

/** Sections 4.2 and 4.3: 0x54 or 0x41, and the session's ID. */
function headerOf(kind: StreamKind, id: number): Uint8Array {
  const type = kind === 'bidi' ? FrameType.webtransportStream : StreamType.webtransport
  const header = new Uint8Array(varintLength(type) + varintLength(id))
  writeVarint(header, writeVarint(header, 0, type), id)
  return header
}
