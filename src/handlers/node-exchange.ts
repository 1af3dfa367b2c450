// An exchange over HTTP/1.1 or HTTP/2 of Node, so that the same handlers answer on the TCP fallback.
// Made per request by tcp-server.ts.

import type { X509Certificate } from 'node:crypto'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type Priority, parsePriority, priorityOf } from '../http3/index.ts'
import { HANDLER_GRACE } from '../supervisor/limits.ts'
import type { RemoteAddress } from '../transport/connection/index.ts'
import { TunnelDatagrams } from '../tunnels/tunnel-datagrams.ts'
import {
  type ActorHost,
  CAPSULE_PROTOCOL,
  CancelledError,
  type DatagramTunnel,
  type Exchange,
  fieldValue,
  quietly,
} from './exchange.ts'
import { limitedBody } from './limited-body.ts'
import { fieldMap, fieldOf, regularFields, writeHead } from './node-fields.ts'
import { breakTunnel, containEvents, openStream, openUpgraded, type Upgrade } from './node-tunnel.ts'
import { type ErrorHome, runContained } from './stray-errors.ts'
import { Waiter } from './waiter.ts'

/** Node's two kinds of requests look alike as far as this file goes. */
export type NodeRequest = Http2ServerRequest
export type NodeResponse = Http2ServerResponse

/** The fallback's machines run on the system's time and are not inspected. */
const NO_HOST: ActorHost = { inspection: undefined, clock: undefined }

/** Error codes of RST_STREAM (RFC 9113 section 7). */
const NGHTTP2_PROTOCOL_ERROR = 1
const NGHTTP2_INTERNAL_ERROR = 2

/** Told what a handler did wrong: `late` when its response was whole already. */
export type ReportFault = (kind: 'crash' | 'late', error: unknown) => void

export class NodeExchange implements Exchange, ErrorHome {
  readonly earlyData = false
  readonly protocol: 'h2' | 'http/1.1'
  readonly headers: readonly string[]
  onCancel: ((reason: CancelledError) => void) | undefined
  onCut: (() => void) | undefined
  /** Called for tunnels only: HTTP/1.1 and HTTP/2 of Node drain by themselves. */
  onDrain: (() => void) | undefined
  onPriorityChange: (() => void) | undefined
  bodyLimit = Number.POSITIVE_INFINITY
  bytesSent = 0
  readonly #request: NodeRequest
  readonly #response: NodeResponse
  readonly #report: ReportFault
  #waiter: Waiter<void> | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined
  #priority: Priority | undefined
  #abort: AbortController | undefined
  #cancelled: CancelledError | undefined

  readonly #upgrade: Upgrade | undefined
  #tunnel: Duplex | undefined
  #tunnelDatagrams: TunnelDatagrams | undefined
  /** The client waits for a word before it sends the body (RFC 9110 section 10.1.1). */
  #isContinueWanted: boolean

