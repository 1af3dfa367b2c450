// One HTTP/3 connection of the client: hands out request streams as the server's stream credit allows, and knows
// whether the connection can still be used. Created by connect.ts, pooled by http-client.ts.
import { H3Connection, H3ErrorCode, type H3Events, h3ErrorName, type RequestStream } from '../http3/index.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import type { CloseInfo, QuicConnection } from '../transport/connection/index.ts'
import { ClientError } from './client-error.ts'
import { ClientExchange, type ExchangeOptions } from './client-exchange.ts'
import type { ClientResponse } from './client-response.ts'
import { flattenHeaders, type HeadersInput } from './fields.ts'
import { GLITCH_REFUND_PER_SWEEP, MAX_WAITING_REQUESTS } from './limits.ts'
import { bytesOfBody, type RequestBody } from './request-body.ts'

/** A request on an open session. */
export interface RequestInput extends ExchangeOptions {
  /** Default GET, or POST when there is a body. */
  readonly method?: string | undefined
  /** Path with query; default "/". */
  readonly path?: string | undefined
  readonly headers?: HeadersInput | undefined
  readonly body?: RequestBody | undefined
  /** Default: the authority the session was opened for. */
  readonly authority?: string | undefined
}

/** Whoever wants a request stream: exactly one of the two is called, at once or when the server allows it. */
export interface StreamTaker {
  take(stream: RequestStream): void
  refuse(reason: unknown): void
}

/** Code of TLS alert 0. */
const CRYPTO_ERROR = 0x100

interface WaitingStream {
  readonly fields: readonly string[]
  readonly hasBody: boolean
  readonly taker: StreamTaker
}

export class ClientSession implements H3Events {
  readonly connection: QuicConnection
  readonly h3: H3Connection
  /** What the connection talks to: HTTP/3, overheard by this session. */
  readonly application: SupervisedApplication
  readonly authority: string
  /** Resolves when the handshake is complete; rejects when it does not come to that. */
  readonly opened: Promise<void>
  /** Resolves with the reason when the connection has ended, however it did. */
  readonly closed: Promise<ClientError>
  readonly #opened = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<ClientError>()
  readonly #released: Promise<unknown>
  readonly #waiting: WaitingStream[] = []
  #closeReason: ClientError | undefined
  #isGoingAway = false
  #isOpen = false

  /**
   * @param authority value of :authority for requests that do not say otherwise
   * @param release called once when the connection has ended
   */
  constructor(connection: QuicConnection, authority: string, release?: () => Promise<unknown>) {
    this.connection = connection
    this.authority = authority
    this.opened = this.#opened.promise
    this.closed = this.#closed.promise
    this.#released = this.closed.then(release)
    // Whoever does not wait for the handshake learns of its failure from the requests.
    this.opened.catch(() => {})
    this.h3 = new H3Connection(connection, { role: 'client', events: this })
    this.application = this.#overhear(this.h3)
  }

  /** Whether new requests can be made: neither closing nor told by the server to go away. */
  get isUsable(): boolean {
    return this.#closeReason === undefined && !this.#isGoingAway
  }

  /** Requests that wait for stream credit. */
  get waitingRequests(): number {
    return this.#waiting.length
  }

