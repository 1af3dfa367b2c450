// The admin port: /status as JSON, /metrics for Prometheus, and a page with the numbers; /stuck, /missed and
// /invariants say what is behind three of them. These only show; what else there is comes with the attachment (the
// inspector). Loopback only, and only for requests that name it by an exact host, so that a web page elsewhere cannot read
// it through DNS rebinding. Started by serve().
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { ADMIN_CONNECTIONS, ADMIN_TIMEOUT } from './limits.ts'

/** What is shown; each call takes the numbers of that moment. */
export interface AdminSource {
  status(): object | Promise<object>
  metrics(): string | Promise<string>
  /** Further paths, each with what it answers as JSON. */
  readonly details?: Readonly<Record<string, () => object | Promise<object>>>
}

/** What else answers on the admin port; asked only by requests that name it by an exact host, with GET or HEAD. */
export interface AdminAttachment {
  /** Answers, or returns false for a path that is none of its own. Goes before the page of numbers. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean
  /** Takes the socket, or returns the status to refuse with. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): number | undefined
  /** Lets go of every socket that it has taken. */
  close(): void
}

export interface AdminOptions {
  /** 0 lets the system choose. */
  readonly port: number
  /** A loopback address. */
  readonly address?: string
  readonly source: AdminSource
  readonly attachment?: AdminAttachment
}

const LOOPBACK = ['127.0.0.1', '::1']

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>quactor status</title><link rel="icon" href="data:,">
<style>:root{color-scheme:light dark;font:14px/1.5 ui-monospace,monospace}body{margin:2rem}
td{padding:0 1rem 0 0}td+td{text-align:right}</style></head>
<body><h1>quactor</h1><table id="numbers"></table>
<script>
const table = document.getElementById('numbers')
const flatten = (value, path) => typeof value === 'object' && value !== null
  ? Object.entries(value).flatMap(([key, inner]) => flatten(inner, path ? path + '.' + key : key))
  : [[path, String(value)]]
const refresh = async () => {
  try {
    const rows = flatten(await (await fetch('/status')).json(), '')
    table.replaceChildren(...rows.map(([name, value]) => {
      const row = document.createElement('tr')
      row.append(...[name, value].map((text) => Object.assign(document.createElement('td'), { textContent: text })))
      return row
    }))
  } finally { setTimeout(refresh, 1000) }
}
refresh()
</script></body></html>
`

export class AdminServer {
  readonly port: number
  readonly address: string
  readonly #server: Server
  readonly #attachment: AdminAttachment | undefined

  constructor(server: Server, attachment: AdminAttachment | undefined) {
    this.#attachment = attachment
    const bound = server.address() as AddressInfo
    this.port = bound.port
    this.address = bound.address
    this.#server = server
  }

  get url(): string {
    const host = this.address.includes(':') ? `[${this.address}]` : this.address
    return `http://${host}:${this.port}`
  }

  close(): Promise<void> {
    this.#attachment?.close()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

/**
 * Starts the admin port.
 * @throws RangeError for an address that is not loopback; rejects with the system's error for a busy port
 */
export function listenAdmin(options: AdminOptions): Promise<AdminServer> {
  const address = options.address ?? '127.0.0.1'
  if (!LOOPBACK.includes(address))
    throw new RangeError(`the admin port may only listen on loopback, not on ${address}`)
  const server = createServer({ requestTimeout: ADMIN_TIMEOUT, headersTimeout: ADMIN_TIMEOUT })
  server.maxConnections = ADMIN_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port: options.port }, () => {
      server.removeListener('error', reject)
      server.on('error', ignore)
      server.on('clientError', (_error, socket) => socket.destroy())
      const admin = new AdminServer(server, options.attachment)
      server.on('request', (request, response) => answer(request, response, admin.port, options))
      server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, admin.port, options))
      resolve(admin)
    })
  })
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  { source, attachment }: AdminOptions,
): void {
  response.on('error', ignore)
  const { details = {} } = source
  const path = request.url ?? ''
  const detail = Object.hasOwn(details, path) ? details[path] : undefined
  if (!isOurHost(request.headers.host, port)) {
    send(response, 421, 'text/plain; charset=utf-8', 'wrong host\n')
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    send(response, 405, 'text/plain; charset=utf-8', 'only GET and HEAD\n')
  } else if (path === '/status') {
    void sendLater(response, source.status(), sendJson)
  } else if (path === '/metrics') {
    void sendLater(response, source.metrics(), sendMetrics)
  } else if (attachment?.handleRequest(request, response) === true) {
    // It has answered.
  } else if (path === '/') {
    send(response, 200, 'text/html; charset=utf-8', PAGE)
  } else if (detail !== undefined) void sendLater(response, detail(), sendJson)
  else send(response, 404, 'text/plain; charset=utf-8', 'not found\n')
}

function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  port: number,
  { attachment }: AdminOptions,
): void {
  socket.on('error', ignore)
  const refusal = isOurHost(request.headers.host, port)
    ? (attachment?.handleUpgrade(request, socket, head) ?? (attachment === undefined ? 404 : undefined))
    : 421
  if (refusal === undefined) return
  socket.end(`HTTP/1.1 ${refusal} ${STATUS_CODES[refusal]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
}

function isOurHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}` || host === `[::1]:${port}`
}

/** With several workers the numbers come from other processes. */
async function sendLater<Value>(
  response: ServerResponse,
  value: Value | Promise<Value>,
  sendValue: (response: ServerResponse, value: Value) => void,
): Promise<void> {
  try {
    sendValue(response, await value)
  } catch (error) {
    send(response, 500, 'text/plain; charset=utf-8', `${String(error)}\n`)
  }
}

function sendMetrics(response: ServerResponse, text: string): void {
  send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text)
}

function sendJson(response: ServerResponse, value: object): void {
  send(response, 200, 'application/json', `${JSON.stringify(value, undefined, 2)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy':
      "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:",
    'cross-origin-resource-policy': 'same-origin',
  })
  response.end(body)
}

/** A broken client of the admin port is no news. */
function ignore(): void {}
