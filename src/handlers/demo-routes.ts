// The routes of `npm start`: one of each thing that a server does, for people and for every outside check.
import type { Clock } from '../transport/io/clock.ts'
import { demoPage } from './demo-page.ts'
import { demoWebTransportPage } from './demo-webtransport-page.ts'
import type { Exchange, ExchangeHandler } from './exchange.ts'
import { FILE_CHUNK, MAX_DEMO_BYTES, MAX_DEMO_PAUSE, SSE_INTERVAL } from './limits.ts'
import { sendFile } from './static-files.ts'

export interface DemoOptions {
  /** Times /slow and /sse. */
  readonly clock: Clock
  /** Folder whose files are served besides the routes. */
  readonly root?: string
  /** SHA-256 of a self-signed certificate, base64, for the page about WebTransport. */
  readonly certificateHash?: string
}

const TEXT = ['content-type', 'text/plain; charset=utf-8']
const OK_BODY = Buffer.from('ok')
const HEALTH_FIELDS = [...TEXT, 'content-length', '2']

/** Byte i of /bytes/N is i modulo 256, so that a client can check what it got. */
const PATTERN = Uint8Array.from({ length: FILE_CHUNK }, (_, index) => index & 0xff)

/** Handles the demo routes; anything else is a file below the root, or 404. */
export function demoRoutes(options: DemoOptions): ExchangeHandler {
  return (exchange) => {
    const path = withoutQuery(exchange.path)
    switch (path) {
      case '/health':
        return onlyGet(exchange, health)
      case '/echo':
        return echo(exchange)
      case '/sse':
        return onlyGet(exchange, () => events(exchange, options.clock))
      case '/crash':
        throw new Error('the /crash route always throws')
      case '/hang':
        return hang(exchange)
      case '/wt-demo':
        return onlyGet(exchange, () => sendPage(exchange, demoWebTransportPage(options.certificateHash)))
      default:
        if (path.startsWith('/bytes/')) return onlyGet(exchange, () => bytes(exchange, path.slice(7)))
        if (path.startsWith('/slow/'))
          return onlyGet(exchange, () => slow(exchange, path.slice(6), options.clock))
        return fileOrPage(exchange, path, options.root)
    }
  }
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}

function onlyGet(
  exchange: Exchange,
  route: (exchange: Exchange) => void | Promise<void>,
): void | Promise<void> {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return route(exchange)
  exchange.respond(405, ['allow', 'GET, HEAD'])
}

function health(exchange: Exchange): void {
  exchange.respond(200, HEALTH_FIELDS, OK_BODY)
}

/** The body back as it comes: the response waits for the client to read, and so in turn does the request. */
async function echo(exchange: Exchange): Promise<void> {
  if (exchange.method !== 'POST' && exchange.method !== 'PUT') {
    exchange.respond(405, ['allow', 'POST, PUT'])
    return
  }
  const fields = ['content-type', exchange.header('content-type') ?? 'application/octet-stream']
  const length = exchange.header('content-length')
  if (length !== undefined) fields.push('content-length', length)
  exchange.begin(200, fields)
  for await (const chunk of exchange.body) {
    const room = exchange.write(chunk)
    if (room !== undefined) await room
  }
  exchange.end()
}

function wholeNumber(text: string, max: number): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value <= max ? value : undefined
}

function badNumber(exchange: Exchange): void {
  exchange.respond(400, TEXT, 'a whole number is wanted here\n')
}

function bytes(exchange: Exchange, text: string): void | Promise<void> {
  const length = wholeNumber(text, MAX_DEMO_BYTES)
  if (length === undefined) return badNumber(exchange)
  const fields = ['content-type', 'application/octet-stream', 'content-length', String(length)]
  if (exchange.method === 'HEAD') return exchange.respond(200, fields)
  if (length <= FILE_CHUNK) return exchange.respond(200, fields, PATTERN.subarray(0, length))
  exchange.begin(200, fields)
  return sendPattern(exchange, length)
}

/** The same block again and again: 65,536 is a multiple of the pattern's period. */
async function sendPattern(exchange: Exchange, length: number): Promise<void> {
  for (let left = length; left > 0; left -= FILE_CHUNK) {
    const room = exchange.write(left < FILE_CHUNK ? PATTERN.subarray(0, left) : PATTERN)
    if (room !== undefined) await room
  }
  exchange.end()
}

async function slow(exchange: Exchange, text: string, clock: Clock): Promise<void> {
  const pause = wholeNumber(text, MAX_DEMO_PAUSE)
  if (pause === undefined) return badNumber(exchange)
  await sleep(exchange, clock, pause)
  exchange.respond(200, TEXT, `waited ${pause} ms\n`)
}

/** Server-sent events until the client leaves, or as many as ?count= asks for. */
async function events(exchange: Exchange, clock: Clock): Promise<void> {
  const asked = /[?&]count=(\d{1,6})(?:&|$)/.exec(exchange.path)
  const count = asked === null ? Number.POSITIVE_INFINITY : Number(asked[1])
  exchange.begin(200, ['content-type', 'text/event-stream', 'cache-control', 'no-store'])
  if (exchange.method === 'HEAD') return exchange.end()
  for (let id = 1; id <= count; id++) {
    const room = exchange.write(`id: ${id}\ndata: ${JSON.stringify({ id, protocol: exchange.protocol })}\n\n`)
    if (room !== undefined) await room
    if (id < count) await sleep(exchange, clock, SSE_INTERVAL)
  }
  exchange.end()
}

/** Never answers; ends only because it is told to. */
function hang(exchange: Exchange): Promise<void> {
  return new Promise((_resolve, reject) => {
    exchange.onCancel = reject
  })
}

/** Waits `pause` ms on the clock; rejects when the exchange is cancelled meanwhile. */
function sleep(exchange: Exchange, clock: Clock, pause: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(clock.now() + pause, () => {
      exchange.onCancel = undefined
      resolve()
    })
    exchange.onCancel = (reason) => {
      clock.clearTimer(timer)
      reject(reason)
    }
  })
}

async function fileOrPage(exchange: Exchange, path: string, root: string | undefined): Promise<void> {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    exchange.respond(405, ['allow', 'GET, HEAD'])
    return
  }
  if (root !== undefined && (await sendFile(exchange, root))) return
  if (path !== '/') {
    exchange.respond(404, TEXT, 'not found\n')
    return
  }
  sendPage(exchange, demoPage(exchange.protocol))
}

function sendPage(exchange: Exchange, text: string): void {
  const page = Buffer.from(text)
  exchange.respond(
    200,
    ['content-type', 'text/html; charset=utf-8', 'content-length', String(page.length)],
    page,
  )
}