  /**
   * Makes a request as soon as the server allows another stream; resolves with the final response's head.
   * @throws ClientError (see its kinds), TypeError for fields that HTTP does not allow, or the signal's reason
   */
  async request(input: RequestInput = {}): Promise<ClientResponse> {
    const { signal } = input
    signal?.throwIfAborted()
    return new Promise<ClientResponse>((resolve, reject) => {
      const stopWaiting = (): void => this.#stopWaiting(taker, signal?.reason)
      // The exchange attaches itself in the same call that opens the stream: nothing can arrive in between.
      const taker: StreamTaker = {
        take: (stream) => {
          signal?.removeEventListener('abort', stopWaiting)
          resolve(this.#exchange(stream, input))
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', stopWaiting)
          reject(reason)
        },
      }
      signal?.addEventListener('abort', stopWaiting, { once: true })
      this.openStream(this.#requestFields(input), input.body !== undefined, taker)
    })
  }

  /** Opens a request stream for a complete field list and hands it over, at once if it can be. */
  openStream(fields: readonly string[], hasBody: boolean, taker: StreamTaker): void {
    if (!this.isUsable) {
      taker.refuse(this.#unusable())
      return
    }
    if (this.#waiting.length >= MAX_WAITING_REQUESTS) {
      taker.refuse(new ClientError('limit', 'too many requests wait for the server to allow another stream'))
      return
    }
    this.#waiting.push({ fields, hasBody, taker })
    this.#drain()
  }

  /** Closes the connection with H3_NO_ERROR; what is in flight fails with kind 'aborted'. */
  close(code: number = H3ErrorCode.H3_NO_ERROR, reason = ''): void {
    this.#end(new ClientError('aborted', 'the session was closed'))
    this.connection.close(code, reason, { application: true })
  }

  /** Closes, and resolves when sockets and timers of the session are gone too. */
  async end(): Promise<void> {
    this.close()
    await this.#released
  }

  handleRequestCredit(): void {
    this.#drain()
  }

  handleRequest(): void {
    throw new Error('a client gets no requests')
  }

  handleGoaway(): void {
    this.#isGoingAway = true
    const reason = this.#unusable()
    for (const { taker } of this.#waiting.splice(0)) taker.refuse(reason)
  }

  handleClosing(close: CloseInfo): void {
    this.#end(closeError(close, this.#isOpen))
  }

  handleClosed(): void {
    this.#end(new ClientError('closed', 'the connection has ended'))
  }

  /** HTTP/3 does not report the end of the handshake, after which it can take requests. */
  #overhear(h3: H3Connection): SupervisedApplication {
    return {
      sweep: () => h3.replenish(GLITCH_REFUND_PER_SWEEP),
      handleHandshakeComplete: () => {
        h3.handleHandshakeComplete()
        this.#isOpen = true
        this.#opened.resolve()
        this.#drain()
      },
      acceptStream: (stream) => h3.acceptStream(stream),
      handleStreamCredit: (kind) => h3.handleStreamCredit(kind),
      handleDatagramFrame: (payload) => h3.handleDatagramFrame(payload),
      handleClosing: (close) => h3.handleClosing(close),
      handleClosed: () => h3.handleClosed(),
    }
  }

  #end(reason: ClientError): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#opened.reject(reason)
    this.#closed.resolve(reason)
    for (const { taker } of this.#waiting.splice(0)) taker.refuse(reason)
  }

  #unusable(): ClientError {
    return this.#closeReason ?? new ClientError('rejected', 'the server is going away')
  }

  #requestFields(input: RequestInput): string[] {
    const { body } = input
    const method = input.method ?? (body === undefined ? 'GET' : 'POST')
    const own = flattenHeaders(input.headers)
    const authority = input.authority ?? this.authority
    const fields = [
      ':method',
      method,
      ':scheme',
      'https',
      ':authority',
      authority,
      ':path',
      input.path ?? '/',
    ]
    fields.push(...own)
    if (body !== undefined && !own.includes('content-length')) {
      const bytes = bytesOfBody(body)
      if (bytes !== undefined) fields.push('content-length', String(bytes.length))
    }
    return fields
  }

  #exchange(stream: RequestStream, input: RequestInput): Promise<ClientResponse> {
    const reason = (): ClientError =>
      this.#closeReason ?? new ClientError('closed', 'the stream ended before the response did')
    return new ClientExchange(stream, input, reason).start()
  }

  #stopWaiting(taker: StreamTaker, reason: unknown): void {
    const index = this.#waiting.findIndex((waiting) => waiting.taker === taker)
    if (index < 0) return
    this.#waiting.splice(index, 1)
    taker.refuse(reason)
  }

  /** Opens streams for those who wait, oldest first, as far as the server allows. */
  #drain(): void {
    while (this.#isOpen && this.#waiting.length > 0) {
      const { fields, hasBody, taker } = this.#waiting[0]!
      let stream: RequestStream | undefined
      try {
        stream = this.h3.openRequest(fields, hasBody)
      } catch (reason) {
        this.#waiting.shift()
        taker.refuse(reason)
        continue
      }
      if (stream === undefined) return
      this.#waiting.shift()
      taker.take(stream)
    }
  }
}

function closeError(close: CloseInfo, wasOpen: boolean): ClientError {
  const kind = wasOpen ? 'closed' : 'connect'
  if (close.cause === 'idle' || close.cause === 'handshakeTimeout') {
    return new ClientError(
      'timeout',
      wasOpen ? 'the server fell silent' : 'the server did not answer in time',
    )
  }
  if (close.cause === 'statelessReset')
    return new ClientError(kind, 'the server has forgotten the connection')
  const name = close.isApplication ? h3ErrorName(close.code) : transportErrorName(close.code)
  const reason = close.reason === '' ? '' : `: ${close.reason}`
  const who = close.isLocal ? 'the connection was closed' : 'the server closed the connection'
  return new ClientError(kind, `${who} (${name}${reason})`, close.code)
}

/** RFC 9000 section 20.1; from 0x100 on it is a TLS alert (RFC 9001 section 4.8). */
function transportErrorName(code: number): string {
  const isAlert = code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256
  return isAlert ? `TLS alert ${code - CRYPTO_ERROR}` : `transport error 0x${code.toString(16)}`
}
