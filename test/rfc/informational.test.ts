// Interim responses, Expect, HEAD and early answers, on all versions of HTTP: RFC 9110 sections 9.3.2, 10.1.1 and 15.2,
// RFC 8297, RFC 9114 section 4.1. Real sockets, the clients of Node over TCP and our own over HTTP/3.
import { once } from 'node:events'
import { connect as connectH2, type IncomingHttpHeaders } from 'node:http2'
import { request as requestH1 } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import {
  type Exchange,
  type ExchangeHandler,
  fetchHandler,
  type QuactorServer,
  serve,
} from '../../src/index.ts'

interface Answer {
  /** Interim responses: status, and the link fields. */
  readonly interim: { status: number; link: string }[]
  readonly status: number
  readonly body: string
}

interface Question {
  readonly path: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

const events: string[] = []

async function readAll(exchange: Exchange): Promise<string> {
  let text = ''
  for await (const chunk of exchange.body) text += Buffer.from(chunk).toString()
  return text
}

const byFetch: Record<string, ExchangeHandler> = {
  '/fetch/hints': fetchHandler((request) => {
    request.inform(103, { link: '</a.css>; rel=preload' })
    request.inform(103, [['link', '</b.css>; rel=preload']])
    return new Response('whole')
  }),
  '/fetch/read': fetchHandler(async (request) => new Response(await request.text())),
  '/fetch/refuse': fetchHandler(() => new Response('no', { status: 413 })),
  '/fetch/late': fetchHandler((request) => {
    setTimeout(() => request.inform(103, { link: '</late>' }), 20)
    return new Response('whole')
  }),
}

const byExchange: Record<string, ExchangeHandler> = {
  '/hints': (exchange) => {
    exchange.inform(103, ['link', '</a.css>; rel=preload'])
    exchange.inform(103, ['link', '</b.css>; rel=preload'])
    exchange.respond(200, [], 'whole')
  },
  '/read': async (exchange) => {
    const text = await readAll(exchange)
    exchange.respond(200, [], text)
  },
  '/refuse': (exchange) => exchange.respond(417, [], 'no'),
  '/head': (exchange) => {
    exchange.begin(200, ['content-length', '5', 'x-method', exchange.method])
    exchange.write('12345')
    exchange.end()
  },
  '/early': (exchange) => exchange.respond(413, [], 'too much'),
}

let server: QuactorServer

beforeAll(async () => {
  const handlers = { ...byFetch, ...byExchange }
  server = await serve({
    port: 0,
    host: '127.0.0.1',
    onFault: ({ kind, path, error }) => events.push(`${kind} ${path} ${error}`),
    handler: (exchange) => handlers[exchange.path]!(exchange),
  })
})

afterAll(() => server.close({ timeout: 100 }))

/** Waits for 100 (Continue) or the final response before it sends the body. */
function overHttp1({ path, method = 'GET', body, headers = {} }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const interim: Answer['interim'] = []
    const request = requestH1({
      port: server.port,
      path,
      method,
      headers,
      rejectUnauthorized: false,
      agent: false,
    })
    request.on('error', reject)
    request.on('information', ({ statusCode, headers }) =>
      interim.push({ status: statusCode, link: String(headers.link ?? '') }),
    )
    request.on('continue', () => request.end(body))
    request.on('response', (response) => {
      let text = ''
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => {
        request.destroy()
        resolve({ interim, status: response.statusCode!, body: text })
      })
    })
    if (headers.expect === undefined) request.end(body)
    else request.flushHeaders()
  })
}

async function overHttp2({ path, method = 'GET', body, headers = {} }: Question): Promise<Answer> {
  const session = connectH2(server.url, { rejectUnauthorized: false })
  const interim: Answer['interim'] = []
  const stream = session.request(
    { ':path': path, ':method': method, ...headers },
    { endStream: body === undefined },
  )
  stream.on('headers', (fields: IncomingHttpHeaders) => {
    interim.push({ status: Number(fields[':status']), link: String(fields.link ?? '') })
    if (Number(fields[':status']) === 100) stream.end(body)
  })
  if (headers.expect === undefined && body !== undefined) stream.end(body)
  const [fields] = await once(stream, 'response')
  if (!stream.writableEnded) stream.end()
  let text = ''
  for await (const part of stream) text += part
  session.close()
  return { interim, status: Number(fields[':status']), body: text }
}

async function overHttp3({ path, method, body, headers = {} }: Question): Promise<Answer> {
  const session = await connect(server.url, { insecure: true })
  const interim: Answer['interim'] = []
  const gate = Promise.withResolvers<void>()
  const waits = headers.expect !== undefined
  async function* late(): AsyncGenerator<string> {
    await gate.promise
    yield body!
  }
  const response = await session.request({
    path,
    method,
    headers,
    ...(body !== undefined && { body: waits ? late() : body }),
    onInformational: (status, fields) => {
      interim.push({ status, link: fields[fields.indexOf('link') + 1] ?? '' })
      if (status === 100) gate.resolve()
    },
  })
  const text = await response.text()
  gate.resolve()
  await session.end()
  return { interim, status: response.status, body: text }
}

const link = (name: string) => ({ status: 103, link: `</${name}.css>; rel=preload` })

describe.each(Object.entries({ overHttp1, overHttp2, overHttp3 }))('%s', (_way, ask) => {
  test.each(['/hints', '/fetch/hints'])(
    'RFC 8297: 103 (Early Hints) go ahead of the response (%s)',
    async (path) => {
      const { interim, status, body } = await ask({ path })
      expect(interim).toEqual([link('a'), link('b')])
      expect([status, body]).toEqual([200, 'whole'])
    },
  )

  test('an interim response after the final one is not sent', async () => {
    expect(await ask({ path: '/fetch/late' })).toEqual({ interim: [], status: 200, body: 'whole' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(events).toEqual([])
  })

  const expecting = { method: 'POST', body: 'the body', headers: { expect: '100-continue' } }

  test.each(['/read', '/fetch/read'])(
    'RFC 9110 section 10.1.1: reading the body sends 100 (Continue), once (%s)',
    async (path) => {
      const { interim, status, body } = await ask({ ...expecting, path })
      // Node's client for HTTP/1.1 tells of 100 by another event.
      expect(interim.map((one) => one.status)).toEqual([100])
      expect([status, body]).toEqual([200, 'the body'])
    },
  )

  test.each([
    ['/refuse', 417],
    ['/fetch/refuse', 413],
  ])('a handler that answers without reading sends no 100 (%s)', async (path, expected) => {
    const { interim, status, body } = await ask({ ...expecting, path })
    expect(interim).toEqual([])
    expect([status, body]).toEqual([expected, 'no'])
  })

  test('another expectation is refused with 417', async () => {
    const { status } = await ask({ ...expecting, path: '/read', headers: { expect: 'a-miracle' } })
    expect(status).toBe(417)
  })

  test('RFC 9110 section 9.3.2: HEAD has the fields of GET and no content', async () => {
    const { status, body } = await ask({ path: '/head', method: 'HEAD' })
    expect([status, body]).toEqual([200, ''])
  })

  test('RFC 9114 section 4.1: an answer before the body is there is a whole answer', async () => {
    const { status, body } = await ask({ path: '/early', method: 'POST', body: 'x'.repeat(3_000_000) })
    expect([status, body]).toEqual([413, 'too much'])
    expect(events).toEqual([])
  })
})
