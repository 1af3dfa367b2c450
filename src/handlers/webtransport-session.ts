// A WebTransport session as a server's handler gets it: what the client asked for, accept() and reject(), and everything
// of the W3C's WebTransport. Made by webtransport-exchange.ts, per CONNECT request.
import {
  chooseProtocol,
  encodeProtocols,
  offeredProtocols,
  type WebTransportSession,
} from '../http3/index.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import { SessionSurface } from '../supervisor/webtransport/session-surface.ts'
import type { RemoteAddress } from '../transport/connection/index.ts'
import { type ActorHost, fieldValue } from './exchange.ts'

/**
 * Called for each session that a client asks for. The session is accepted when the handler first uses it, calls
 * accept(), or returns; reject(), or a Response that is returned or thrown before, says no. A rejection of the handler
 * ends the session.
 */
export type WebTransportHandler = (
  session: WebTransportServerSession,
) => void | Response | Promise<void> | Promise<Response | undefined>

/** A handler, and what is checked before it is called. */
export interface WebTransportService {
  /** Called with each session. */
  readonly handler: WebTransportHandler
  /** Values of the Origin header that are let in, others get 403; default all. Requests without one are let in. */
  readonly origins?: readonly string[]
  /** Application protocols that are spoken; the client's first one among them is agreed on. */
  readonly protocols?: readonly string[]
  /** Sessions at a time per connection, default 16; further ones get 429. */
  readonly maxSessions?: number
}

/** How a session is accepted. */
export interface WebTransportAcceptOptions {
  /** One of `availableProtocols`. */
  readonly protocol?: string
  /** Further response fields. */
  readonly headers?: Headers | Readonly<Record<string, string>>
}

/** What goes with the status of a refusal. */
export interface WebTransportRejectOptions {
  /** Further response fields. */
  readonly headers?: Headers | Readonly<Record<string, string>>
  /** Body of the response. */
  readonly body?: string | Uint8Array
}

/** What the exchange adds. */
export interface SessionSetup {
  readonly core: WebTransportSession
  readonly supervisor: ConnectionSupervisor
  readonly protocols: readonly string[]
  readonly date: (() => string) | undefined
}

/** draft-ietf-webtrans-http3-02 section 3.3: the client names the draft, the server confirms it. */
const DRAFT_REQUEST = 'sec-webtransport-http3-draft02'
const DRAFT_RESPONSE = ['sec-webtransport-http3-draft', 'draft02']

/** A WebTransport session of a client: to be accepted or rejected, then in the shape that browsers have. */
export class WebTransportServerSession extends SessionSurface {
  /** URL of the session, with https. */
  readonly url: string
  /** Path with query, as sent. */
  readonly path: string
  /** Host and port that the client asked for. */
  readonly authority: string
  /** Request fields. */
  readonly headers: Headers
  /** Value of the Origin header; null for most clients that are no browsers. */
  readonly origin: string | null
  /** Address of the client. */
  readonly remote: RemoteAddress
  /** What the client offers, most preferred first (draft-ietf-webtrans-http3 section 3.3). */
  readonly availableProtocols: readonly string[]
  readonly #setup: SessionSetup
  #protocol = ''
  #isDecided = false

  constructor(setup: SessionSetup) {
    super()
    const { request } = setup.core
    this.#setup = setup
    this.path = request.path
    this.authority = request.authority
    this.url = `${request.scheme}://${request.authority}${request.path}`
    this.headers = headersOf(request.headers)
    this.origin = fieldValue(request.headers, 'origin') ?? null
    this.remote = setup.supervisor.connection.remote
    this.availableProtocols = offeredProtocols(fieldValue(request.headers, 'wt-available-protocols'))
    this.attach(setup.core, setup.supervisor.sessions)
  }

  /** What the server offers to machines that work on this session. */
  get host(): ActorHost {
    return this.#setup.supervisor
  }

  /** The protocol that was agreed on; empty for none. */
  get protocol(): string {
    return this.#protocol
  }

  /** accept() or reject() has been called, or the session is gone. */
  get isDecided(): boolean {
    return this.#isDecided || this.isOver
  }

  /**
   * Lets the client in; a second call does nothing.
   * @throws TypeError for a protocol that the client does not offer, or headers that HTTP does not allow
   */
  accept({ protocol, headers }: WebTransportAcceptOptions = {}): void {
    if (this.isDecided) return
    const { core, protocols, date } = this.#setup
    const chosen = protocol ?? chooseProtocol(this.availableProtocols, protocols)
    if (chosen !== undefined && !this.availableProtocols.includes(chosen)) {
      throw new TypeError(`the client does not offer the protocol ${chosen}`)
    }
    const fields = flatten(headers)
    if (chosen !== undefined) fields.push('wt-protocol', encodeProtocols([chosen]))
    if (fieldValue(core.request.headers, DRAFT_REQUEST) !== undefined) fields.push(...DRAFT_RESPONSE)
    if (date !== undefined) fields.push('date', date())
    this.#protocol = chosen ?? ''
    this.#isDecided = true
    core.accept(fields)
  }

  /**
   * Turns the client away.
   * @param status 300 to 599; default 403
   * @throws TypeError for another status, or when the session has been accepted
   */
  reject(status = 403, { headers, body }: WebTransportRejectOptions = {}): void {
    if (this.isOver) return
    if (this.#isDecided) throw new TypeError('the session has been accepted or rejected already')
    if (!Number.isInteger(status) || status < 300 || status > 599) {
      throw new TypeError(`status ${status} turns nobody away`)
    }
    const { core, date } = this.#setup
    const fields = flatten(headers)
    if (date !== undefined) fields.push('date', date())
    this.#isDecided = true
    core.reject(status, fields, typeof body === 'string' ? new TextEncoder().encode(body) : body)
  }

  /** Ends the whole connection with H3_NO_ERROR, and with it all its sessions and requests. */
  closeConnection(): void {
    this.#setup.core.request.connection.close()
  }

  /** The first use accepts. */
  protected handleUse(): void {
    if (!this.isDecided) this.accept()
  }
}

function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers()
  for (let index = 0; index < fields.length; index += 2) headers.append(fields[index], fields[index + 1])
  return headers
}

function flatten(headers: Headers | Readonly<Record<string, string>> = {}): string[] {
  const fields: string[] = []
  const entries = headers instanceof Headers ? headers : Object.entries(headers)
  for (const [name, value] of entries) fields.push(name.toLowerCase(), value)
  return fields
}
