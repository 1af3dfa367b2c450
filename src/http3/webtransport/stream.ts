// One stream of a WebTransport session on its QUIC stream, draft-ietf-webtrans-http3 sections 4.2 to 4.4: behind the
// header everything is the application's. Counts what the session's flow control counts, and maps error codes. Made by
// session.ts (ours) and sessions.ts (the peer's).

import { SendPhase } from '../../machines/index.ts'
import type { QuicStream, StreamApplication } from '../../transport/streams/index.ts'
import { toApplicationCode, toHttpCode, WtErrorCode } from './errors.ts'
import type { WebTransportSession } from './session.ts'

/** What the owner of a stream is told. All calls are synchronous. */
export interface WebTransportStreamEvents {
  /** `read` has something, or the end was reached. */
  handleReadable(): void
  /** Writing may go on after `write` returned false. */
  handleWritable(): void
  /** The peer gave up its half; the code is undefined when it is none of an application. */
  handleReset(code: number | undefined): void
  /** The peer wants nothing more of our half, which has been reset. */
  handleStopSending(code: number | undefined): void
  /** The session has ended, and the stream with it. */
  handleSessionEnd(): void
}

export class WebTransportStream implements StreamApplication {
  /** Body bytes written by the owner, and read by it. */
  bytesWritten = 0
  bytesRead = 0
  #events: WebTransportStreamEvents | undefined
  /** What happened while nobody was there to hear it. */
  #unheard: ((events: WebTransportStreamEvents) => void)[] = []
  readonly #stream: QuicStream
  /** Bytes of the header, ours or the peer's. */
  readonly #headerBytes: number
  #session: WebTransportSession | undefined
  #forget: ((stream: WebTransportStream) => void) | undefined
  /** What came in one piece with the header. */
  #rest: Uint8Array | undefined
  /** Body bytes that the session has counted, and got back. */
  #counted = 0
  #returned = 0
  /** Body bytes taken from the credit that the peer gave the session. */
  #charged = 0
  /** Written, but beyond the session's credit. */
  #waiting: Uint8Array | undefined
  #endsAfterWait = false
  #isClosed = false

  /**
   * @param headerBytes length of the stream header
   * @param rest what was read behind it; kept
   */
  constructor(stream: QuicStream, headerBytes: number, rest?: Uint8Array) {
    this.#stream = stream
    this.#headerBytes = headerBytes
    this.#rest = rest !== undefined && rest.length > 0 ? rest : undefined
  }

  /** QUIC stream ID. */
  get id(): number {
    return this.#stream.id
  }

  get isLocal(): boolean {
    return this.#stream.isLocal
  }

  get isBidirectional(): boolean {
    return this.#stream.isBidirectional
  }

  get session(): WebTransportSession | undefined {
    return this.#session
  }

  /** Gives the stream its owner; it hears of everything, also of what has happened already. */
  observe(events: WebTransportStreamEvents): void {
    this.#events = events
    const unheard = this.#unheard
    this.#unheard = []
    for (const tell of unheard) tell(events)
  }

  #tell(what: (events: WebTransportStreamEvents) => void): void {
    if (this.#events !== undefined) what(this.#events)
    else this.#unheard.push(what)
  }

  // --- receiving -------------------------------------------------------------------------------------------------

  /** Next piece, a view that is valid until the current synchronous call returns; undefined when nothing is there. */
  read(): Uint8Array | undefined {
    const piece = this.#rest ?? this.#stream.read()
    this.#rest = undefined
    if (piece === undefined) return undefined
    this.bytesRead += piece.length
    this.#giveBack(piece.length)
    return piece
  }

  /** The peer's half was read to its end. */
  get isReadComplete(): boolean {
    return this.#rest === undefined && this.#stream.isReadComplete
  }

  /** Body bytes received without a gap. */
  get bytesReceived(): number {
    return this.bytesRead + (this.#rest?.length ?? 0) + this.#stream.readableBytes
  }

  /**
   * Nothing more is read (STOP_SENDING).
   * @param code of the application
   * @throws RangeError for a code that has no 32 bits
   */
  stopReceiving(code: number): void {
    this.#stop(toHttpCode(code))
  }

  #stop(httpCode: number): void {
    this.#rest = undefined
    this.#stream.stopSending(httpCode)
  }

  // --- sending ---------------------------------------------------------------------------------------------------

  get canWrite(): boolean {
    return this.#stream.canWrite
  }

  /** Bytes accepted that the peer has not acknowledged. */
  get bufferedBytes(): number {
    return this.#stream.bufferedBytes
  }

