import { connect as connectH2 } from 'node:http2'
import { request as requestH1 } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type QuactorServer, type ServeOptions, serve } from '../../../src/index.ts'

const running: QuactorServer[] = []

async function start(options: ServeOptions = {}): Promise<QuactorServer> {
  const server = await serve({ port: 0, host: '127.0.0.1', onFault: () => {}, ...options })
  running.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ timeout: 50 })))
})

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

function overHttp1(port: number, path: string, method = 'GET', body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestH1(
      { port, path, method, rejectUnauthorized: false, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: text }),
        )
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function overHttp2(port: number, path: string, method = 'GET', body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectH2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', reject)
    const stream = session.request({ ':path': path, ':method': method })
    let answer: Answer = { status: 0, headers: {}, body: '' }
    stream.on('response', (headers) => {
      answer = { ...answer, status: Number(headers[':status']), headers }
    })
    stream.setEncoding('utf8').on('data', (part: string) => {
      answer.body += part
    })
    stream.on('end', () => {
      session.close()
      resolve(answer)
    })
    stream.on('error', reject)
    stream.end(body)
  })
}

async function overHttp3(port: number, path: string, method = 'GET', body?: string): Promise<Answer> {
  const session = await connect(`https://127.0.0.1:${port}`, { insecure: true })
  try {
    const response = await session.request({ path, method, body })
    const headers = Object.fromEntries(response.headers)
    return { status: response.status, headers, body: await response.text() }
  } finally {
    await session.end()
  }
}

const ways = { 'http/1.1': overHttp1, h2: overHttp2, h3: overHttp3 }

describe.each(Object.entries(ways))('serve() over %s', (protocol, ask) => {
  it('runs the demo routes', async () => {
    const { port } = await start()
    expect(await ask(port, '/health')).toMatchObject({ status: 200, body: 'ok' })
    expect((await ask(port, '/')).body).toContain(`<code id="server">${protocol}</code>`)
    expect((await ask(port, '/bytes/100000')).body).toHaveLength(100_000)
    expect((await ask(port, '/echo', 'POST', 'x'.repeat(50_000))).body).toBe('x'.repeat(50_000))
    expect((await ask(port, '/nothing')).status).toBe(404)
  })

  it('every response has a date (RFC 9110 section 6.6.1)', async () => {
    const { port } = await start()
    const { date } = (await ask(port, '/health')).headers
    expect(Math.abs(Date.now() - Date.parse(String(date)))).toBeLessThan(60_000)
  })

  it('runs a fetch handler', async () => {
    const { port } = await start({
      fetch: async (request) => {
        const { pathname } = new URL(request.url)
        return new Response(`${request.method} ${pathname} ${await request.text()}`, {
          headers: { 'x-a': 'b' },
        })
      },
    })
    const answer = await ask(port, '/some/where?x', 'POST', 'body')
    expect(answer).toMatchObject({ status: 200, body: 'POST /some/where body' })
    expect(answer.headers['x-a']).toBe('b')
  })

  it('a handler that crashes is reported and ends nothing else', async () => {
    const faults: unknown[] = []
    const { port } = await start({ onFault: (fault) => faults.push(fault) })
    const outcome = await ask(port, '/crash').then(
      ({ status }) => status,
      () => 'reset',
    )
    expect(outcome).toBe(protocol === 'h3' ? 'reset' : 500)
    expect(faults).toMatchObject([{ kind: 'crash', method: 'GET', path: '/crash' }])
    expect((await ask(port, '/health')).body).toBe('ok')
  })
})

describe('serve()', () => {
  it('tells TCP clients where HTTP/3 is (RFC 7838)', async () => {
    const { port } = await start()
    for (const ask of [overHttp1, overHttp2]) {
      expect((await ask(port, '/health')).headers['alt-svc']).toBe(`h3=":${port}"; ma=86400`)
    }
    expect((await overHttp3(port, '/health')).headers).not.toHaveProperty('alt-svc')
  })

  it('without TCP there is only UDP', async () => {
    const { port } = await start({ tcp: false })
    await expect(overHttp1(port, '/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await overHttp3(port, '/health')).body).toBe('ok')
  })

  it('a busy port rejects and leaves nothing open', async () => {
    const first = await start()
    await expect(start({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const second = await start({ inspector: { port: 0 } })
    const taken = Number(new URL(second.inspector!).port)
    await expect(start({ port: 0, inspector: { port: taken } })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('a broken TLS client does not disturb it', async () => {
    const { port } = await start()
    await new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })
      socket.on('error', resolve)
    })
    expect((await overHttp2(port, '/health')).body).toBe('ok')
  })

  it('inspect$ emits while somebody listens', async () => {
    const server = await start()
    const types = new Set<string>()
    const subscription = server.inspect$.subscribe((event) => types.add(event.type))
    await overHttp3(server.port, '/health')
    subscription.unsubscribe()
    expect(types).toContain('@xstate.actor')
    expect(types).toContain('@xstate.snapshot')
    types.clear()
    await overHttp3(server.port, '/health')
    expect(types.size).toBe(0)
  })

  it('close() frees the port, and may be called twice', async () => {
    const server = await start()
    await overHttp3(server.port, '/health')
    const [first, second] = await Promise.all([server.close({ timeout: 100 }), server.close()])
    expect(second).toBe(first)
    const again = await start({ port: server.port })
    expect(again.port).toBe(server.port)
  })

  it('the key log gets lines that name secrets', async () => {
    const lines: string[] = []
    const { port } = await start({ keyLog: (line) => lines.push(line) })
    await overHttp3(port, '/health')
    expect(lines.map((line) => line.split(' ')[0])).toContain('CLIENT_TRAFFIC_SECRET_0')
  })

  it('all numbers of /status are back at zero after it', async () => {
    const server = await start({ inspector: { port: 0 } })
    await Promise.all(Array.from({ length: 5 }, () => overHttp3(server.port, '/bytes/100000')))
    // Closed connections drain for three probe timeouts first, RFC 9000 section 10.2.
    const status = async () => (await fetch(`${server.inspector}/status`)).json()
    await expect.poll(status, { timeout: 10_000 }).toMatchObject({
      connections: { live: 0, opened: 5 },
      streams: { live: 0, stuck: 0 },
      actors: { live: 0, missedTransitions: 0 },
      handlers: { live: 0 },
      timers: { armed: 0 },
      buffers: { receiveBytes: 0, sendBytes: 0 },
    })
  })
})
