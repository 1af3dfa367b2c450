// What a server speaks on tunnels, from the options of serve(). Called by start-server.ts.
import type { Clock } from '../transport/io/clock.ts'
import { openRelaySocket } from '../transport/io/relay-socket.ts'
import { resolveBySystem } from './connect-udp/resolve-host.ts'
import { UdpProxy } from './connect-udp/udp-proxy.ts'
import { demoWebSocket } from './demo-websocket.ts'
import type { ExchangeHandler } from './exchange.ts'
import type { ServeOptions } from './serve.ts'
import type { TunnelRoutes } from './tunnel-routes.ts'
import { websocketHandler } from './websocket-handler.ts'

/** An own handler for a token goes before ours for it. */
export function tunnelRoutesOf(options: ServeOptions, clock: Clock): TunnelRoutes {
  const routes = new Map<string, ExchangeHandler>()
  const websocket = options.websocket ?? demoOf(options)
  if (websocket !== undefined) routes.set('websocket', websocketHandler(websocket, clock))
  if (options.connectUdp !== undefined) {
    const services = { clock, openSocket: openRelaySocket, resolve: resolveBySystem }
    routes.set('connect-udp', new UdpProxy(options.connectUdp, services).handle)
  }
  for (const [token, handler] of Object.entries(options.tunnels ?? {}))
    routes.set(token.toLowerCase(), handler)
  return routes
}

function demoOf({ handler, fetch }: ServeOptions): ServeOptions['websocket'] {
  return handler === undefined && fetch === undefined ? demoWebSocket : undefined
}
