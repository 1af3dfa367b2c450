// WebSockets of a server: the opening handshake on all versions of HTTP (RFC 6455 section 4.2, RFC 8441 section 5, RFC
// 9220), and a supervised socket for the user's code. Its exchange is its actor: a crash resets one stream, the end of
// the stream closes the socket, drain closes it with 1001. Made by server-tunnels.ts from serve({ websocket }).
import { createHash } from 'node:crypto'
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { Clock, TimerHandle } from '../transport/io/clock.ts'
import { HandshakeError } from '../tunnels/handshake-error.ts'
import { asConnection, TunnelWebSocket } from '../tunnels/websocket.ts'
import type { WebSocketConnection, WebSocketLimits } from '../tunnels/websocket-connection.ts'
import { agreeOnDeflate, offeredProtocols } from '../tunnels/websocket-handshake.ts'
import type { ActorHost, Exchange, ExchangeHandler, ExchangeProtocol } from './exchange.ts'

/** The request that asks for a WebSocket. */
export interface WebSocketRequest {
  /** URL of the request, with https. */
  readonly url: string
  /** Path with query, as sent. */
  readonly path: string
  /** Host and port that the client asked for. */
  readonly authority: string
  /** Where the page comes from that opens the socket; undefined for most clients that are no browsers. */
  readonly origin: string | undefined
  /** Subprotocols that the client offers, in its order. */
  readonly protocols: readonly string[]
  /** Request fields: name, value, name, value ... Names in lower case. */
  readonly headers: readonly string[]
  /** Address of the client. */
  readonly remote: RemoteAddress
  /** Which HTTP carries the socket. */
  readonly httpVersion: ExchangeProtocol
  /** Fires when the stream breaks. */
  readonly signal: AbortSignal
  /** What the server offers to machines that work on this socket. */
  readonly host: ActorHost
  /** First value of a field; `name` in lower case. */
  header(name: string): string | undefined
}

/**
 * Runs a WebSocket. Called when it is open; listeners have to be attached before the first wait. What it throws, and
 * what its listeners throw or reject with, resets this stream only.
 */
export type WebSocketOpenHandler = (
  socket: WebSocketConnection,
  request: WebSocketRequest,
) => void | Promise<void>

/** A WebSocket handler with what it needs to know before the socket is open. */
export interface WebSocketService extends WebSocketLimits {
  /** Called when the socket is open. */
  readonly open: WebSocketOpenHandler
  /** Says no with a status (or 403 for false) before the socket is open: the place to look at `origin` and cookies. */
  readonly accept?: (request: WebSocketRequest) => boolean | number | Promise<boolean | number>
  /** Subprotocols that are spoken here, the best first. Without a common one there is none (RFC 6455 section 4.2.2). */
  readonly protocols?: readonly string[]
  /** Asks so often with a ping, in ms, whether the client is there, and ends sockets that do not answer. Default never. */
  readonly pingInterval?: number
}

const TEXT = ['content-type', 'text/plain; charset=utf-8']

/** RFC 6455 section 1.3 */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** RFC 6455 section 7.4.1: the server goes down. */
const GOING_AWAY = 1001

/** Makes the handler for the upgrade token `websocket`. */
export function websocketHandler(
  given: WebSocketService | WebSocketOpenHandler,
  clock: Clock,
): ExchangeHandler {
  const service = typeof given === 'function' ? { open: given } : given
  const pulse = service.pingInterval === undefined ? undefined : new Pulse(clock, service.pingInterval)
  return (exchange) => {
    try {
      const refusal = judgeHead(exchange)
      if (refusal !== undefined) return refusal(exchange)
      const request = new RequestView(exchange)
      if (service.accept === undefined) return open(service, exchange, request, pulse)
      return openIfAccepted(service, exchange, request, pulse)
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      exchange.respond(400, TEXT, `${error.message}\n`)
    }
  }
}

async function openIfAccepted(
  service: WebSocketService,
  exchange: Exchange,
  request: RequestView,
  pulse: Pulse | undefined,
): Promise<void> {
  const verdict = await service.accept!(request)
  if (verdict === true) await open(service, exchange, request, pulse)
  else exchange.respond(verdict === false ? 403 : verdict, TEXT, 'no WebSocket for this request\n')
}

