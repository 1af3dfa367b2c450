// The inspector on the admin port: its page, its feed, and the doors for other tools. Plugged into supervisor/admin.ts,
// which has checked the Host by then; made by serve().
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { AdminAttachment } from '../supervisor/admin.ts'
import type { Feed } from './feed.ts'
import { MAX_VIEWERS } from './limits.ts'
import { PageSocket } from './page-socket.ts'
import { CloseCode, MAX_CLIENT_MESSAGE } from './protocol.ts'
import { pageFile } from './static-page.ts'
import { makeToken } from './token.ts'

/**
 * Only what comes with the page runs: no inline script or style, nothing from elsewhere, no frame around it. `connect-src`
 * names the WebSocket, which 'self' does not cover in every browser.
 */
function policyFor(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** A tool's way in: makes what speaks with its WebSocket. */
export type Door = (socket: WebSocket, request: URL) => void

export class InspectorServer implements AdminAttachment {
  /** Part of the address that is given to the person who started the server. */
  readonly token: string = makeToken()
  readonly #feed: Feed
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_MESSAGE,
    perMessageDeflate: false,
    clientTracking: true,
  })
  readonly #doors: ReadonlyMap<string, Door>

  /** @param doors by path, beside `/feed` */
  constructor(feed: Feed, doors: ReadonlyMap<string, Door> = new Map()) {
    this.#feed = feed
    this.#doors = new Map<string, Door>([
      ['/feed', (socket) => new PageSocket(socket, this.#feed, this.token)],
      ...doors,
    ])
  }

  /** @returns false for what is none of the inspector's */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname } = urlOf(request)
    if (this.#doors.has(pathname)) {
      response.writeHead(426, { connection: 'upgrade', upgrade: 'websocket', 'content-length': 0 })
      response.end()
      return true
    }
    const file = pageFile(pathname)
    if (file === undefined) return false
    response.writeHead(200, {
      'content-type': file.type,
      'content-length': file.body.length,
      'cache-control': file.isImmutable ? 'max-age=31536000, immutable' : 'no-store',
      'content-security-policy': policyFor(request.headers.host!),
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      // The address contains the token.
      'referrer-policy': 'no-referrer',
    })
    response.end(request.method === 'HEAD' ? undefined : file.body)
    return true
  }

  /** @returns a status to refuse with; undefined when the socket was taken */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): number | undefined {
    const url = urlOf(request)
    const door = this.#doors.get(url.pathname)
    if (door === undefined) return 404
    // Browsers tell where the page is from that opens a WebSocket; tools on this machine do not.
    const { origin, host } = request.headers
    if (origin !== undefined && origin !== `http://${host}`) return 403
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (this.#sockets.clients.size > MAX_VIEWERS) {
        webSocket.on('error', () => {})
        webSocket.close(CloseCode.tooMany, 'too many viewers')
      } else door(webSocket, url)
    })
    return undefined
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate()
    this.#sockets.close()
  }
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://inspector.invalid')
  } catch {
    return new URL('http://inspector.invalid/')
  }
}
