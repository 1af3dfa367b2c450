// WebSockets on real sockets: the same handler over HTTP/3, HTTP/2 (RFC 8441) and HTTP/1.1 (RFC 6455, the client of the
// library `ws`), and the demo route /ws.
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectH2 } from 'node:http2'
import { request as requestH1 } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { connect } from '../../../src/client/connect.ts'
import { type HandlerFault, type QuactorServer, type ServeOptions, serve } from '../../../src/index.ts'
import { TunnelWebSocket } from '../../../src/tunnels/websocket.ts'
import { straysDuring } from '../../faults/fault-world.ts'

const running: QuactorServer[] = []
const faults: HandlerFault[] = []

async function start(options: ServeOptions = {}): Promise<QuactorServer> {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    onFault: (fault) => faults.push(fault),
    ...options,
  })
  running.push(server)
  return server
}

afterEach(async () => {
  faults.length = 0
  await Promise.all(running.splice(0).map((server) => server.close({ timeout: 50 })))
})

interface Asker {
  readonly protocol: string
  /** The code with which it was closed, by whomever. */
  readonly closed: Promise<number>
  ask(text: string): Promise<string>
  /** Closes with a code and gives the one that came back. */
  close(code: number): Promise<number>
}

/** The little that the clients below have in common. */
interface AnySocket {
  readonly protocol: string
  send(text: string): void
  close(code: number): void
  once(event: 'message', listener: (data: Buffer) => void): unknown
  once(event: 'close', listener: (code: number) => void): unknown
}

function askerOf(socket: AnySocket, end: () => void): Asker {
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (code) => {
      end()
      resolve(code)
    })
  })
  return {
    closed,
    protocol: socket.protocol,
    ask: (text) =>
      new Promise((resolve) => {
        socket.once('message', (data) => resolve(data.toString()))
        socket.send(text)
      }),
    close: (code) => {
      socket.close(code)
      return closed
    },
  }
}

async function overHttp1(port: number, path: string, protocols: string[] = []): Promise<Asker> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, { rejectUnauthorized: false })
  await once(socket, 'open')
  return askerOf(socket, () => {})
}

async function h2Session(port: number): Promise<ClientHttp2Session> {
  const session = connectH2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  await once(session, 'remoteSettings')
  return session
}

async function overHttp2(port: number, path: string, protocols: string[] = []): Promise<Asker> {
  const session = await h2Session(port)
  expect(session.remoteSettings.enableConnectProtocol).toBe(true)
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': path,
      'sec-websocket-version': '13',
      ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join() }),
    },
    { endStream: false },
  )
  const [headers] = await once(stream, 'response')
  if (headers[':status'] !== 200) {
    session.close()
    throw new Error(`status ${headers[':status']}`)
  }
  const protocol = String(headers['sec-websocket-protocol'] ?? '')
  const socket = new TunnelWebSocket({ isServer: false, duplex: stream, protocol, contain: (run) => run() })
  return askerOf(socket as unknown as AnySocket, () => session.close())
}

async function overHttp3(port: number, path: string, protocols: string[] = []): Promise<Asker> {
  const session = await connect(`https://127.0.0.1:${port}`, { insecure: true })
  try {
    const socket = await session.websocket(path, { protocols })
    return askerOf(socket as AnySocket, () => session.close())
  } catch (error) {
    session.close()
    throw error
  }
}

describe.each(Object.entries({ overHttp1, overHttp2, overHttp3 }))('%s', (_name, open) => {
  test('messages, subprotocol, close code; the demo route /ws', async () => {
    const server = await start()
    const socket = await open(server.port, '/ws', ['other', 'echo'])
    expect(socket.protocol).toBe('echo')
    expect(await socket.ask('hello')).toBe('hello')
    expect(await socket.ask('x'.repeat(300_000))).toBe('x'.repeat(300_000))
    expect(await socket.close(3_456)).toBe(3_456)
  })

  test('another path of the demo has none', async () => {
    const server = await start()
    await expect(open(server.port, '/nowhere')).rejects.toThrow(/404/)
  })

  test.each(['throw', 'reject', 'timer'])(
    'a handler whose listener fails (%s) loses its socket only',
    async (how) => {
      const server = await start({
        websocket: (socket) => {
          socket.on('message', (data) => {
            if (data.toString() === 'throw') throw new Error('planned')
            if (data.toString() === 'reject') return Promise.reject(new Error('planned'))
            if (data.toString() === 'timer')
              return void setTimeout(() => {
                throw new Error('planned')
              })
            socket.send(data.toString())
          })
        },
      })
      const other = await open(server.port, '/')
      const socket = await open(server.port, '/')
      const strays = await straysDuring(async () => {
        const closed = socket.ask(how)
        await expect(Promise.race([closed, waitForFault()])).resolves.toBe('fault')
        expect(await other.ask('alive')).toBe('alive')
      })
      // The process hears of all of them but the first kind; the server brings them home to their socket.
      expect(strays).toHaveLength(how === 'throw' ? 0 : 1)
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatchObject({ kind: 'crash' })
      await other.close(1_000)
    },
  )

  test('close() of the server says 1001 and does not wait for its deadline', async () => {
    const server = await start({ websocket: () => {} })
    const socket = await open(server.port, '/')
    const before = performance.now()
    await server.close({ timeout: 8_000 })
    expect(performance.now() - before).toBeLessThan(7_000)
    expect(await socket.closed).toBe(1_001)
  })
})

