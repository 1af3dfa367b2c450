// An exchange over HTTP/3. It is the handler's actor and the receiver of the request stream's events at once, so
// that a request costs one object here. Made per request by http3-service.ts.
import type { X509Certificate } from 'node:crypto'
import { H3ErrorCode, type Priority, type RequestStream } from '../http3/index.ts'
import {
  type CancelReason,
  HandlerActor,
  type HandlerOwner,
  HandlerPhase,
} from '../supervisor/handler-actor.ts'
import type { RemoteAddress } from '../transport/connection/index.ts'
import { StreamTunnel } from '../tunnels/stream-tunnel.ts'
import { TunnelDatagrams } from '../tunnels/tunnel-datagrams.ts'
import { readChunk } from './body-chunk.ts'
import { clientCertificateOf } from './client-certificates.ts'
import {
  type ActorHost,
  CAPSULE_PROTOCOL,
  CancelledError,
  type DatagramTunnel,
  type Exchange,
  type ExchangeDatagrams,
  type ExchangeHandler,
  fieldValue,
  quietly,
} from './exchange.ts'
import { expectsContinue } from './expectations.ts'
import { framesOf, H3Datagrams } from './h3-datagrams.ts'
import { limitedBody } from './limited-body.ts'
import { runContained } from './stray-errors.ts'
import { Waiter } from './waiter.ts'

const NO_FIELDS: readonly string[] = []
const END = { end: true } as const
const DONE: IteratorResult<Uint8Array> = { value: undefined, done: true }

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data
}

/** What all exchanges of a server share. */
export interface ExchangeService {
  readonly handler: ExchangeHandler
  /** Value of the date field; without it responses have none. */
  readonly date?: (() => string) | undefined
}

export class H3Exchange extends HandlerActor implements Exchange, AsyncIterator<Uint8Array> {
  readonly protocol = 'h3'
  readonly remote: RemoteAddress
  readonly earlyData: boolean
  onCancel: ((reason: CancelledError) => void) | undefined
  onCut: (() => void) | undefined
  onDrain: (() => void) | undefined
  onPriorityChange: (() => void) | undefined
  bodyLimit = Number.POSITIVE_INFINITY
  trailers: readonly string[] = NO_FIELDS
  readonly #service: ExchangeService
  #reading: Waiter<IteratorResult<Uint8Array>> | undefined
  #writing: Waiter<void> | undefined
  #abort: AbortController | undefined
  #cancelled: CancelledError | undefined
  #datagrams: H3Datagrams | undefined
  #hasWaited = false
  #tunnel: StreamTunnel | undefined
  #tunnelDatagrams: TunnelDatagrams | undefined

  constructor(request: RequestStream, owner: HandlerOwner, remote: RemoteAddress, service: ExchangeService) {
    super(request, owner)
    this.remote = remote
    this.earlyData = request.connection.transport.isEarly === true
    this.onCancel = undefined
    this.onCut = undefined
    this.onDrain = undefined
    this.onPriorityChange = undefined
    this.#service = service
  }