  /** Body bytes that have left at least once. */
  get bytesSent(): number {
    return Math.max(0, (this.#stream.sending?.credit.used ?? 0) - this.#ownHeaderBytes)
  }

  /** Body bytes that the peer has acknowledged without a gap. */
  get bytesAcknowledged(): number {
    const { buffer } = this.#stream.sending ?? {}
    return buffer === undefined ? 0 : Math.max(0, Math.min(buffer.base, buffer.length) - this.#ownHeaderBytes)
  }

  /** Sends the header of a stream of ours. Called once by the session. */
  sendHeader(header: Uint8Array): void {
    this.#stream.write(header)
  }

  /**
   * Sends a chunk; keeps a reference, so it must not be changed.
   * @returns false when the writer should wait for handleWritable, or when nothing can be sent any more
   */
  write(chunk: Uint8Array): boolean {
    if (!this.#stream.canWrite || this.#endsAfterWait) return false
    this.bytesWritten += chunk.length
    return this.#send(chunk)
  }

  #send(chunk: Uint8Array): boolean {
    const session = this.#session
    if (session === undefined) return false
    const { data } = session.credit
    if (chunk.length <= data.available) {
      this.#charge(chunk.length)
      const isOpen = this.#stream.write(chunk)
      if (this.#endsAfterWait) this.#stream.end()
      return isOpen
    }
    const part = chunk.subarray(0, data.available)
    this.#charge(part.length)
    if (part.length > 0) this.#stream.write(part)
    this.#waiting = chunk.subarray(part.length)
    session.awaitCredit(this)
    return false
  }

  #charge(bytes: number): void {
    this.#charged += bytes
    this.#session!.credit.data.used += bytes
  }

  /** The session has credit again. */
  handleSessionCredit(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined && this.#send(waiting)) this.#events?.handleWritable()
  }

  /** Sends the FIN behind everything written. */
  end(): void {
    if (this.#waiting === undefined) this.#stream.end()
    else this.#endsAfterWait = true
  }

  /**
   * Gives up our half.
   * @param code of the application
   * @throws RangeError for a code that has no 32 bits
   */
  reset(code: number): void {
    this.#reset(toHttpCode(code))
  }

  #reset(httpCode: number): void {
    this.#waiting = undefined
    // Section 4.4: "a Reliable Size set to at least the size of the WebTransport header".
    this.#stream.reset(httpCode, this.#ownHeaderBytes)
    this.#refund()
  }

  get #ownHeaderBytes(): number {
    return this.isLocal ? this.#headerBytes : 0
  }

  /** Section 5.3: of a half that was reset the final size counts, which both sides know. */
  #refund(): void {
    const { sending } = this.#stream
    if (sending === undefined || this.#session === undefined || sending.phase === SendPhase.dataRecvd) return
    const unsent = this.#charged - Math.max(0, sending.resetFinalSize - this.#ownHeaderBytes)
    if (unsent <= 0) return
    this.#charged -= unsent
    this.#session.handleUnsent(unsent)
  }

  /**
   * Tells once when our half is over.
   * @param done gets whether the peer has acknowledged everything, up to the FIN
   */
  whenSent(done: (isAcknowledged: boolean) => void): void {
    const { actor } = this.#stream
    const look = (): boolean => {
      const phase = actor.sendPhase
      if (phase <= SendPhase.dataSent) return false
      subscription?.unsubscribe()
      done(phase === SendPhase.dataRecvd)
      return true
    }
    let subscription: { unsubscribe(): void } | undefined
    if (!look()) subscription = actor.subscribe(() => look())
  }

  /** Order of sending among the streams of its urgency, see QuicStream. */
  setPriority(urgency: number, incremental: boolean): void {
    if (this.#stream.sending !== undefined) this.#stream.setPriority(urgency, incremental)
  }

  // --- session ---------------------------------------------------------------------------------------------------

  /**
   * Puts the stream under its session.
   * @param forget called when the QUIC stream is gone
   */
  attach(session: WebTransportSession): void {
    this.#session = session
    this.#forget = undefined
    // Streams of a session share: none of them waits for the end of another one, unless `sendOrder` says so.
    this.setPriority(session.urgency, true)
    this.#count()
    if (!this.#isClosed) return
    session.handleDataRead(this.#counted - this.#returned)
    this.#returned = this.#counted
    session.forget(this)
  }

  /** The stream waits for a session. @param forget called when it is gone before there is one */
  wait(forget: (stream: WebTransportStream) => void): void {
    this.#forget = forget
  }

  /** Ends both halves with a code of the protocol. */
  abandon(httpCode: number): void {
    this.#reset(httpCode)
    this.#stop(httpCode)
    if (httpCode === WtErrorCode.WT_SESSION_GONE) this.#tell((events) => events.handleSessionEnd())
  }

  /** What has arrived counts, read or not. */
  #count(): void {
    const { receiving } = this.#stream
    if (receiving === undefined || this.#session === undefined) return
    const header = this.#headerBytes - this.#ownHeaderBytes
    const fresh = receiving.credit.received - header - this.#counted
    if (fresh <= 0) return
    this.#counted += fresh
    this.#session.handleDataReceived(fresh)
  }

  #giveBack(bytes: number): void {
    if (this.#isClosed || this.#session === undefined) return
    this.#returned += bytes
    this.#session.handleDataRead(bytes)
  }

  // --- StreamApplication -----------------------------------------------------------------------------------------

  handleReadable(): void {
    this.#count()
    this.#events?.handleReadable()
  }

  handleWritable(): void {
    if (this.#waiting === undefined) this.#events?.handleWritable()
  }

  handleReset(_stream: QuicStream, code: number): void {
    this.#count()
    this.#rest = undefined
    this.#session?.handleStreamReset()
    this.#tell((events) => events.handleReset(toApplicationCode(code)))
  }

  handleStopSending(_stream: QuicStream, code: number): void {
    this.#waiting = undefined
    this.#refund()
    this.#tell((events) => events.handleStopSending(toApplicationCode(code)))
  }

  handleClosed(): void {
    this.#count()
    this.#giveBack(this.#counted - this.#returned)
    this.#isClosed = true
    this.#waiting = undefined
    this.#session?.forget(this)
    // A short stream may have come whole: its session still gets the bytes.
    if (this.#rest === undefined) this.#forget?.(this)
  }
}
