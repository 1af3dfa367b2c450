// One request and its response on the client: turns the callbacks of a RequestStream into promises, and sends
// the request body with backpressure. Created by session.ts; ClientResponse is what the caller sees of it.
import {
  H3ErrorCode,
  h3ErrorName,
  type Priority,
  type RequestStream,
  type RequestStreamEvents,
} from '../http3/index.ts'
import type { Clock, TimerHandle } from '../transport/io/clock.ts'
import { ClientDatagrams } from './client-datagrams.ts'
import { ClientError } from './client-error.ts'
import { ClientResponse, type ResponseSource } from './client-response.ts'
import { flattenHeaders, type HeadersInput } from './fields.ts'
import { CONTINUE_WAIT } from './limits.ts'
import { BodySender, type BodySink, type RequestBody } from './request-body.ts'
import type { ClientSession } from './session.ts'

/** What an exchange needs to know about the request beyond its header fields. */
export interface ExchangeOptions {
  readonly body?: RequestBody | undefined
  /** Asked when the body has been sent. */
  readonly trailers?: (() => HeadersInput) | undefined
  /** Gives up the request and its response. */
  readonly signal?: AbortSignal | undefined
  /** How urgent the response is (RFC 9218); what is left out has its default: urgency 3, not incremental. */
  readonly priority?: Partial<Priority> | undefined
  /** Called when the request leaves; what it gets can ask for another priority from then on. */
  readonly onSent?: ((request: SentRequest) => void) | undefined
  /** Called for each 1xx response. */
  readonly onInformational?: ((status: number, fields: readonly string[]) => void) | undefined
  /**
   * Holds the body back until the server says 100, answers, or has said nothing for a second (RFC 9110 section 10.1.1);
   * the request then carries `expect: 100-continue`.
   */
  readonly expectContinue?: boolean | undefined
}

/** A request on its way. */
export interface SentRequest {
  /**
   * Tells the server how urgent the response is now; what is left out stays.
   * @throws RangeError for an urgency other than 0 to 7
   */
  setPriority(priority: Partial<Priority>): void
}

/** The connection that an exchange is on. */
export interface ExchangeHost {
  readonly session: ClientSession
  readonly clock: Clock | undefined
  /** Why the connection under the exchange is gone; asked only when the stream closes unfinished. */
  closeReason(): ClientError
  /** The stream is gone: the last call of an exchange. */
  handleEnd(): void
}

export class ClientExchange implements RequestStreamEvents, BodySink, SentRequest, ResponseSource {
  readonly protocol = 'h3'
  readonly stream: RequestStream
  /** Trailing fields once the body has been read to its end. */
  trailers: readonly string[] | undefined
  onFailure: ((reason: unknown) => void) | undefined
  readonly #options: ExchangeOptions
  readonly #head = Promise.withResolvers<ClientResponse>()
  readonly #host: ExchangeHost
  #continueTimer: TimerHandle | undefined
  /** The server has refused the request while its body was held back. */
  #isBodyWithheld = false
  #datagrams: ClientDatagrams | undefined
  #sender: BodySender | undefined
  #failure: unknown
  #hasFailed = false
  #hasEnded = false
  #wake: (() => void) | undefined

  constructor(stream: RequestStream, options: ExchangeOptions, host: ExchangeHost) {
    this.stream = stream
    this.#options = options
    this.#host = host
    stream.events = this
  }

  get session(): ClientSession {
    return this.#host.session
  }

  get datagrams(): ClientDatagrams {
    this.#datagrams ??= new ClientDatagrams(this.stream)
    return this.#datagrams
  }

