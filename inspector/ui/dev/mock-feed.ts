/**
 * A feed without a server behind it: real machines, invented traffic. To work on the page and to measure its frame rate:
 * `node inspector/ui/dev/mock-feed.ts --streams 5000 --rate 15000 --stuck 1 --port 4444`, then open the printed URL.
 */
import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ClientMessage, ServerMessage } from '../../protocol.ts'
import { MockServer } from './mock-server.ts'

const DIST = fileURLToPath(new URL('../../dist', import.meta.url))
const TICK = 100
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'"

export interface MockOptions {
  readonly streams: number
  /** Transitions per second. */
  readonly rate: number
  readonly stuck: number
  readonly port: number
}

export interface MockFeed {
  readonly url: string
  readonly server: MockServer
  close(): void
}

export function startMockFeed(options: MockOptions): Promise<MockFeed> {
  const mock = new MockServer(options)
  const http = createServer(answer)
  const sockets = new WebSocketServer({ server: http, path: '/feed' })
  const timers = new Set<NodeJS.Timeout>()
  sockets.on('connection', (socket: WebSocket) => {
    const send = (message: ServerMessage): void => socket.send(JSON.stringify(message))
    const view = mock.attach(send)
    const timer = setInterval(() => view.tick(), TICK)
    timers.add(timer)
    socket.on('message', (data) => view.handle(JSON.parse(String(data)) as ClientMessage))
    socket.on('close', () => {
      clearInterval(timer)
      timers.delete(timer)
    })
  })
  return new Promise((resolve) => {
    http.listen(options.port, '127.0.0.1', () => {
      const close = (): void => {
        for (const timer of timers) clearInterval(timer)
        for (const socket of sockets.clients) socket.terminate()
        http.close()
      }
      resolve({
        url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/?token=mock`,
        server: mock,
        close,
      })
    })
  })
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const file = `${DIST}${pathname === '/' ? '/index.html' : pathname}`
  if (pathname.includes('..') || !existsSync(file)) {
    response.writeHead(404).end()
    return
  }
  const type = TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
  response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY })
  createReadStream(file).pipe(response)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '60' },
      rate: { type: 'string', default: '200' },
      stuck: { type: 'string', default: '1' },
      port: { type: 'string', default: '4444' },
    },
  })
  const { streams, rate, stuck, port } = values
  const feed = await startMockFeed({ streams: +streams, rate: +rate, stuck: +stuck, port: +port })
  console.log(feed.url)
}
