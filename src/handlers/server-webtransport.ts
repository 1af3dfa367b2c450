// What a server does with WebTransport sessions, from the options of serve(). Called by start-server.ts.
import { demoWebTransport } from './demo-webtransport.ts'
import type { ServeOptions } from './serve.ts'
import type { WebTransportService } from './webtransport-session.ts'

/** Undefined where WebTransport is not spoken; the demo is, like the demo routes, for servers without handlers. */
export function webtransportOf({
  webtransport,
  handler,
  fetch,
}: ServeOptions): WebTransportService | undefined {
  if (typeof webtransport === 'function') return { handler: webtransport }
  if (webtransport !== undefined) return webtransport
  return handler === undefined && fetch === undefined ? { handler: demoWebTransport } : undefined
}
