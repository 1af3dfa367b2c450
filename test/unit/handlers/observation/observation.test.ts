// Access log, diagnostics channels and spans around handlers: what they tell, and that they change nothing.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import type { ExchangeHandler } from '../../../../src/handlers/exchange.ts'
import { accessLog } from '../../../../src/handlers/observation/access-log.ts'
import { publishRequests, type RequestMessage } from '../../../../src/handlers/observation/diagnostics.ts'
import { type OpenTelemetryApi, traced } from '../../../../src/handlers/observation/open-telemetry.ts'
import { SupervisedWorld } from '../../supervisor/supervised-world.ts'
import { ExchangeDouble } from '../exchange-double.ts'

const handler: ExchangeHandler = async (exchange) => {
  await Promise.resolve()
  if (exchange.path.startsWith('/crash')) throw new Error('broken')
  if (exchange.path === '/hang') {
    await new Promise<void>((_, reject) => {
      exchange.onCancel = reject
    })
  }
  exchange.respond(exchange.path === '/none' ? 404 : 200, [], 'hello')
}

async function visit(wrapped: ExchangeHandler): Promise<void> {
  const world = new SupervisedWorld(wrapped)
  const session = await world.connected()
  for (const path of ['/?q=1', '/none']) {
    await world.run((await world.run(session.request({ path }), 5_000)).text(), 5_000)
  }
  await expect(world.run(session.request({ path: '/crash' }), 5_000)).rejects.toThrow()
  const abort = new AbortController()
  session.request({ path: '/hang', signal: abort.signal }).catch(() => {})
  await world.pass(100)
  abort.abort()
  await world.pass(100)
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
}

test('JSON lines have the fields of pino, one line per request', async () => {
  const lines: string[] = []
  await visit(accessLog(handler, { write: (line) => lines.push(line) }))
  const entries = lines.map((line) => JSON.parse(line))
  expect(entries).toMatchObject([
    { level: 30, req: { method: 'GET', url: '/?q=1' }, res: { statusCode: 200, bytes: 5 }, protocol: 'h3' },
    { level: 30, res: { statusCode: 404 }, msg: 'request completed' },
    { level: 50, res: { statusCode: 0 }, msg: 'request crashed' },
    { level: 40, msg: 'request cancelled' },
  ])
  for (const entry of entries) expect(entry.responseTime).toBeGreaterThanOrEqual(0)
})

test('text lines cannot be broken, nor a terminal moved, by what a client sends', async () => {
  const lines: string[] = []
  await visit(accessLog(handler, { format: 'text', write: (line) => lines.push(line) }))
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^\S+Z \S+ h3 GET \/\?q=1 200 5 B \d+\.\d ms$/)
  await accessLog((exchange) => exchange.respond(200), { format: 'text', write: (line) => lines.push(line) })(
    new ExchangeDouble({ path: '/\u001b[2J\nfaked line' }),
  )
  expect(lines[4]).toContain('/%1B[2J%0Afaked%20line')
})

test('a log that cannot be written is not the failure of the request', async () => {
  await visit(
    accessLog(handler, {
      write: () => {
        throw new Error('disk full')
      },
    }),
  )
})

test('channels tell start, end and error of each request, and nothing is told without subscribers', async () => {
  const told: string[] = []
  const note = (message: unknown, name: string | symbol): void => {
    const { exchange, outcome } = message as RequestMessage
    told.push(`${String(name).slice(16)} ${exchange.path.slice(0, 6)} ${outcome ?? ''}`)
  }
  const names = ['quactor:request:start', 'quactor:request:end', 'quactor:request:error']
  for (const name of names) subscribe(name, note)
  await visit(publishRequests(handler))
  for (const name of names) unsubscribe(name, note)
  expect(told).toContain('start /?q=1 ')
  expect(told).toContain('end /?q=1 answered')
  expect(told).toContain('error /crash crashed')
  expect(told).toContain('end /hang cancelled')
  const before = told.length
  await visit(publishRequests(handler))
  expect(told).toHaveLength(before)
})

test('a request is a span of kind server, with the attributes of the semantic conventions', async () => {
  const spans: { name: string; attributes: Record<string, unknown>; status: unknown; isEnded: boolean }[] = []
  const api: OpenTelemetryApi<string> = {
    trace: {
      getTracer: () => ({
        startSpan: (name, { attributes }) => {
          const record = {
            name,
            attributes: { ...attributes } as Record<string, unknown>,
            status: 0 as unknown,
            isEnded: false,
          }
          spans.push(record)
          return {
            setAttribute: (key, value) => Object.assign(record.attributes, { [key]: value }),
            setStatus: ({ code }) => Object.assign(record, { status: code }),
            recordException: (error) => void Object.assign(record.attributes, { exception: error.message }),
            end: () => void Object.assign(record, { isEnded: true }),
          }
        },
      }),
      setSpan: (context) => context,
    },
    context: { active: () => 'root', with: (_context, run) => run() },
    propagation: { extract: (context, carrier, getter) => getter.get(carrier, 'Traceparent') ?? context },
    SpanKind: { SERVER: 1 },
    SpanStatusCode: { ERROR: 2 },
  }
  await visit(traced(handler, api))
  expect(spans).toHaveLength(4)
  expect(spans.every(({ isEnded }) => isEnded)).toBe(true)
  expect(spans[0]).toMatchObject({
    name: 'GET',
    status: 0,
    attributes: {
      'url.path': '/',
      'url.query': 'q=1',
      'network.protocol.version': '3',
      'http.response.status_code': 200,
      'http.response.body.size': 5,
    },
  })
  expect(spans[2]).toMatchObject({ status: 2, attributes: { exception: 'broken' } })
})
