// One request and its response on one bidirectional QUIC stream, for both roles, RFC 9114 section 4.1. Joins the two
// halves (message-receiver.ts, message-sender.ts), turns their findings into events for the supervisor or the client,
// and decides what an error ends. Created by H3Connection.

import type { QuicStream, StreamApplication } from '../transport/streams/index.ts'
import type { H3Connection } from './connection.ts'
import { H3Error, H3ErrorCode } from './errors.ts'
import { MessageReceiver, ReceivePart, Step } from './message-receiver.ts'
import { MessageSender, type SenderOwner, SendPart } from './message-sender.ts'
import { type Priority, parseOverride, priorityOf, ResponsePriority } from './priorities.ts'
import type { RequestStreamEvents, RespondOptions } from './request-events.ts'
import { checkFinalStatus, describeRequest, isWithoutContent } from './request-head.ts'

export class RequestStream implements StreamApplication, SenderOwner {
  readonly connection: H3Connection
  /** Set by the owner: the supervisor in `handleRequest`, the client right after `openRequest`. */
  events: RequestStreamEvents | undefined
  method = ''
  /** Empty for CONNECT without :protocol, as is `path`. */
  scheme = ''
  authority = ''
  path = ''
  /** Value of :protocol (RFC 9220), for extended CONNECT only. */
  protocol: string | undefined
  /** Request fields as a flat list, names in lower case. */
  headers: string[] = []
  /** Status code of the final response, 0 before it. */
  status = 0
  /** Client: fields of the final response as a flat list. */
  responseHeaders: string[] = []
  private readonly stream: QuicStream
  private readonly receiver: MessageReceiver
  private readonly sender: MessageSender
  private readonly signals: ResponsePriority
  private transportCalls = 0
  private outcome: 'closed' | 'reset' | undefined
  private isClosedReported = false
  /** Server: set with a 2xx answer to CONNECT. Each direction ends by itself then (RFC 9114 section 4.4). */
  isTunnel = false
  /** Our response is complete; what still comes of the request is dropped. */
  private isLeaving = false

  constructor(stream: QuicStream, connection: H3Connection) {
    this.stream = stream
    this.connection = connection
    this.receiver = new MessageReceiver(stream, connection)
    this.sender = new MessageSender(stream, connection.writer, this)
    this.signals = new ResponsePriority(stream)
  }

  /** QUIC stream ID. */
  get id(): number {
    return this.stream.id
  }

  /** The whole message was received, read and found well-formed. */
  get isBodyComplete(): boolean {
    return this.receiver.part === ReceivePart.done
  }

  /** `respond` (or, for a client, the request head) has been sent. */
  get isHeadSent(): boolean {
    return this.sender.part !== SendPart.head
  }

  /** Our message has been ended or reset. */
  get isEnded(): boolean {
    return this.sender.part >= SendPart.ended
  }

  /** Our message has been given up, by us or because the peer wanted no more of it. */
  get isReset(): boolean {
    return this.sender.part === SendPart.reset
  }

  /** Body bytes written so far, including those dropped because the response has no content. */
  get bodyBytesWritten(): number {
    return this.sender.bodyBytes
  }

  /** The final head of the peer's message has not come yet, and may still. */
  get isHeadMissing(): boolean {
    return this.receiver.part === ReceivePart.head
  }

  /** Bytes written and not acknowledged. */
  get bufferedBytes(): number {
    return this.stream.bufferedBytes
  }

  /** How the response is to be sent beside others (RFC 9218): what the client asked for, unless the server knows better. */
  get priority(): Priority {
    return this.signals.value
  }

  /**
   * Server: sends this response more or less urgently than the client asked; what is left out stays as the client
   * wants it. Client: tells the server to (PRIORITY_UPDATE).
   * @throws RangeError for an urgency other than 0 to 7
   */
  setPriority(part: Partial<Priority>): void {
    const { urgency = this.priority.urgency, incremental = this.priority.incremental } = part
    const priority = priorityOf(urgency, incremental)
    if (this.connection.role === 'server') this.signals.override(part)
    else if (this.receiver.part < ReceivePart.done) {
      this.signals.update(priority)
      this.connection.sendPriorityUpdate(this.id, priority)
    }
  }

  /**
   * Next piece of the body. Read until it returns undefined: only then is the end noticed.
   * @returns a borrowed view, valid until the current synchronous call returns; undefined when nothing is there now
   */
  readBody(): Uint8Array | undefined {
    try {
      while (this.isReceivingBody) {
        const step = this.receiver.advance()
        if (step === Step.body) return this.receiver.takeBody(this.transportCalls > 0)
        if (step === Step.starved) return undefined
        this.deliver(step)
      }
    } catch (error) {
      this.fail(error)
    } finally {
      this.reportClosed()
    }
    return undefined
  }