async function waitForFault(): Promise<'fault'> {
  while (faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  return 'fault'
}

describe('HTTP/1.1: the opening handshake (RFC 6455 section 4.2)', () => {
  const good = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }

  function upgrade(port: number, headers: Record<string, string>, method = 'GET') {
    return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        const request = requestH1({
          port,
          path: '/ws',
          method,
          headers,
          rejectUnauthorized: false,
          agent: false,
        })
        request.on('error', reject)
        request.on('upgrade', (response, socket) => {
          socket.destroy()
          resolve({ status: response.statusCode!, headers: response.headers, body: '' })
        })
        request.on('response', (response) => {
          let body = ''
          response.on('data', (part) => {
            body += part
          })
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
        })
        request.end(method === 'POST' ? 'some body' : undefined)
      },
    )
  }

  test('the sample of RFC 6455 section 1.3', async () => {
    const server = await start()
    const answer = await upgrade(server.port, good)
    expect(answer.status).toBe(101)
    expect(answer.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  })

  test.each([
    ['another version', { ...good, 'sec-websocket-version': '8' }, 426],
    [
      'no version',
      { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': good['sec-websocket-key'] },
      426,
    ],
    ['no key', { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }, 400],
    ['a short key', { ...good, 'sec-websocket-key': 'abc' }, 400],
    ['subprotocols that are no tokens', { ...good, 'sec-websocket-protocol': 'a,,b' }, 400],
  ])('%s: refused', async (_what, headers, status) => {
    const server = await start()
    const answer = await upgrade(server.port, headers)
    expect(answer.status).toBe(status)
    if (status === 426) expect(answer.headers['sec-websocket-version']).toBe('13')
  })

  test('another protocol to upgrade to is ignored, and the request answered (RFC 9110 section 7.8)', async () => {
    const server = await start({ fetch: async (request) => new Response(`body: ${await request.text()}`) })
    const answer = await upgrade(server.port, { connection: 'Upgrade', upgrade: 'h2c' }, 'POST')
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('body:')
  })
})

describe('CONNECT to a host', () => {
  test('HTTP/2 and HTTP/1.1: 501 unless the handler accepts it', async () => {
    const server = await start({ fetch: () => new Response('x') })
    const session = await h2Session(server.port)
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.org:443' })
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(501)
    session.close()
    const socket = connectTls({ port: server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    socket.write('CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 501 /)
    socket.destroy()
  })

  test('a handler may accept it: bytes both ways on every version', async () => {
    const server = await start({
      handler: (exchange) => {
        if (exchange.method !== 'CONNECT') return exchange.respond(404)
        expect(exchange.authority).toBe('echo.example:7')
        const tunnel = exchange.accept()
        tunnel.pipe(tunnel)
      },
    })
    const session = await h2Session(server.port)
    const stream = session.request(
      { ':method': 'CONNECT', ':authority': 'echo.example:7' },
      { endStream: false },
    )
    stream.write('two')
    expect(String((await once(stream, 'data'))[0])).toBe('two')
    stream.end()
    await once(stream, 'end')
    session.close()
    const socket = connectTls({ port: server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    socket.write('CONNECT echo.example:7 HTTP/1.1\r\nhost: echo.example:7\r\n\r\nearly')
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    socket.write(' bytes')
    while (!text.endsWith('early bytes')) await once(socket, 'data')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    socket.end()
    await once(socket, 'close')
    const h3 = await connect(`https://127.0.0.1:${server.port}`, { insecure: true })
    const tunnel = await h3.connectTunnel({ authority: 'echo.example:7' })
    tunnel.stream.end('three')
    const parts: Buffer[] = []
    for await (const part of tunnel.stream) parts.push(part)
    expect(Buffer.concat(parts).toString()).toBe('three')
    await h3.end()
    expect(faults).toEqual([])
  })
})
