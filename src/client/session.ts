// One HTTP/3 connection of the client: hands out request streams as the server's stream credit allows, and knows
// whether the connection can still be used. Created by connect.ts, pooled by http-client.ts.
import {
  H3Connection,
  H3ErrorCode,
  type H3Events,
  type H3Settings,
  h3ErrorName,
  type RequestStream,
} from '../http3/index.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import type { CloseInfo, QuicConnection, ResumableSession } from '../transport/connection/index.ts'
import { transportErrorName } from '../transport/wire/index.ts'
import { ClientError } from './client-error.ts'
import { ClientExchange, type ExchangeOptions } from './client-exchange.ts'
import type { ClientResponse } from './client-response.ts'
import { flattenHeaders, type HeadersInput } from './fields.ts'
import { GLITCH_REFUND_PER_SWEEP, MAX_WAITING_REQUESTS } from './limits.ts'
import { bytesOfBody, type RequestBody } from './request-body.ts'
import type { Roaming } from './roaming.ts'
import type { StoredSession } from './session-store.ts'

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

/** What may go out as early data: an attacker can have it processed again (RFC 8470 section 2). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The server did not want to process it as early data (RFC 8470 section 5.2). */
const TOO_EARLY = 425

interface WaitingStream {
  readonly isSafe: boolean
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
  /** What migrate() needs; set by who opens the session. */
  roaming: Roaming | undefined
  /** Resolves when the handshake is complete; rejects when it does not come to that. */
  readonly opened: Promise<void>
  /** Resolves when a request may leave: at once where early data goes ahead of the handshake, else like `opened`. */
  readonly ready: Promise<void>
  /** Resolves when the server has given a session for a later connection, or the connection has ended. */
  readonly resumable: Promise<void>
  /** Resolves with the reason when the connection has ended, however it did. */
  readonly closed: Promise<ClientError>
  readonly #opened = Promise.withResolvers<void>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #resumable = Promise.withResolvers<void>()
  /** Takes sessions for later connections; those that come before the server's SETTINGS wait for these. */
  readonly #keep: ((session: Omit<StoredSession, 'address'>) => void) | undefined
  #unsettled: ResumableSession[] = []
  readonly #closed = Promise.withResolvers<ClientError>()
  readonly #released: Promise<unknown>
  readonly #waiting: WaitingStream[] = []
  #closeReason: ClientError | undefined
  #isGoingAway = false
  #isOpen = false
  #isEarly = false

  /**
   * @param authority value of :authority for requests that do not say otherwise
   * @param release called once when the connection has ended
   * @param keep given each session for a later connection
   */
  constructor(
    connection: QuicConnection,
    authority: string,
    release?: () => Promise<unknown>,
    keep?: (session: Omit<StoredSession, 'address'>) => void,
  ) {
    this.connection = connection
    this.authority = authority
    this.#keep = keep
    this.opened = this.#opened.promise
    this.ready = this.#ready.promise
    this.resumable = this.#resumable.promise
    this.closed = this.#closed.promise
    this.#released = this.closed.then(release)
    // Whoever does not wait for the handshake learns of its failure from the requests.
    this.opened.catch(() => {})
    this.ready.catch(() => {})
    this.h3 = new H3Connection(connection, { role: 'client', events: this })
    this.application = this.#overhear(this.h3)
  }

  /** Whether new requests can be made: neither closing nor told by the server to go away. */
  get isUsable(): boolean {
    return this.#closeReason === undefined && !this.#isGoingAway
  }

  /** The handshake rested on an earlier session: no certificate was shown. */
  get isResumed(): boolean {
    return this.connection.tls.isResumed
  }

  /** What the server made of early data; undefined when there was none, or it has not said yet. */
  get earlyData(): 'accepted' | 'rejected' | undefined {
    const { isAccepted } = this.connection.handshake.early
    if (isAccepted === undefined) return undefined
    return isAccepted ? 'accepted' : 'rejected'
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
    const wasOpen = this.#isOpen
    const response = await this.#attempt(input)
    if (response.status !== TOO_EARLY || wasOpen || input.body !== undefined) return response
    response.discard()
    await this.opened
    return this.#attempt(input)
  }

  async #attempt(input: RequestInput): Promise<ClientResponse> {
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
    const isSafe = !hasBody && SAFE_METHODS.has(fields[fields.indexOf(':method') + 1] ?? '')
    this.#waiting.push({ fields, hasBody, taker, isSafe })
    this.#drain()
  }

  /**
   * Goes on from another local address, e.g. after a change of network; requests in flight survive. Resolves when the
   * server has answered there (RFC 9000 section 9).
   * @throws ClientError of kind 'connect': the server did not answer or forbids it; the session stays where it was
   */
  async migrate(): Promise<void> {
    if (this.roaming === undefined) throw new ClientError('connect', 'this session has no sockets to move to')
    await this.roaming.migrate()
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

  /** Says goodbye once and forgets the connection: the peer has never answered, so nothing of it will come. */
  async abandon(): Promise<void> {
    this.close()
    // The turn that sends CONNECTION_CLOSE is scheduled already, and comes first.
    setImmediate(() => this.connection.abandon())
    await this.#released
  }

  handleRequestCredit(): void {
    this.#drain()
  }

  /** Requests may go ahead of the handshake; called right after the connection was made. */
  beginEarlyData(settings: H3Settings): void {
    this.#isEarly = true
    this.h3.beginEarlyData(settings)
    this.#ready.resolve()
    this.#drain()
  }

  /** The server gives a session for a later connection. */
  handleSession(session: ResumableSession): void {
    this.#unsettled.push(session)
    if (this.h3.hasPeerSettings) this.#keepSessions()
  }

  handleSettings(): void {
    this.#keepSessions()
  }

  #keepSessions(): void {
    const sessions = this.#unsettled
    this.#unsettled = []
    const settings = this.h3.peerSettings
    for (const session of sessions) this.#keep?.({ ...session, settings })
    if (sessions.length > 0) this.#resumable.resolve()
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
        this.#ready.resolve()
        this.#drain()
      },
      handleEarlyDataVerdict: (isAccepted) => h3.handleEarlyDataVerdict(isAccepted),
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
    this.#ready.reject(reason)
    this.#resumable.resolve()
    this.#unsettled = []
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

  /** Opens streams for those who wait, oldest first, as far as the server allows; before the handshake safe ones only. */
  #drain(): void {
    while ((this.#isOpen || this.#isEarly) && this.#waiting.length > 0) {
      const index = this.#isOpen ? 0 : this.#waiting.findIndex((waiting) => waiting.isSafe)
      if (index < 0) return
      const { fields, hasBody, taker } = this.#waiting[index]!
      let stream: RequestStream | undefined
      try {
        stream = this.h3.openRequest(fields, hasBody)
      } catch (reason) {
        this.#waiting.splice(index, 1)
        taker.refuse(reason)
        continue
      }
      if (stream === undefined) return
      this.#waiting.splice(index, 1)
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
  const name = close.isApplication ? h3ErrorName(close.code) : nameOf(close.code)
  const reason = close.reason === '' ? '' : `: ${close.reason}`
  const who = close.isLocal ? 'the connection was closed' : 'the server closed the connection'
  return new ClientError(kind, `${who} (${name}${reason})`, close.code)
}

/** RFC 9000 section 20.1; from 0x100 on it is a TLS alert (RFC 9001 section 4.8). */
function nameOf(code: number): string {
  const isAlert = code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256
  return isAlert ? `TLS alert ${code - CRYPTO_ERROR}` : transportErrorName(code)
}
