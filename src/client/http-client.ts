// A client for many servers: connections that are kept per origin, HTTP/3 where it is spoken and TCP where it is not,
// requests that are sent again when that is harmless. fetch() is the web's; request() is one request without redirects
// and decoding. Whoever wants one connection and its details uses connect().
import { H3ErrorCode } from '../http3/index.ts'
import { Alternatives } from './alternatives.ts'
import { ClientError } from './client-error.ts'
import type { ClientResponse } from './client-response.ts'
import type { ConnectOptions } from './connect.ts'
import { type ClientEnvironment, systemEnvironment } from './environment.ts'
import { type FetchInit, performFetch } from './fetch.ts'
import { HTTP3_HEAD_START, MAX_ATTEMPTS, POOL_IDLE_TIMEOUT } from './limits.ts'
import { isRepeatable, trackedBody } from './request-body.ts'
import type { RequestInput } from './request-input.ts'
import { type Http3Mode, type Route, RouteChooser } from './route-chooser.ts'
import { SessionPool } from './session-pool.ts'
import { MemorySessionStore } from './session-store.ts'
import { TokenStore } from './token-store.ts'

/** How an HttpClient opens connections, and what it remembers. */
export interface HttpClientOptions extends Omit<ConnectOptions, 'signal' | 'alternative' | 'liveness'> {
  /** When HTTP/3 is used; default `alt-svc`: where the server has announced it. */
  readonly http3?: Http3Mode | undefined
  /** Head start of HTTP/3 over TCP, ms; default 300. */
  readonly headStart?: number | undefined
  /** How long a connection without requests is kept, ms; default 15,000. */
  readonly idleTimeout?: number | undefined
}

/** RFC 9110 section 9.2.2: sending one of these twice has the effect of sending it once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** RFC 9110 section 15.5.20: the server does not answer for this origin. */
const MISDIRECTED = 421

/** A client with a pool of connections, for HTTP/3 and, where there is none, HTTP/1.1. */
export class HttpClient implements AsyncDisposable {
  readonly #alternatives: Alternatives
  readonly #environment: ClientEnvironment
  readonly #pool: SessionPool
  readonly #routes: RouteChooser
  readonly #isTcpAllowed: boolean
  #isClosed = false

  /** @param options apply to every connection this client opens */
  constructor(options: HttpClientOptions = {}, environment?: ClientEnvironment) {
    const { http3: mode = 'alt-svc', headStart = HTTP3_HEAD_START, idleTimeout = POOL_IDLE_TIMEOUT } = options
    const complete = { tokens: new TokenStore(), sessions: new MemorySessionStore(), ...options }
    this.#environment = environment ?? systemEnvironment(complete)
    const { clock, dial } = this.#environment
    this.#alternatives = new Alternatives(() => clock.now())
    this.#pool = new SessionPool({ dial, clock, idleTimeout })
    const alternatives = this.#alternatives
    this.#routes = new RouteChooser({ mode, headStart, clock, pool: this.#pool, alternatives })
    this.#isTcpAllowed = mode !== 'only'
  }

  /** HTTP/3 connections that are open or being opened. */
  get connections(): number {
    return this.#pool.size
  }

  /**
   * The web's fetch(): see the Fetch standard. Rejects with TypeError ("fetch failed", its cause says why), or with the
   * signal's reason.
   */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response> {
    return performFetch((url, request) => this.request(url, request), input, init)
  }

