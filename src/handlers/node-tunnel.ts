// Tunnels on the TCP fallback: extended CONNECT on HTTP/2 (RFC 8441), CONNECT and Upgrade on HTTP/1.1 (RFC 9110 section
// 7.8), as a Duplex of Node. Used by NodeExchange.
import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Containment } from '../tunnels/stream-tunnel.ts'
import { TCP_IDLE_TIMEOUT, TUNNEL_KEEP_ALIVE } from './limits.ts'

/** The connection of an HTTP/1.1 request that wants to leave HTTP. */
export interface Upgrade {
  /** What the client wants to speak instead; undefined for CONNECT to a host. */
  readonly token: string | undefined
  readonly socket: Socket
  /** Bytes that came behind the request. */
  readonly head: Buffer
}

/** Tunnels of each HTTP/2 connection: while there are any, silence is no reason to close it. */
const tunnelsOf = new WeakMap<ServerHttp2Session, number>()

/** Answers an HTTP/1.1 request and takes its connection over. */
export function openUpgraded(upgrade: Upgrade, headers: readonly string[]): Duplex {
  const { socket, token, head } = upgrade
  checkFields(headers)
  const lines = token === undefined ? ['HTTP/1.1 200 OK'] : ['HTTP/1.1 101 Switching Protocols']
  if (token !== undefined) lines.push('connection: upgrade', `upgrade: ${token}`)
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`)
  socket.setTimeout(0)
  socket.setKeepAlive(true, TUNNEL_KEEP_ALIVE)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  return socket
}

/** Answers a CONNECT on HTTP/2; the stream is the tunnel. */
export function openStream(stream: ServerHttp2Stream, headers: readonly string[]): Duplex {
  checkFields(headers)
  const fields: Record<string, string | number | string[]> = { ':status': 200 }
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]
    const before = fields[name]
    fields[name] = before === undefined ? headers[index + 1] : [before, headers[index + 1]].flat().map(String)
  }
  stream.respond(fields)
  const { session } = stream
  if (session !== undefined) keepOpen(session as ServerHttp2Session, stream)
  return stream
}

function keepOpen(session: ServerHttp2Session, stream: ServerHttp2Stream): void {
  tunnelsOf.set(session, (tunnelsOf.get(session) ?? 0) + 1)
  session.setTimeout(0)
  stream.once('close', () => {
    const left = (tunnelsOf.get(session) ?? 1) - 1
    tunnelsOf.set(session, left)
    if (left === 0 && !session.destroyed) session.setTimeout(TCP_IDLE_TIMEOUT)
  })
}

/** Resets one direction pair: with an error code where HTTP/2 has one. */
export function breakTunnel(tunnel: Duplex, code: number): void {
  if ('close' in tunnel && 'session' in tunnel) (tunnel as ServerHttp2Stream).close(code)
  else tunnel.destroy()
}

/** Listeners on a socket of Node's are called from Node's own events: what they throw must not end the process. */
export function containEvents(tunnel: Duplex, contain: Containment): void {
  const emit = tunnel.emit
  tunnel.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    let isHeard = false
    contain(() => {
      isHeard = Reflect.apply(emit, tunnel, [event, ...values])
    })
    return isHeard
  }
}

function checkFields(headers: readonly string[]): void {
  for (let index = 0; index < headers.length; index += 2) {
    validateHeaderName(headers[index])
    validateHeaderValue(headers[index], headers[index + 1])
  }
}
