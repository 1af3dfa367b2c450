// One HTTP/3 connection of the client: hands out request streams as the server's stream credit allows, and knows
// whether the connection can still be used. Created by connect.ts, pooled by http-client.ts.
import {
  H3Connection,
  type H3ConnectionOptions,
  H3ErrorCode,
  type H3Events,
  type H3Settings,
  type RequestStream,
} from '../http3/index.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import type { SessionRegistry } from '../supervisor/webtransport-sessions.ts'
import type { CloseInfo, QuicConnection, ResumableSession } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { WebSocketConnection } from '../tunnels/websocket-connection.ts'
import { ClientError } from './client-error.ts'
import { ClientExchange } from './client-exchange.ts'
import type { ClientResponse } from './client-response.ts'
import { type OpenTunnel, openTunnel, type TunnelInput } from './client-tunnel.ts'
import { closeError } from './close-reason.ts'
import { type ConnectUdpInput, openUdpTunnel, type UdpTunnel } from './connect-udp.ts'
import { MAX_WAITING_REQUESTS } from './limits.ts'
import type { Liveness } from './liveness.ts'
import { extendOrigins } from './origin-set.ts'
import { overheard } from './overheard.ts'
import { type RequestInput, requestFields } from './request-input.ts'
import type { Roaming } from './roaming.ts'
import type { StoredSession } from './session-store.ts'
import type { StreamTaker, WaitingStream } from './stream-taker.ts'
import { openWebSocket, type WebSocketInput } from './websocket.ts'
import { openWebTransport } from './webtransport.ts'
import type { WebTransportClientSession, WebTransportSessionOptions } from './webtransport-session.ts'

/** What may go out as early data: an attacker can have it processed again (RFC 8470 section 2). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The server did not want to process it as early data (RFC 8470 section 5.2). */
const TOO_EARLY = 425

/** An open HTTP/3 connection of the client; connect() makes one. */
export class ClientSession implements H3Events {
  /** The QUIC connection: state, limits, TLS, metrics(). */
  readonly connection: QuicConnection
  /** HTTP/3 on it. */
  readonly h3: H3Connection
  /** What the connection talks to: HTTP/3, overheard by this session. */
  readonly application: SupervisedApplication
  /** Host and port it was opened for. */
  readonly authority: string
  /** What migrate() needs; set by who opens the session. */
  roaming: Roaming | undefined
  /** Whether the connection keeps the process alive; set by who opens the session. */
  liveness: Liveness | undefined
  /** Registry of WebTransport sessions; set by who opens the session. */
  sessions: SessionRegistry | undefined
  /** For waits within requests; set by who opens the session. */
  clock: Clock | undefined
  /** Told when the last hold is released, when the first one is taken, and when the server is going away. */
  onActivity: (() => void) | undefined
  /** Resolves when the handshake is complete; rejects when it does not come to that. */
  readonly opened: Promise<void>
  /** Resolves when a request may leave: at once where early data goes ahead of the handshake, else like `opened`. */
  readonly ready: Promise<void>
  /** Resolves when the server has given a session for a later connection, or the connection has ended. */
  readonly resumable: Promise<void>
  /** Resolves with the reason when the connection has ended, however it did. */
  readonly closed: Promise<ClientError>
  /** Resolves with the server's SETTINGS. */
  readonly settings: Promise<H3Settings>
  readonly #settings = Promise.withResolvers<H3Settings>()
  readonly #opened = Promise.withResolvers<void>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #resumable = Promise.withResolvers<void>()
  /** Takes sessions for later connections; those that come before the server's SETTINGS wait for these. */
  readonly #keep: ((session: Omit<StoredSession, 'address'>) => void) | undefined
  #origins: Set<string> | undefined
  #unsettled: ResumableSession[] = []
  readonly #closed = Promise.withResolvers<ClientError>()
  readonly #released: Promise<unknown>
  readonly #waiting: WaitingStream[] = []
  #closeReason: ClientError | undefined
  #isGoingAway = false
  #isOpen = false
  #isEarly = false
  #holds = 0