  /**
   * @param report must not throw
   * @param more the connection to take over, for CONNECT and Upgrade in HTTP/1.1; whether 100 (Continue) is waited for
   */
  constructor(
    request: NodeRequest,
    response: NodeResponse,
    report: ReportFault,
    more: { readonly upgrade?: Upgrade; readonly expectsContinue?: boolean } = {},
  ) {
    this.#report = report
    this.#upgrade = more.upgrade
    this.#isContinueWanted = more.expectsContinue === true
    this.#request = request
    this.#response = response
    this.protocol = request.httpVersionMajor === 2 ? 'h2' : 'http/1.1'
    this.headers = regularFields(request.rawHeaders)
    response.on('drain', this.#resume)
    response.on('close', this.#handleClose)
    // An emitter without a listener for errors would take the process down; 'close' follows and is enough.
    request.on('error', ignore)
    response.on('error', ignore)
  }

  get method(): string {
    return this.#request.method
  }

  get upgradeToken(): string | undefined {
    return this.#upgrade === undefined ? fieldOf(this.#request, ':protocol') : this.#upgrade.token
  }

  get connectionKey(): object {
    return this.protocol === 'h2' ? (this.#request.stream.session ?? this.#request) : this.#request.socket
  }

  get scheme(): string {
    return 'https'
  }

  get priority(): Priority {
    this.#priority ??= parsePriority(this.header('priority') ?? '')
    return this.#priority
  }

  set priority({ urgency, incremental }: Priority) {
    this.#priority = priorityOf(urgency, incremental)
  }

  get authority(): string {
    if (this.#isPlainConnect) return this.#request.url ?? this.#request.authority
    return this.#request.authority ?? fieldValue(this.headers, 'host') ?? ''
  }

  get path(): string {
    return this.#isPlainConnect ? '' : this.#request.url
  }

  /** RFC 9112 section 3.2.3: HTTP/1.1 has the authority where the path is; HTTP/2 has no path. */
  get #isPlainConnect(): boolean {
    return this.method === 'CONNECT' && this.upgradeToken === undefined
  }

  get remote(): RemoteAddress {
    const { remoteAddress = '', remotePort = 0, remoteFamily } = this.#request.socket
    return { address: remoteAddress, port: remotePort, family: remoteFamily === 'IPv6' ? 6 : 4 }
  }

  get clientCertificate(): X509Certificate | undefined {
    // Node hides the socket of an HTTP/2 connection behind a proxy of its session.
    const socket = this.#request.socket as TLSSocket
    return socket.authorized ? socket.getPeerX509Certificate() : undefined
  }

  get body(): AsyncIterable<Uint8Array> {
    const body = this.#readBody()
    return this.bodyLimit === Number.POSITIVE_INFINITY ? body : limitedBody(body, this.bodyLimit)
  }

  get datagrams(): DatagramTunnel | undefined {
    return this.#tunnelDatagrams
  }

  set deadline(delay: number) {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => {
      if (!this.isHeadSent) this.reset()
    }, delay).unref()
  }

  /** The connection or stream that a handler has taken over. */
  get tunnel(): Duplex | undefined {
    return this.#tunnel
  }

  get trailers(): readonly string[] {
    return regularFields(this.#request.rawTrailers)
  }

  get host(): ActorHost {
    return NO_HOST
  }

  get status(): number {
    return this.#response.headersSent ? this.#response.statusCode : 0
  }

  get isHeadSent(): boolean {
    return this.#response.headersSent
  }

  get isEnded(): boolean {
    return this.#response.writableEnded || this.#cancelled !== undefined
  }

  get isResponseEnded(): boolean {
    return this.#response.writableEnded
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#cancelled !== undefined) this.#abort.abort(this.#cancelled)
    }
    return this.#abort.signal
  }

  header(name: string): string | undefined {
    return fieldValue(this.headers, name)
  }

  respond(status: number, headers: readonly string[] = [], body?: Uint8Array | string): void {
    if (this.#cancelled !== undefined) return
    writeHead(this.#response, status, headers)
    this.#finish(body)
  }

  begin(status: number, headers: readonly string[] = []): void {
    if (this.#cancelled !== undefined) return
    writeHead(this.#response, status, headers)
    // The head goes out now, not with the first piece of the body. HTTP/2 of Node does that by itself.
    Reflect.get(this.#response, 'flushHeaders')?.call(this.#response)
  }

  inform(status: number, headers: readonly string[] = []): void {
    const response = this.#response
    if (this.#cancelled !== undefined || response.headersSent) return
    if (status === 100) this.#sendContinue()
    else if (status === 103) {
      const fields = fieldMap(headers)
      if (fields.link !== undefined) response.writeEarlyHints(fields)
    } else if (this.protocol === 'h2') {
      response.stream.additionalHeaders({ ':status': status, ...fieldMap(headers) })
    }
  }

  /** Reading is the handler's word that it wants the body. */
  #sendContinue(): void {
    if (!this.#isContinueWanted || this.#response.headersSent) return
    this.#isContinueWanted = false
    this.#response.writeContinue()
  }

  accept(headers: readonly string[] = []): Duplex {
    const upgrade = this.#upgrade
    if (upgrade === undefined && this.method !== 'CONNECT') throw new TypeError('only CONNECT opens a tunnel')
    if (this.#cancelled !== undefined) throw this.#cancelled
    if (this.#tunnel !== undefined || this.#response.headersSent) {
      throw new TypeError('the response has already begun')
    }
    const response = this.#response
    response.off('close', this.#handleClose)
    if (upgrade !== undefined) Reflect.get(response, 'detachSocket').call(response, upgrade.socket)
    const tunnel =
      upgrade === undefined ? openStream(response.stream, headers) : openUpgraded(upgrade, headers)
    this.#tunnel = tunnel
    tunnel.on('error', ignore)
    tunnel.once('close', this.#handleTunnelClose)
    containEvents(tunnel, (run) => this.contain(run))
    return tunnel
  }

  acceptDatagrams(headers: readonly string[] = []): DatagramTunnel {
    const tunnel = this.accept(headers.concat(CAPSULE_PROTOCOL))
    const fail = (): void => breakTunnel(tunnel, NGHTTP2_PROTOCOL_ERROR)
    this.#tunnelDatagrams = new TunnelDatagrams({ tunnel, fail })
    return this.#tunnelDatagrams
  }

  /** The server stops: a tunnel would keep its connection open. */
  handleDrain(): void {
    this.contain(() => this.onDrain?.())
  }

  contain(run: () => void): void {
    try {
      runContained(this, run, undefined)
    } catch (error) {
      this.handleStray(error)
    }
  }

  #handleTunnelClose = (): void => {
    const tunnel = this.#tunnel!
    if (!tunnel.readableEnded || !tunnel.writableFinished) this.#cancel()
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.#cancelled !== undefined) return quietly(Promise.reject(this.#cancelled))
    if (!this.#response.headersSent) throw new TypeError('write() before the head of the response')
    this.bytesSent += Buffer.byteLength(chunk)
    if (this.#response.write(chunk)) return undefined
    this.#waiter ??= new Waiter()
    return this.#waiter.promise
  }

  sendTrailers(fields: readonly string[]): void {
    if (this.#cancelled !== undefined) return
    for (let index = 0; index < fields.length; index += 2) {
      this.#response.addTrailers({ [fields[index]]: fields[index + 1] })
    }
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#cancelled !== undefined || this.#response.writableEnded) return
    this.#finish(chunk)
  }

  #finish(chunk: Uint8Array | string | undefined): void {
    if (chunk === undefined) this.#response.end()
    else {
      this.bytesSent += Buffer.byteLength(chunk)
      this.#response.end(chunk)
    }
  }

  reset(): void {
    if (this.#cancelled === undefined) this.#breakOff()
  }

  /** An error of the handler, or of a callback that it left behind. A whole response is the client's to keep. */
  handleStray(error: unknown): void {
    if (this.isCancelled || this.isResponseEnded) {
      this.#report('late', error)
      return
    }
    this.#report('crash', error)
    if (this.#tunnel === undefined) this.#fail()
    else breakTunnel(this.#tunnel, NGHTTP2_INTERNAL_ERROR)
  }

  /** With 500 while that is still possible. */
  #fail(): void {
    try {
      if (!this.#response.headersSent) {
        for (const name of this.#response.getHeaderNames()) this.#response.removeHeader(name)
        this.respond(500, ['content-type', 'text/plain; charset=utf-8'], 'internal server error\n')
        return
      }
    } catch {
      // What the handler has set cannot be sent: then there is no response.
    }
    this.#breakOff()
  }

  #breakOff(): void {
    if (this.#tunnel !== undefined) {
      breakTunnel(this.#tunnel, NGHTTP2_INTERNAL_ERROR)
      return
    }
    // Over HTTP/2 destroy() alone would end the stream as if the response were whole.
    if (this.protocol === 'h2') this.#response.stream?.close(NGHTTP2_INTERNAL_ERROR)
    else this.#response.destroy()
  }

  async *#readBody(): AsyncGenerator<Uint8Array> {
    this.#sendContinue()
    try {
      for await (const chunk of this.#request) yield chunk as Uint8Array
    } catch (error) {
      throw this.#cancelled ?? error
    }
  }

  #resume = (): void => {
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.resolve()
  }

  #handleClose = (): void => {
    clearTimeout(this.#deadline)
    // Node says `finished` of every HTTP/2 response that is closed, also of one that nobody has ended.
    if (!this.#response.writableEnded || !this.#response.writableFinished) this.#cancel()
  }

  #cancel(): void {
    if (this.#cancelled !== undefined) return
    const error = new CancelledError('streamClosed')
    this.#cancelled = error
    this.#waiter?.reject(error)
    this.#waiter = undefined
    runContained(this, this.#tell, error)
    if (this.onCut !== undefined) setTimeout(this.#cut, HANDLER_GRACE).unref()
  }

  #cut = (): void => {
    try {
      this.onCut?.()
    } catch (failure) {
      this.#report('late', failure)
    }
  }

  #tell = (error: CancelledError): void => {
    try {
      this.onCancel?.(error)
    } catch (failure) {
      // This is an event listener of Node's: a throw in it would end the process.
      this.#report('late', failure)
    } finally {
      this.#abort?.abort(error)
    }
  }
}

function ignore(): void {}