  protected run(): void | PromiseLike<void> {
    const outcome = runContained(this, this.#service.handler, this)
    return this.request.method === 'CONNECT' ? this.#untilTunnelEnds(outcome) : outcome
  }

  /** Whoever accepts a tunnel and returns has not ended: the tunnel lives on. */
  async #untilTunnelEnds(outcome: void | PromiseLike<void>): Promise<void> {
    try {
      await outcome
    } catch (error) {
      this.#tunnel?.abort(H3ErrorCode.H3_INTERNAL_ERROR, new CancelledError('crashed'))
      throw error
    }
    await this.#tunnel?.gone
    // Broken off by the handler itself: no fault.
    if (this.#tunnel !== undefined && this.request.isReset)
      this.resetByHandler(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  get clientCertificate(): X509Certificate | undefined {
    return clientCertificateOf(this.request.connection.transport)
  }

  get method(): string {
    return this.request.method
  }

  get upgradeToken(): string | undefined {
    return this.request.protocol
  }

  get connectionKey(): object {
    return this.request.connection
  }

  get scheme(): string {
    return this.request.scheme
  }

  get authority(): string {
    return this.request.authority || (fieldValue(this.request.headers, 'host') ?? '')
  }

  get path(): string {
    return this.request.path
  }

  get headers(): readonly string[] {
    return this.request.headers
  }

  header(name: string): string | undefined {
    return fieldValue(this.request.headers, name)
  }

  get priority(): Priority {
    return this.request.priority
  }

  set priority(priority: Priority) {
    this.request.setPriority(priority)
  }

  handlePriority(): void {
    const { onPriorityChange } = this
    if (this.phase === HandlerPhase.running && onPriorityChange !== undefined) this.contain(onPriorityChange)
  }

  get status(): number {
    return this.request.status
  }

  get bytesSent(): number {
    return this.request.bodyBytesWritten
  }

  get isHeadSent(): boolean {
    return this.request.isHeadSent
  }

  get isEnded(): boolean {
    return this.request.isEnded
  }

  get host(): ActorHost {
    return this.owner
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#cancelled !== undefined) this.#abort.abort(this.#cancelled)
    }
    return this.#abort.signal
  }

  get datagrams(): ExchangeDatagrams | undefined {
    if (this.#tunnelDatagrams !== undefined) return this.#tunnelDatagrams
    if (this.#datagrams === undefined && this.request.connection.settings.h3Datagram) {
      const channel = this.owner.datagramChannel(this.request.id)
      if (channel !== undefined) this.#datagrams = new H3Datagrams(this.request, channel)
    }
    return this.#datagrams
  }

  handleDatagram(payload: Uint8Array): void {
    const datagrams = this.#tunnelDatagrams
    if (datagrams !== undefined) this.contain(() => datagrams.receive(payload))
    else if (this.#tunnel === undefined) this.owner.datagramChannel(this.request.id)?.push(payload)
    // RFC 9297 section 2: a request without semantics for datagrams "MUST be aborted with H3_DATAGRAM_ERROR".
    else this.#tunnel.abort(H3ErrorCode.H3_DATAGRAM_ERROR, new CancelledError('peerReset'))
  }

  // --- response ----------------------------------------------------------------------------------------------------

  respond(status: number, headers: readonly string[] = NO_FIELDS, body?: Uint8Array | string): void {
    if (this.phase !== HandlerPhase.running) return
    const fields = this.#dated(headers)
    if (body === undefined) this.request.respond(status, fields, END)
    else this.request.respond(status, fields, { body: bytesOf(body), end: true })
    this.#checkLength()
  }

  begin(status: number, headers: readonly string[] = NO_FIELDS): void {
    if (this.phase === HandlerPhase.running) this.request.respond(status, this.#dated(headers))
  }

  inform(status: number, headers: readonly string[] = NO_FIELDS): void {
    if (this.phase === HandlerPhase.running) this.request.sendInformational(status, headers)
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.phase !== HandlerPhase.running) return quietly(Promise.reject(this.#reason()))
    if (this.request.write(bytesOf(chunk))) return undefined
    this.#checkLength()
    this.#writing ??= new Waiter()
    return this.#writing.promise
  }

  sendTrailers(fields: readonly string[]): void {
    if (this.phase === HandlerPhase.running) this.request.sendTrailers(fields)
  }

  end(chunk?: Uint8Array | string): void {
    if (this.phase !== HandlerPhase.running) return
    if (chunk !== undefined && chunk.length > 0) this.request.write(bytesOf(chunk))
    this.request.end()
    this.#checkLength()
  }

  reset(code: number = H3ErrorCode.H3_INTERNAL_ERROR): void {
    this.resetByHandler(code)
  }

  /** A body that is longer or shorter than its content-length has been reset: the handler has to hear of it. */
  #checkLength(): void {
    if (this.phase === HandlerPhase.running && this.request.isReset) {
      throw new RangeError('the body does not have the length that content-length declares')
    }
  }

  #dated(headers: readonly string[]): readonly string[] {
    const { date } = this.#service
    if (date === undefined || fieldValue(headers, 'date') !== undefined) return headers
    return headers.concat('date', date())
  }

  /** Why nothing can be read or written any more. What stray callbacks do after the end must not throw at them. */
  #reason(): CancelledError {
    return this.#cancelled ?? new CancelledError('streamClosed')
  }

  // --- tunnel ------------------------------------------------------------------------------------------------------

  accept(headers: readonly string[] = NO_FIELDS): StreamTunnel {
    if (this.method !== 'CONNECT') throw new TypeError('only CONNECT opens a tunnel')
    if (this.phase !== HandlerPhase.running) throw this.#reason()
    this.begin(200, headers)
    this.request.isTunnel = true
    this.#tunnel = new StreamTunnel(this.request, {
      contain: (run) => this.contain(run),
      // RFC 9114 section 4.4 for CONNECT to a host; RFC 9220 section 3 for the others.
      ...(this.request.protocol === undefined && { errorCode: H3ErrorCode.H3_CONNECT_ERROR }),
    })
    return this.#tunnel
  }

  acceptDatagrams(headers: readonly string[] = NO_FIELDS): DatagramTunnel {
    const tunnel = this.accept(headers.concat(CAPSULE_PROTOCOL))
    const { request } = this
    this.#tunnelDatagrams = new TunnelDatagrams({
      tunnel,
      frames: framesOf(request),
      channel: this.owner.datagramChannel(request.id),
      fail: (error) => tunnel.abort(H3ErrorCode.H3_MESSAGE_ERROR, error),
      charge: (points) => request.connection.charge(points),
    })
    return this.#tunnelDatagrams
  }

  /** Runs what leads into the handler's listeners; what they throw crashes this exchange only. */
  contain(run: () => void): void {
    try {
      runContained(this, run, undefined)
    } catch (error) {
      this.handleStray(error)
    }
  }

  // --- request body ------------------------------------------------------------------------------------------------

  get body(): AsyncIterable<Uint8Array> {
    return this.bodyLimit === Number.POSITIVE_INFINITY ? this : limitedBody(this, this.bodyLimit)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const result = this.#take()
    if (result !== undefined) return Promise.resolve(result)
    if (this.phase !== HandlerPhase.running) return quietly(Promise.reject(this.#reason()))
    if (this.#reading !== undefined) {
      return quietly(Promise.reject(new Error('the body is being read already')))
    }
    this.#continue()
    this.#reading = new Waiter()
    return this.#reading.promise
  }

  /** Waiting for the body is the handler's word that it wants it (RFC 9110 section 10.1.1). */
  #continue(): void {
    if (this.#hasWaited || this.request.isHeadSent) return
    this.#hasWaited = true
    if (expectsContinue(this.headers)) this.request.sendInformational(100, NO_FIELDS)
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    return Promise.resolve(DONE)
  }

  /** What is there, copied into one piece; undefined = nothing now. */
  #take(): IteratorResult<Uint8Array> | undefined {
    if (this.#cancelled !== undefined) return undefined
    const value = readChunk(this.request)
    if (value === undefined) return this.request.isBodyComplete ? DONE : undefined
    return { value, done: false }
  }

  #deliverBody(): void {
    const waiter = this.#reading
    if (waiter === undefined) return
    // Reading can report the end, or a fault, from within: those calls must not find the waiter that this one serves.
    this.#reading = undefined
    const result = this.#take()
    if (result !== undefined) waiter.resolve(result)
    else if (this.#cancelled !== undefined) waiter.reject(this.#cancelled)
    else this.#reading = waiter
  }

  // --- events of the stream, beyond what HandlerActor does -----------------------------------------------------------

  handleBodyReadable(): void {
    if (this.#tunnel === undefined) this.#deliverBody()
    else this.#tunnel.handleReadable()
  }

  handleTrailers(fields: string[]): void {
    this.trailers = fields
  }

  handleBodyEnd(): void {
    if (this.#tunnel === undefined) this.#deliverBody()
    else this.#tunnel.handleEnd()
  }

  /** A tunnel whose stream has ended well may still give out what it has received. */
  override handleClosed(outcome: 'closed' | 'reset'): void {
    if (this.#tunnel === undefined || outcome === 'reset') super.handleClosed(outcome)
  }

  handleWritable(): void {
    const waiter = this.#writing
    this.#writing = undefined
    waiter?.resolve()
    this.#tunnel?.handleWritable()
  }

  protected deliverCancel(reason: CancelReason): void {
    runContained(this, this.#deliverCancel, new CancelledError(reason, this.peerCode))
  }

  protected deliverCut(): void {
    if (this.onCut !== undefined) runContained(this, this.onCut, undefined)
  }

  protected deliverDrain(): void {
    if (this.onDrain !== undefined) runContained(this, this.onDrain, undefined)
  }

  #deliverCancel = (error: CancelledError): void => {
    this.#cancelled = error
    this.#reading?.reject(error)
    this.#writing?.reject(error)
    this.#reading = undefined
    this.#writing = undefined
    this.#tunnel?.destroy(error)
    try {
      this.onCancel?.(error)
    } finally {
      this.#abort?.abort(error)
    }
  }
}