  /**
   * @param authority value of :authority for requests that do not say otherwise
   * @param release called once when the connection has ended
   * @param keep given each session for a later connection
   * @param http what differs from the defaults of HTTP/3
   */
  constructor(
    connection: QuicConnection,
    authority: string,
    release?: () => Promise<unknown>,
    keep?: (session: Omit<StoredSession, 'address'>) => void,
    http: Pick<H3ConnectionOptions, 'qpack' | 'webtransport'> = {},
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
    this.settings = this.#settings.promise
    this.settings.catch(() => {})
    this.h3 = new H3Connection(connection, { ...http, role: 'client', events: this })
    this.application = overheard(this.h3, () => {
      this.#isOpen = true
      this.#opened.resolve()
      this.#ready.resolve()
      this.#drain()
    })
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

  /** Origins that the server says it answers for here (RFC 9412); undefined while it has said nothing. */
  get origins(): ReadonlySet<string> | undefined {
    return this.#origins
  }

  /** Requests that wait for stream credit. */
  get waitingRequests(): number {
    return this.#waiting.length
  }

  /** Requests in flight or waiting, and whatever else keeps the session from being idle. */
  get holds(): number {
    return this.#holds
  }

  /** Keeps the session from being closed as idle; every call needs one of release(). */
  hold(): void {
    this.#holds++
    if (this.#holds === 1) this.onActivity?.()
  }

  /** Ends one hold(). */
  release(): void {
    this.#holds--
    if (this.#holds === 0) this.onActivity?.()
  }

  /** Lets the process end although the connection is open, until ref() is called. */
  unref(): void {
    this.liveness?.set(false)
  }

  /** Lets the connection keep the process alive again. */
  ref(): void {
    this.liveness?.set(true)
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
    const fields = requestFields(input, this.authority)
    return new Promise<ClientResponse>((resolve, reject) => {
      this.hold()
      const stopWaiting = (): void => this.#stopWaiting(taker, signal?.reason)
      // The exchange attaches itself in the same call that opens the stream: nothing can arrive in between.
      const taker: StreamTaker = {
        take: (stream) => {
          signal?.removeEventListener('abort', stopWaiting)
          resolve(this.#exchange(stream, input))
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', stopWaiting)
          this.release()
          reject(reason)
        },
      }
      signal?.addEventListener('abort', stopWaiting, { once: true })
      this.openStream(fields, input.body !== undefined, taker)
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
   * Opens a byte tunnel: CONNECT with a protocol (RFC 9220), or to another host (RFC 9114 section 4.4).
   * @throws TunnelRefusedError for a status other than 2xx; ClientError
   */
  connectTunnel(input: TunnelInput): Promise<OpenTunnel> {
    return openTunnel(this, input)
  }

  /** Opens a WebSocket (RFC 9220); `path` with query. @throws TunnelRefusedError, HandshakeError, ClientError */
  websocket(path: string, input?: WebSocketInput): Promise<WebSocketConnection> {
    return openWebSocket(this, path, input)
  }

  /** Opens a WebTransport session; `path` with query. Needs `webtransport` of ConnectOptions. @throws TypeError */
  webtransport(path: string, options?: WebTransportSessionOptions): WebTransportClientSession {
    return openWebTransport(this, path, options)
  }

  /** Opens a UDP socket at the server, if it is a proxy (RFC 9298). @throws TunnelRefusedError, ClientError */
  connectUdp(host: string, port: number, input?: ConnectUdpInput): Promise<UdpTunnel> {
    return openUdpTunnel(this, host, port, input)
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
    // Whoever waits for the end must not find the process gone before it.
    this.ref()
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

  handleSettings(settings: H3Settings): void {
    this.#settings.resolve(settings)
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

  handleOrigins(named: readonly string[]): void {
    this.#origins = extendOrigins(this.#origins, this.authority, named)
  }

  handleGoaway(): void {
    this.#isGoingAway = true
    const reason = this.#unusable()
    for (const { taker } of this.#waiting.splice(0)) taker.refuse(reason)
    this.onActivity?.()
  }

  handleClosing(close: CloseInfo): void {
    this.#end(closeError(close, this.#isOpen))
  }

  handleClosed(): void {
    this.#end(new ClientError('closed', 'the connection has ended'))
  }

  #end(reason: ClientError): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#opened.reject(reason)
    this.#ready.reject(reason)
    this.#settings.reject(reason)
    this.#resumable.resolve()
    this.#unsettled = []
    this.#closed.resolve(reason)
    for (const { taker } of this.#waiting.splice(0)) taker.refuse(reason)
  }

  #unusable(): ClientError {
    return this.#closeReason ?? new ClientError('rejected', 'the server is going away')
  }

  #exchange(stream: RequestStream, input: RequestInput): Promise<ClientResponse> {
    return new ClientExchange(stream, input, {
      session: this,
      clock: this.clock,
      closeReason: () => this.endReason(),
      handleEnd: () => this.release(),
    }).start()
  }

  /** Why a stream that has just ended did so: streams end before their connection says why it does. */
  endReason(): ClientError {
    const { info } = this.connection.closing
    if (this.#closeReason !== undefined) return this.#closeReason
    if (info !== undefined) return closeError(info, this.#isOpen)
    return new ClientError('closed', 'the stream ended before the response did')
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