/** What is wrong with the handshake, as its answer. */
function judgeHead(exchange: Exchange): ((exchange: Exchange) => void) | undefined {
  const version = exchange.header('sec-websocket-version')
  // RFC 6455 section 4.4. Where it is missing over HTTP/2 and HTTP/3, 13 is meant: there is no other.
  if (version !== undefined && version !== '13') return refuseVersion
  if (exchange.protocol !== 'http/1.1') return undefined
  const key = exchange.header('sec-websocket-key')
  const isHandshake = exchange.method === 'GET' && key !== undefined && /^[+/0-9A-Za-z]{22}==$/.test(key)
  if (version === undefined) return refuseVersion
  return isHandshake ? undefined : refuseHandshake
}

function refuseVersion(exchange: Exchange): void {
  exchange.respond(426, [...TEXT, 'sec-websocket-version', '13'], 'this is not version 13\n')
}

function refuseHandshake(exchange: Exchange): void {
  exchange.respond(400, TEXT, 'this is no opening handshake of a WebSocket\n')
}

function open(
  service: WebSocketService,
  exchange: Exchange,
  request: RequestView,
  pulse: Pulse | undefined,
): void | Promise<void> {
  const protocol = service.protocols?.find((name) => request.protocols.includes(name)) ?? ''
  const agreed = agreeOnDeflate(exchange.header('sec-websocket-extensions'), service)
  const fields: string[] = []
  if (exchange.protocol === 'http/1.1') fields.push('sec-websocket-accept', acceptKey(exchange))
  if (protocol !== '') fields.push('sec-websocket-protocol', protocol)
  if (agreed !== undefined) fields.push('sec-websocket-extensions', agreed.field)
  const socket = new TunnelWebSocket({
    ...service,
    isServer: true,
    duplex: exchange.accept(fields),
    protocol,
    deflate: agreed?.deflate,
    contain: (run) => exchange.contain(run),
  })
  exchange.onDrain = () => socket.close(GOING_AWAY, 'the server is going away')
  pulse?.watch(socket)
  return service.open(asConnection(socket), request)
}

/** RFC 6455 section 4.2.2, item 5.4. Not for secrecy: it shows that the server speaks the protocol. */
function acceptKey(exchange: Exchange): string {
  const key = exchange.header('sec-websocket-key') ?? ''
  return createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64')
}

/** Reads an exchange without giving it away: its response belongs to the handshake. */
class RequestView implements WebSocketRequest {
  readonly protocols: readonly string[]
  readonly #exchange: Exchange

  /** @throws HandshakeError */
  constructor(exchange: Exchange) {
    this.#exchange = exchange
    this.protocols = offeredProtocols(exchange.header('sec-websocket-protocol'))
  }

  get url(): string {
    return `${this.#exchange.scheme}://${this.authority}${this.path}`
  }

  get path(): string {
    return this.#exchange.path
  }

  get authority(): string {
    return this.#exchange.authority
  }

  get origin(): string | undefined {
    return this.header('origin')
  }

  get headers(): readonly string[] {
    return this.#exchange.headers
  }

  get remote(): RemoteAddress {
    return this.#exchange.remote
  }

  get httpVersion(): ExchangeProtocol {
    return this.#exchange.protocol
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  get host(): ActorHost {
    return this.#exchange.host
  }

  /** First value of a field; `name` in lower case. */
  header(name: string): string | undefined {
    return this.#exchange.header(name)
  }
}

/** One timer for the pings of all sockets; armed only while there are some. */
class Pulse {
  readonly #clock: Clock
  readonly #interval: number
  readonly #sockets = new Set<TunnelWebSocket>()
  #timer: TimerHandle | undefined

  constructor(clock: Clock, interval: number) {
    this.#clock = clock
    this.#interval = interval
  }

  watch(socket: TunnelWebSocket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#forget(socket))
    this.#arm()
  }

  #forget(socket: TunnelWebSocket): void {
    this.#sockets.delete(socket)
    if (this.#sockets.size > 0 || this.#timer === undefined) return
    this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer ??= this.#clock.setTimer(this.#clock.now() + this.#interval, this.#beat)
  }

  #beat = (): void => {
    this.#timer = undefined
    for (const socket of [...this.#sockets]) socket.checkAlive()
    if (this.#sockets.size > 0) this.#arm()
  }
}