  /** Starts sending the body; resolves when the final response head is there. */
  start(): Promise<ClientResponse> {
    const { body, signal, onSent, expectContinue } = this.#options
    signal?.addEventListener('abort', this.#handleAbort, { once: true })
    if (body !== undefined) {
      this.#sender = new BodySender(body, this, (reason) => this.abort(reason))
      const { clock } = this.#host
      if (expectContinue !== true || clock === undefined) this.#sender.resume()
      else this.#continueTimer = clock.setTimer(clock.now() + CONTINUE_WAIT, this.#beginBody)
    }
    try {
      onSent?.(this)
    } catch (error) {
      this.abort(error)
    }
    return this.#head.promise
  }

  #beginBody = (): void => {
    if (this.#continueTimer === undefined) return
    this.#host.clock?.clearTimer(this.#continueTimer)
    this.#continueTimer = undefined
    this.#sender?.resume()
  }

  setPriority(priority: Partial<Priority>): void {
    this.stream.setPriority(priority)
  }

  /** Gives the exchange up in both directions (RFC 9114 section 4.1.1, H3_REQUEST_CANCELLED). */
  abort(reason: unknown): void {
    if (this.#hasFailed || (this.#hasEnded && this.stream.isEnded)) return
    this.#fail(reason)
    this.stream.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  /** Wants no more of the response; the request body goes on. */
  discardBody(): void {
    if (this.#hasEnded || this.#hasFailed) return
    this.#hasEnded = true
    this.stream.stopReceiving(H3ErrorCode.H3_REQUEST_CANCELLED)
    this.#leaveBody()
    this.#wake?.()
  }

  /** The next piece of the response body, a copy; undefined at its end. */
  async nextChunk(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#hasFailed) throw this.#failure
      if (this.#hasEnded) return undefined
      const chunk = this.stream.readBody()
      if (chunk !== undefined) return new Uint8Array(chunk)
      if (!this.#hasEnded && !this.#hasFailed) await this.#untilWoken()
    }
  }

  write(chunk: Uint8Array): boolean {
    return this.stream.write(chunk)
  }

  end(): void {
    const { trailers } = this.#options
    if (trailers !== undefined) this.stream.sendTrailers(flattenHeaders(trailers()))
    this.stream.end()
  }

  handleInformational(status: number, fields: readonly string[]): void {
    if (status === 100) this.#beginBody()
    try {
      this.#options.onInformational?.(status, fields)
    } catch (error) {
      this.abort(error)
    }
  }

  handleHead(status: number, fields: readonly string[]): void {
    // RFC 9110 section 10.1.1: whoever refuses the request at once wants nothing of its body.
    if (this.#continueTimer !== undefined && status >= 400) {
      this.#stopSending()
      this.#isBodyWithheld = true
    } else this.#beginBody()
    this.#head.resolve(new ClientResponse(this, status, fields))
  }

  handleBodyReadable(): void {
    this.#wake?.()
  }

  handleTrailers(fields: readonly string[]): void {
    this.trailers = fields
  }

  handleBodyEnd(): void {
    this.#hasEnded = true
    this.#leaveBody()
    this.#wake?.()
  }

  handleDatagram(payload: Uint8Array): void {
    this.datagrams.handleDatagram(payload)
  }

  handleWritable(): void {
    if (this.#continueTimer === undefined) this.#sender?.resume()
  }

  handleReset(code: number, isLocal: boolean): void {
    const name = h3ErrorName(code)
    if (code === H3ErrorCode.H3_REQUEST_REJECTED) {
      this.#fail(new ClientError('rejected', 'the server did not process the request', code))
    } else if (isLocal) this.#fail(new ClientError('reset', `the response is not valid (${name})`, code))
    else this.#fail(new ClientError('reset', `the server reset the stream (${name})`, code))
  }

  handleStopSending(_code: number): void {
    this.#sender?.stop()
  }

  handleClosed(_outcome: 'closed' | 'reset'): void {
    this.#stopSending()
    if (!this.#hasEnded) this.#fail(this.#host.closeReason())
    this.#options.signal?.removeEventListener('abort', this.#handleAbort)
    this.#datagrams?.close()
    this.#host.handleEnd()
  }

  /** The response is complete, and the body of the request will never come. */
  #leaveBody(): void {
    if (this.#isBodyWithheld) this.stream.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  #stopSending(): void {
    if (this.#continueTimer !== undefined) this.#host.clock?.clearTimer(this.#continueTimer)
    this.#continueTimer = undefined
    this.#sender?.stop()
  }

  #fail(reason: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#failure = reason
    this.#options.signal?.removeEventListener('abort', this.#handleAbort)
    this.#stopSending()
    this.#head.reject(reason)
    this.onFailure?.(reason)
    this.#wake?.()
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  #handleAbort = (): void => {
    this.abort(this.#options.signal?.reason ?? new ClientError('aborted', 'the request was aborted'))
  }
}