  /**
   * One request, without redirects and with the body as it comes.
   * @param input `path` and `authority` come from the URL unless given
   * @throws ClientError, TypeError for fields that HTTP does not allow, or the signal's reason
   */
  async request(url: string | URL, input: RequestInput = {}): Promise<ClientResponse> {
    const target = new URL(url)
    const body = trackedBody(input.body)
    const request = { path: target.pathname + target.search, authority: target.host, ...input, body }
    for (let attempt = 1; ; attempt++) {
      if (this.#isClosed) throw new ClientError('aborted', 'the client was closed')
      const route = await this.#routes.choose(target, input.signal)
      const isLast = attempt === MAX_ATTEMPTS
      try {
        const response = await this.#send(target, request, route)
        this.#learn(target, response)
        if (response.status !== MISDIRECTED || isLast || !this.#canTakeAnotherWay(route, request))
          return response
        response.discard()
        this.#alternatives.forget(target.origin)
        this.#routes.reportFailure(route)
      } catch (error) {
        if (isLast || !mayRepeat(error, request, route) || this.#isClosed) throw error
        if ((error as ClientError).code === H3ErrorCode.H3_VERSION_FALLBACK) this.#routes.reportFailure(route)
      }
    }
  }

  /** Another network: open connections move there, and what was learned about the old one is forgotten. */
  async handleNetworkChange(): Promise<void> {
    this.#alternatives.handleNetworkChange()
    await this.#pool.migrate()
  }

  /** Closes every connection; requests in flight fail with kind 'aborted'. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#environment.close()
    await this.#pool.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #send(url: URL, input: RequestInput, route: Route): Promise<ClientResponse> {
    if (route.by === 'h3') return route.session.request(withAltUsed(input, url, route))
    try {
      return await this.#environment.tcp.request(url, input)
    } catch (error) {
      const isUnreachable =
        error instanceof ClientError && (error.kind === 'connect' || error.kind === 'timeout')
      if (!isUnreachable) throw error
      if (route.rescue === undefined || !isRepeatable(input.body)) throw route.failure ?? error
      const other = await route.rescue().catch(() => undefined)
      input.signal?.throwIfAborted()
      if (other === undefined) throw error
      return this.#send(url, input, other)
    }
  }

  #learn({ origin, protocol }: URL, response: ClientResponse): void {
    const lines = response.fields.filter((_, index, all) => index % 2 === 1 && all[index - 1] === 'alt-svc')
    // RFC 7838 section 2.1: only what came with the origin's certificate is believed.
    if (lines.length === 0 || protocol !== 'https:') return
    const age = Number(response.header('age') ?? 0)
    this.#alternatives.learn(origin, lines.join(','), Number.isFinite(age) ? age : 0)
  }

  #canTakeAnotherWay(route: Route, { body }: RequestInput): boolean {
    return (
      route.by === 'h3' && isRepeatable(body) && (this.#isTcpAllowed || route.place.alternative === undefined)
    )
  }
}

/** RFC 7838 section 5: tells which alternative is meant. */
function withAltUsed(input: RequestInput, url: URL, { place }: Route & { by: 'h3' }): RequestInput {
  const { alternative } = place
  const ownPort = url.port === '' ? 443 : Number(url.port)
  const ownHost = url.hostname.replace(/^\[|\]$/g, '')
  if (alternative === undefined || (alternative.host === ownHost && alternative.port === ownPort))
    return input
  const host = alternative.host.includes(':') ? `[${alternative.host}]` : alternative.host
  const own = input.headers ?? []
  const headers = [...(Symbol.iterator in own ? own : Object.entries(own))] as [string, string][]
  headers.push(['alt-used', alternative.port === 443 ? host : `${host}:${alternative.port}`])
  return { ...input, headers }
}

/**
 * Whether a request that got no response may be sent again: the server has not processed it, or it does no harm twice
 * (RFC 9114 section 4.1.1, RFC 9110 section 9.2.2).
 */
function mayRepeat(error: unknown, { method, body }: RequestInput, route: Route): boolean {
  if (!(error instanceof ClientError) || !isRepeatable(body)) return false
  if (error.kind === 'rejected') return true
  if (error.code === H3ErrorCode.H3_VERSION_FALLBACK) return true
  // Over HTTP/3, a connection that is not complete carries early data; one that was silent is not used again.
  const isDead = route.by === 'h3' && (error.kind === 'connect' || error.kind === 'timeout')
  const isBroken = error.kind === 'closed' || isDead
  return isBroken && IDEMPOTENT.has(method ?? (body === undefined ? 'GET' : 'POST'))
}
