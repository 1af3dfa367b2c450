// CONNECT and Upgrade on the TCP fallback: Node reports them apart from other requests. Installed by tcp-server.ts.
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Http2SecureServer } from 'node:http2'
import type { Socket } from 'node:net'
import type { NodeRequest, NodeResponse } from './node-exchange.ts'
import type { Upgrade } from './node-tunnel.ts'
import type { TunnelRoutes } from './tunnel-routes.ts'

/** Runs a request that may become a tunnel. */
export type TunnelListener = (request: NodeRequest, response: NodeResponse, upgrade?: Upgrade) => void

/** The one protocol that an HTTP/1.1 request wants instead; undefined when it names none, or several. */
function upgradeTokenOf(request: IncomingMessage): string | undefined {
  const token = request.headers.upgrade?.trim()
  return token !== undefined && /^[!#$%&'*+.^_`|~\w-]+$/.test(token) ? token.toLowerCase() : undefined
}

/** Hands every CONNECT and Upgrade to `listener`; an Upgrade that nobody speaks is answered as if it were none. */
export function listenForTunnels(
  server: Http2SecureServer,
  tunnels: TunnelRoutes,
  listener: TunnelListener,
): void {
  // Node from 24.9 on asks before it gives the connection away, so that other requests keep their body.
  Reflect.set(server, 'shouldUpgradeCallback', (request: IncomingMessage) =>
    tunnels.has(upgradeTokenOf(request) ?? ''),
  )
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const token = upgradeTokenOf(request)
    const isSpoken = token !== undefined && tunnels.has(token)
    passOn(listener, request, { socket, head, token: isSpoken ? token : undefined }, isSpoken)
  })
  server.on('connect', (request: NodeRequest | IncomingMessage, response: unknown, head?: Buffer) => {
    if (request.httpVersionMajor === 2) listener(request as NodeRequest, response as NodeResponse)
    else {
      const upgrade = { socket: response as Socket, head: head ?? Buffer.alloc(0), token: undefined }
      passOn(listener, request as IncomingMessage, upgrade, true)
    }
  })
}

/** Node has let the connection go: a response of its own answers on it, and ends it. */
function passOn(
  listener: TunnelListener,
  request: IncomingMessage,
  upgrade: Upgrade,
  isTunnel: boolean,
): void {
  const { socket } = upgrade
  socket.on('error', ignore)
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => {
    response.detachSocket(socket)
    socket.end()
  })
  const pair: [NodeRequest, NodeResponse] = [request as never, response as never]
  if (isTunnel) listener(...pair, upgrade)
  else listener(...pair)
}

function ignore(): void {}