  /** Gives up the peer's message: nothing more is delivered, and STOP_SENDING goes out unless it is complete. */
  stopReceiving(code: number): void {
    if (this.receiver.part >= ReceivePart.done) return
    this.receiver.stop()
    if (this.outcome === undefined) this.stream.stopSending(code)
    this.reportClosed()
  }

  /**
   * Server: sends the final response head.
   * @param status 200..599
   * @param fields flat list, names in lower case
   * @param options body and end
   * @returns false when the writer should wait for handleWritable
   * @throws TypeError for an invalid status or invalid fields, or when a response was already sent; nothing is sent
   */
  respond(status: number, fields: readonly string[], options?: RespondOptions): boolean {
    if (this.sender.part === SendPart.reset) return false
    if (this.sender.part !== SendPart.head) throw new TypeError('the response has already begun')
    checkFinalStatus(status)
    const isContentless = isWithoutContent(this.method, status)
    const isOpen = this.sender.sendHead(status, fields, isContentless, options?.body)
    this.status = status
    const { priority } = this.connection.writer
    if (priority !== undefined) this.signals.override(parseOverride(priority))
    if (options?.end === true) this.end()
    return isOpen
  }

  /**
   * Server: sends an interim response.
   * @param status 100..199 except 101 (RFC 9114 section 4.5)
   * @throws TypeError for an invalid status or invalid fields, or after the final head
   */
  sendInformational(status: number, fields: readonly string[]): void {
    if (this.sender.part === SendPart.reset) return
    if (this.sender.part !== SendPart.head) throw new TypeError('the response has already begun')
    this.sender.sendInformational(status, fields)
  }

  /**
   * Sends body bytes. Large chunks are kept by reference and must not be changed.
   * @returns false when the writer should wait for handleWritable, or when nothing can be sent any more
   * @throws TypeError outside of the body
   */
  write(chunk: Uint8Array): boolean {
    return this.sender.write(chunk)
  }

  /** Sends the trailer section (flat list); throws TypeError for invalid fields. */
  sendTrailers(fields: readonly string[]): void {
    this.sender.sendTrailers(fields)
  }

  /** Ends our message. A server then drops the rest of the request, and stops a body that goes on with H3_NO_ERROR. */
  end(): void {
    if (this.sender.part >= SendPart.ended) return
    this.sender.end()
    if (this.sender.part !== SendPart.ended || this.connection.role === 'client') return
    this.connection.budget.refund(this.connection.refundPerRequest)
    if (!this.isTunnel) this.leaveRequest()
  }

  /** Abandons both directions: RESET_STREAM and, unless the peer's message is complete, STOP_SENDING. */
  reset(code: number = H3ErrorCode.H3_REQUEST_CANCELLED): void {
    if (this.outcome === undefined) this.sender.reset(code)
    this.stopReceiving(code)
  }

  // RFC 9114 section 4.1: a server that needs no more of the request "MAY abort reading the request stream". Not while
  // all that is missing may be its FIN: the h3 crate takes STOP_SENDING for the end of the response, too.
  private leaveRequest(): void {
    let isSurplus = false
    try {
      while (this.isReceivingBody) {
        const step = this.receiver.advance()
        if (step === Step.starved) break
        if (step !== Step.body) continue
        isSurplus = this.isLeaving
        this.receiver.takeBody(true)
      }
    } catch (error) {
      this.fail(error)
      return
    }
    this.isLeaving = true
    if (this.receiver.part === ReceivePart.done) this.reportClosed()
    else if (isSurplus || this.receiver.isBodyPending) this.stopReceiving(H3ErrorCode.H3_NO_ERROR)
  }

  handleLengthMismatch(): void {
    this.stopReceiving(H3ErrorCode.H3_INTERNAL_ERROR)
  }

  // StreamApplication

  handleReadable(): void {
    this.transportCalls++
    try {
      if (this.isLeaving) this.leaveRequest()
      else this.drive()
    } catch (error) {
      this.fail(error)
    } finally {
      this.transportCalls--
      if (this.transportCalls === 0) this.receiver.keep()
      this.reportClosed()
    }
  }

  handleWritable(): void {
    this.events?.handleWritable()
  }

