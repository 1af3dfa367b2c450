// Listeners of node:http, `(request, response) => void`, on every HTTP version: Express, Fastify, Koa and plain ones run
// unchanged. The listener gets what it expects, a real http.Server with its own IncomingMessage and ServerResponse: each
// exchange is a connection of that server, made of two streams in memory, with Node's own client on the near side.
//
//     exchange <-> http.ClientRequest <-> [near | far] <-> http.Server <-> listener
//
// Used by users, and by node-server.ts.
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Exchange, type ExchangeHandler, fieldValue } from './exchange.ts'
import { MAX_LISTENER_HEADER_SIZE } from './limits.ts'
import { Waiter } from './waiter.ts'

/** What node:http calls with each request. */
export type NodeListener = NonNullable<Parameters<typeof createServer>[1]>

/** Fields of one connection of HTTP/1.1, which no other version carries (RFC 9114 section 4.2). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
])

/** Methods whose requests have no content as a rule (RFC 9110 section 9.3). */
const BODYLESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'])

const VERSIONS = { h3: '3.0', h2: '2.0', 'http/1.1': '1.1' } as const

/** The end of an in-memory connection that the listener's server sees, with what listeners ask of a TLS socket. */
interface ListenerSocket extends Duplex {
  exchange?: Exchange
}

/**
 * Makes an exchange handler of a listener of node:http, or of a whole http.Server that never listens itself.
 * `request.httpVersion` tells which version carried it, `request.socket` names the client and counts as encrypted.
 */
export function nodeListener(listener: NodeListener | Server): ExchangeHandler {
  const server =
    typeof listener === 'function'
      ? createServer({ maxHeaderSize: MAX_LISTENER_HEADER_SIZE }, listener)
      : listener
  server.prependListener('request', describe)
  return (exchange) => bridge(exchange, server)
}

/** The parser has said 1.1 of every request. */
function describe(message: IncomingMessage): void {
  const { exchange } = message.socket as unknown as ListenerSocket
  if (exchange === undefined) return
  message.httpVersion = VERSIONS[exchange.protocol]
  const [major, minor] = message.httpVersion.split('.')
  message.httpVersionMajor = Number(major)
  message.httpVersionMinor = Number(minor)
}

async function bridge(exchange: Exchange, server: Server): Promise<void> {
  const body = exchange.body[Symbol.asyncIterator]()
  // HTTP/1.1 must know before whether there is a body; these methods hardly ever have one, so their end is there now.
  const isSized = fieldValue(exchange.headers, 'content-length') !== undefined
  const first = isSized || !BODYLESS.has(exchange.method) ? undefined : await body.next()
  const [near, far] = duplexPair()
  server.emit('connection', socketOf(far, exchange))
  const outgoing = request({
    createConnection: () => near,
    method: exchange.method,
    path: exchange.path === '*' || exchange.path.startsWith('/') ? exchange.path : '/',
    headers: requestFields(exchange, isSized || first?.done === true),
    setHost: false,
    maxHeaderSize: MAX_LISTENER_HEADER_SIZE,
  })
  exchange.onCancel = (reason) => void near.destroy(reason)
  const answered = answerOf(outgoing, exchange)
  try {
    const sent = sendBody(exchange, outgoing, body, first)
    await relay(exchange, await answered.promise)
    await sent
  } finally {
    exchange.onCancel = undefined
    near.destroy()
    far.destroy()
  }
}

function answerOf(outgoing: ClientRequest, exchange: Exchange): Waiter<IncomingMessage> {
  const answered = new Waiter<IncomingMessage>()
  outgoing.on('response', (response) => answered.resolve(response))
  outgoing.on('information', ({ statusCode, rawHeaders }) => {
    if (!exchange.isHeadSent) exchange.inform(statusCode, responseFields(rawHeaders))
  })
  // A listener that closes its socket without a response has crashed.
  outgoing.on('error', (error) => answered.reject(error))
  outgoing.on('close', () => answered.reject(new Error('the listener closed the connection')))
  return answered
}

/** The request's body to the listener; a listener that does not want it is not an error. */
async function sendBody(
  exchange: Exchange,
  outgoing: ClientRequest,
  body: AsyncIterator<Uint8Array>,
  first: IteratorResult<Uint8Array> | undefined,
): Promise<void> {
  const ended = finished(outgoing, { readable: false }).catch(() => {})
  let result = first ?? (await body.next())
  while (!result.done) {
    if (outgoing.destroyed) return
    if (!outgoing.write(result.value)) await Promise.race([drained(outgoing), ended])
    result = await body.next()
  }
  if (exchange.trailers.length > 0) outgoing.addTrailers(pairsOf(exchange.trailers))
  outgoing.end()
}

function drained(stream: ClientRequest): Promise<void> {
  return new Promise((resolve) => void stream.once('drain', resolve))
}

async function relay(exchange: Exchange, response: IncomingMessage): Promise<void> {
  exchange.begin(response.statusCode!, responseFields(response.rawHeaders))
  for await (const chunk of response) {
    const room = exchange.write(chunk as Uint8Array)
    if (room !== undefined) await room
  }
  if (response.rawTrailers.length > 0) exchange.sendTrailers(responseFields(response.rawTrailers))
  exchange.end()
}

function pairsOf(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < fields.length; index += 2) pairs.push([fields[index], fields[index + 1]])
  return pairs
}

/** Fields for HTTP/1.1: the authority as host, cookies in one line (RFC 9114 section 4.2.1), a framing for the body. */
function requestFields(exchange: Exchange, isFramed: boolean): string[] {
  const fields = ['host', exchange.authority]
  const cookies: string[] = []
  for (let index = 0; index < exchange.headers.length; index += 2) {
    const name = exchange.headers[index]
    if (name === 'cookie') cookies.push(exchange.headers[index + 1])
    else if (name !== 'host' && !HOP_BY_HOP.has(name)) fields.push(name, exchange.headers[index + 1])
  }
  if (cookies.length > 0) fields.push('cookie', cookies.join('; '))
  if (!isFramed) fields.push('transfer-encoding', 'chunked')
  fields.push('connection', 'close')
  return fields
}

function responseFields(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index].toLowerCase()
    if (!HOP_BY_HOP.has(name)) fields.push(name, raw[index + 1])
  }
  return fields
}

/** What listeners and frameworks ask of the socket of a request. */
function socketOf(far: ListenerSocket, exchange: Exchange): ListenerSocket {
  const { address, port, family } = exchange.remote
  return Object.assign(far, {
    exchange,
    encrypted: true,
    authorized: false,
    remoteAddress: address,
    remotePort: port,
    remoteFamily: family === 6 ? 'IPv6' : 'IPv4',
    setTimeout: () => far,
    setNoDelay: () => far,
    setKeepAlive: () => far,
    ref: () => far,
    unref: () => far,
  })
}
