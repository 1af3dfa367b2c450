// A WebTransport session of the client on a connection that exists, draft-ietf-webtrans-http3 section 3.2: its CONNECT
// request, the server's answer, and from then on what the W3C's WebTransport has. Extended in
// webtransport.ts.
import {
  encodeProtocols,
  H3ErrorCode,
  offeredProtocols,
  type RequestStream,
  type RequestStreamEvents,
  readProtocol,
  WtErrorCode,
} from '../http3/index.ts'
import { SessionSurface } from '../supervisor/webtransport/session-surface.ts'
import { ClientError } from './client-error.ts'
import { firstField, flattenHeaders, type HeadersInput } from './fields.ts'
import { requestFields } from './request-input.ts'
import type { ClientSession } from './session.ts'
import type { StreamTaker } from './stream-taker.ts'

/** What a session asks for. */
export interface WebTransportSessionOptions {
  /** Application protocols to offer, most preferred first (section 3.3). */
  readonly protocols?: readonly string[] | undefined
  /** Further request fields. */
  readonly headers?: HeadersInput | undefined
  /** Default: the authority the connection was opened for. */
  readonly authority?: string | undefined
}

/** A WebTransport session of the client; ClientSession.webtransport() and `new WebTransport()` make one. */
export abstract class WebTransportClientSession
  extends SessionSurface
  implements RequestStreamEvents, StreamTaker
{
  readonly #protocols: readonly string[]
  #connection: ClientSession | undefined
  #responseHeaders: Headers | null = null
  #protocol = ''
  /** STOP_SENDING that came before the answer. */
  #stopCode: number | undefined

  /** @throws TypeError for protocols that cannot be offered */
  constructor({ protocols = [] }: WebTransportSessionOptions = {}) {
    super()
    if (new Set(protocols).size !== protocols.length) throw new TypeError('a protocol is offered twice')
    this.#protocols = offeredProtocols(encodeProtocols(protocols))
  }

  /** The protocol that the server has chosen; empty for none. */
  get protocol(): string {
    return this.#protocol
  }

  /** Fields of the server's answer; null before it. */
  get responseHeaders(): Headers | null {
    return this.#responseHeaders
  }

  /** Sends the request as soon as the server's SETTINGS allow it. Never rejects: `ready` and `closed` tell. */
  protected async begin(
    connection: ClientSession,
    path: string,
    { headers, authority }: WebTransportSessionOptions,
  ): Promise<void> {
    try {
      await connection.settings
      if (this.isOver) return
      const fields = this.#fields(connection, path, headers, authority)
      this.#connection = connection
      connection.hold()
      connection.openStream(fields, true, this)
    } catch (error) {
      this.#abandon(error)
    }
  }

  #fields(
    { h3, authority: own }: ClientSession,
    path: string,
    headers: HeadersInput | undefined,
    authority: string | undefined,
  ): string[] {
    const sessions = h3.webtransport
    if (sessions === undefined) throw new ClientError('unsupported', 'connect() was not told of webtransport')
    const { draft } = sessions
    // Section 3.1: "MUST NOT establish WebTransport sessions if the server's SETTINGS do not have correct values".
    if (draft === undefined) throw new ClientError('unsupported', 'the server does not offer WebTransport')
    if (sessions.count >= sessions.limit)
      throw new ClientError('limit', 'too many sessions on one connection')
    const protocol = draft === 'current' ? 'webtransport-h3' : 'webtransport'
    const input = { method: 'CONNECT', protocol, path, ...(authority !== undefined && { authority }) }
    const fields = requestFields(input, own)
    if (draft === 'draft02') fields.push('sec-webtransport-http3-draft02', '1')
    if (this.#protocols.length > 0) fields.push('wt-available-protocols', encodeProtocols(this.#protocols))
    fields.push(...flattenHeaders(headers))
    return fields
  }

  /** It did not come to a session. */
  #abandon(reason: unknown): void {
    const text = reason instanceof Error ? reason.message : String(reason)
    this.handleEnd({ code: 0, reason: text, abrupt: 'connection', httpCode: undefined })
  }

  /** Called when the CONNECT stream is gone, or will never be. */
  protected handleGone(): void {}

  /** Streams can be opened as soon as the request is on its way: nothing has to be decided here. */
  protected handleUse(): void {}

  /** Before the request has left there is nobody to tell. */
  override close(info: Parameters<SessionSurface['close']>[0] = {}): void {
    super.close(info)
    if (this.core === undefined) this.#abandon(new Error('closed before it was ready'))
  }

  // --- StreamTaker ---------------------------------------------------------------------------------------------------

  /** @internal */
  take(request: RequestStream): void {
    if (this.isOver) {
      request.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
      this.#release()
      return
    }
    const { h3, sessions } = this.#connection!
    request.events = this
    this.attach(h3.webtransport!.open(request), sessions!)
  }

  /** @internal */
  refuse(reason: unknown): void {
    this.#release()
    this.#abandon(reason)
  }

  #release(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.release()
  }

  // --- events of the CONNECT stream ----------------------------------------------------------------------------------

  handleHead(status: number, fields: readonly string[]): void {
    const headers = new Headers()
    for (let index = 0; index < fields.length; index += 2) headers.append(fields[index], fields[index + 1])
    this.#responseHeaders = headers
    const core = this.core!
    const chosen = readProtocol(firstField(fields, 'wt-protocol'))
    if (status < 300 && chosen !== undefined && !this.#protocols.includes(chosen)) {
      // Section 3.3: "the client MUST close the WebTransport session with a WT_ALPN_ERROR error code".
      core.fail(WtErrorCode.WT_ALPN_ERROR, 'the server chose a protocol that was not offered')
      return
    }
    this.#protocol = chosen ?? ''
    core.handleResponse(status)
    if (this.#stopCode !== undefined && core.isUsable) core.handleStopSending(this.#stopCode)
  }

  handleBodyReadable(): void {
    this.core?.handleBodyReadable()
  }

  handleBodyEnd(): void {
    this.core?.handleBodyEnd()
  }

  handleWritable(): void {}

  handleReset(code: number, isLocal: boolean): void {
    this.core?.handleReset(code, isLocal)
  }

  handleStopSending(code: number): void {
    const { core } = this
    // RFC 9114 section 4.1: a server that has all it needs may say so ahead of its answer.
    if (core?.isUsable === true && !core.isEstablished) this.#stopCode = code
    else core?.handleStopSending(code)
  }

  handleClosed(): void {
    this.core?.handleClosed()
    this.#release()
    this.handleGone()
  }
}