  handleReset(_stream: QuicStream, code: number): void {
    if (this.receiver.part >= ReceivePart.done) return
    const isBeforeHead = this.receiver.part === ReceivePart.head
    this.receiver.stop()
    try {
      if (this.sender.part !== SendPart.reset) this.connection.budget.charge(1)
    } catch (error) {
      this.fail(error)
    }
    if (this.isLeaving) return
    if (this.events !== undefined) this.events.handleReset(code, false)
    // RFC 9114 section 4.1.1: rejected when no part of it was processed.
    else this.reset(isBeforeHead ? H3ErrorCode.H3_REQUEST_REJECTED : H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  handleStopSending(_stream: QuicStream, code: number): void {
    // A whole request is cancelled by this alone. Each is charged for once, whichever frame comes first.
    if (this.connection.role === 'server' && this.receiver.part !== ReceivePart.stopped)
      this.connection.chargeFault()
    this.sender.part = SendPart.reset
    if (this.events !== undefined) this.events.handleStopSending(code)
    else this.stopReceiving(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  handleClosed(stream: QuicStream, outcome: 'closed' | 'reset'): void {
    this.outcome = outcome
    // Everything was received although nobody has read it yet: the message is not lost with its stream.
    if (!stream.isReadComplete) this.receiver.stop()
    this.reportClosed()
  }

  /** The connection has ended: what was not read by now is dropped. Called by H3Connection. */
  handleConnectionClosed(): void {
    this.receiver.stop()
    this.reportClosed()
  }

  /** Client: the server's GOAWAY says that it will not process this request (RFC 9114 section 5.2). */
  handleRejected(): void {
    if (this.receiver.part >= ReceivePart.done) return
    this.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
    this.events?.handleReset(H3ErrorCode.H3_REQUEST_REJECTED, true)
  }

  // Both parts of the stream can be final while the last bytes still wait here for their reader.
  private reportClosed(): void {
    if (this.outcome === undefined || this.isClosedReported || this.transportCalls > 0) return
    if (this.receiver.part < ReceivePart.done) {
      this.connection.lingering.add(this)
      return
    }
    this.isClosedReported = true
    this.connection.lingering.delete(this)
    this.events?.handleClosed(this.outcome)
  }

  /** The client changes the priority of the response, perhaps before its head has arrived. */
  handlePriorityUpdate(priority: Priority): void {
    this.signals.update(priority)
    this.events?.handlePriority?.()
  }

  private get isReceivingBody(): boolean {
    return this.receiver.part === ReceivePart.body || this.receiver.part === ReceivePart.trailers
  }

  private drive(): void {
    while (this.receiver.part < ReceivePart.done) {
      const step = this.receiver.advance()
      if (step === Step.starved) return
      // draft-ietf-webtrans-http3 section 4.3: the stream is none of HTTP's.
      if (step === Step.webtransport) this.connection.webtransport?.adopt(this.stream, this.receiver.leave())
      else if (step !== Step.body) this.deliver(step)
      else if (!this.offerBody()) return
    }
  }

  /** Tells the owner of body bytes; false when it took none of them. */
  private offerBody(): boolean {
    const before = this.receiver.takenBytes
    this.events?.handleBodyReadable()
    return this.receiver.takenBytes !== before
  }

  private deliver(step: number): void {
    const { head } = this.connection
    if (step === Step.head) {
      if (this.connection.role === 'server') this.deliverRequest()
      else this.deliverResponse(head.status, head.fields)
    } else if (step === Step.informational) this.events?.handleInformational?.(head.status, head.fields)
    else if (step === Step.trailers) this.events?.handleTrailers?.(head.fields)
    else {
      if (this.connection.role === 'client') this.connection.budget.refund(this.connection.refundPerRequest)
      this.events?.handleBodyEnd()
    }
  }

  private deliverRequest(): void {
    const { head } = this.connection
    describeRequest(this, head)
    this.signals.takeField(head.priority)
    this.receiver.isTunnel = this.method === 'CONNECT'
    if (this.connection.isRefused(this.id)) this.reset(H3ErrorCode.H3_REQUEST_REJECTED)
    else {
      this.connection.events.handleRequest(this)
      this.connection.datagrams.deliverEarly(this)
    }
  }

  private deliverResponse(status: number, fields: string[]): void {
    this.status = status
    this.responseHeaders = fields
    const isConnected = this.method === 'CONNECT' && status < 300
    this.receiver.isTunnel = isConnected
    this.receiver.isContentless = isWithoutContent(this.method, status)
    if (this.receiver.isContentless || isConnected) this.receiver.expectedLength = -1
    this.events?.handleHead?.(status, fields)
  }

  /**
   * Client: sends the request head.
   * @throws TypeError, RangeError for fields that cannot be sent
   */
  sendRequest(fields: readonly string[], hasBody: boolean): void {
    this.signals.takeField(this.connection.head.priority)
    this.sender.sendHead(0, fields, false, undefined)
    if (!hasBody) this.sender.end()
  }

  private fail(error: unknown): void {
    if (!(error instanceof H3Error)) throw error
    if (error.scope === 'connection') {
      this.receiver.stop()
      this.connection.fail(error)
      return
    }
    const isTooLarge = error.code === H3ErrorCode.H3_EXCESSIVE_LOAD
    if (isTooLarge && this.connection.role === 'server' && this.isHeadMissing) this.refuseHead(431)
    else {
      this.reset(error.code)
      this.events?.handleReset(error.code, true)
    }
    this.connection.chargeFault()
  }

  /** Server: 431 for a head that is too large (RFC 9114 section 4.2.2), or another status; the request is over. */
  refuseHead(status: number): void {
    this.receiver.stop()
    this.sender.sendHead(status, [], false, undefined)
    this.sender.end()
    this.stream.stopSending(H3ErrorCode.H3_NO_ERROR)
  }
}
