// Which handler speaks what on an accepted CONNECT: by upgrade token (RFC 9110 section 16.7), the same for extended
// CONNECT on HTTP/3 (RFC 9220) and HTTP/2 (RFC 8441), and for Upgrade on HTTP/1.1. Put together by start-server.ts.
import type { Exchange, ExchangeHandler } from './exchange.ts'

/** Handlers by upgrade token, in lower case. While there is one, extended CONNECT is announced. */
export type TunnelRoutes = ReadonlyMap<string, ExchangeHandler>

export const NO_TUNNELS: TunnelRoutes = new Map()

/**
 * RFC 9220 section 3: "a ":protocol" value that is unknown or is not supported, the server SHOULD respond to the request
 * with a 501 (Not Implemented) status code".
 */
export function refuseTunnel(exchange: Exchange): void {
  exchange.respond(501, ['content-type', 'text/plain; charset=utf-8'], 'this protocol is not spoken here\n')
}

/** The handler for a request: that of its upgrade token, or the one for everything else. */
export function routeOf(
  token: string | undefined,
  tunnels: TunnelRoutes,
  handler: ExchangeHandler,
): ExchangeHandler {
  if (token === undefined) return handler
  return tunnels.get(token.toLowerCase()) ?? refuseTunnel
}
