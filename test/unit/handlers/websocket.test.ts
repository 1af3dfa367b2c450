// WebSockets over HTTP/3 in the simulator: the handshake, messages, closing, supervision, bounds.
import { describe, expect, test } from 'vitest'
import { TunnelRefusedError } from '../../../src/client/client-tunnel.ts'
import type { WebSocketRequest } from '../../../src/handlers/websocket-handler.ts'
import type { WebSocketConnection } from '../../../src/tunnels/websocket-connection.ts'
import { SocketLog, TunnelWorld } from '../../sim/tunnel-world.ts'

function echo(socket: WebSocketConnection): void {
  socket.on('message', (data, isBinary) => socket.send(isBinary ? data : data.toString()))
}

describe('RFC 9220: WebSockets on HTTP/3', () => {
  test('messages go both ways, and close codes arrive', async () => {
    const servers: SocketLog[] = []
    const world = new TunnelWorld({
      websocket: (socket) => {
        servers.push(new SocketLog(socket))
        echo(socket)
      },
    })
    const session = await world.connected()
    const socket = await world.run(session.websocket('/chat'), 5_000)
    const log = new SocketLog(socket)
    socket.send('hello')
    socket.send('x'.repeat(100_000))
    socket.send(new Uint8Array(5_000))
    socket.ping('are you there')
    await world.pass(2_000)
    expect(log.messages).toEqual(['hello', 'x'.repeat(100_000)])
    expect(log.bytes).toBe(5_000)
    expect(log.events).toEqual(['pong'])
    expect(world.status().handlers.live).toBe(1)
    socket.close(3_001, 'enough')
    await world.pass(1_000)
    expect(log.closed).toEqual({ code: 3_001, reason: 'enough' })
    expect(servers[0]!.closed).toEqual({ code: 3_001, reason: 'enough' })
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, streams: { stuck: 0 } })
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('the request is visible: path, origin, subprotocols, fields', async () => {
    const requests: WebSocketRequest[] = []
    const world = new TunnelWorld({
      websocket: { protocols: ['v2', 'v1'], open: (_socket, request) => void requests.push(request) },
    })
    const session = await world.connected()
    const headers = { origin: 'https://page.example', 'x-room': '7' }
    const socket = await world.run(
      session.websocket('/chat?room=7', { protocols: ['v0', 'v1', 'v2'], headers }),
      5_000,
    )
    expect(socket.protocol).toBe('v2')
    expect(requests[0]).toMatchObject({
      origin: 'https://page.example',
      path: '/chat?room=7',
      protocols: ['v0', 'v1', 'v2'],
      httpVersion: 'h3',
    })
    expect(requests[0]!.url).toBe(`https://${session.authority}/chat?room=7`)
    expect(requests[0]!.header('x-room')).toBe('7')
    await world.expectNothingLeft(session)
  })

  test('RFC 6455 section 4.2.2: without a common subprotocol there is none', async () => {
    const world = new TunnelWorld({ websocket: { protocols: ['a'], open: () => {} } })
    const session = await world.connected()
    const socket = await world.run(session.websocket('/', { protocols: ['b'] }), 5_000)
    expect(socket.protocol).toBe('')
  })

  test.each([
    [false, 403],
    [401, 401],
  ])('accept() that gives %s refuses with %i', async (verdict, status) => {
    const world = new TunnelWorld({ websocket: { accept: async () => verdict, open: () => {} } })
    const session = await world.connected()
    const refused = await world.run(
      session.websocket('/').catch((error: unknown) => error),
      5_000,
    )
    expect(refused).toBeInstanceOf(TunnelRefusedError)
    expect(refused).toMatchObject({ status, kind: 'refused' })
    await world.pass(500)
    await world.expectNothingLeft(session)
  })

  test('RFC 9220 section 3: an unknown protocol gets 501', async () => {
    const world = new TunnelWorld({ websocket: () => {} })
    const session = await world.connected()
    const refused = session.connectTunnel({ protocol: 'carrier-pigeon' }).catch((error: unknown) => error)
    expect(await world.run(refused, 5_000)).toMatchObject({ status: 501 })
    await world.expectNothingLeft(session)
  })

  test('RFC 8441 section 3: without the setting the client does not try, and the server says it is malformed', async () => {
    const world = new TunnelWorld({})
    const session = await world.connected()
    const refused = session.websocket('/').catch((error: unknown) => error)
    expect(await world.run(refused, 5_000)).toMatchObject({ kind: 'unsupported' })
    expect(session.holds).toBe(0)
    // A client that does not care: the library itself would refuse.
    Object.assign(session.h3, { peerSettings: { ...session.h3.peerSettings, enableConnectProtocol: true } })
    const reset = session.request({ method: 'CONNECT', protocol: 'websocket' })
    await expect(world.run(reset, 5_000)).rejects.toMatchObject({ code: 0x10e })
    await world.expectNothingLeft(session)
  })

  test('with permessage-deflate on both sides messages are compressed (RFC 7692)', async () => {
    const world = new TunnelWorld({ websocket: { perMessageDeflate: true, open: echo } })
    const session = await world.connected()
    const plain = await world.run(session.websocket('/'), 5_000)
    expect(plain.extensions).toBe('')
    const socket = await world.run(session.websocket('/', { perMessageDeflate: true }), 5_000)
    const log = new SocketLog(socket)
    expect(socket.extensions).toBe('permessage-deflate')
    socket.send('abc'.repeat(50_000))
    // zlib works on threads of its own: virtual time does not wait for it.
    for (let round = 0; round < 200 && log.messages.length === 0; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await world.pass(100)
    }
    expect(log.messages).toEqual(['abc'.repeat(50_000)])
    await world.expectNothingLeft(session)
  })
})

describe('supervision', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('planned')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('planned')
      },
    ],
    [
      'throws in a listener',
      (socket: WebSocketConnection) => {
        socket.on('message', () => {
          throw new Error('planned')
        })
      },
    ],
  ] as const)('a handler that %s resets its stream and nothing else', async (_how, broken) => {
    const world = new TunnelWorld({
      websocket: (socket, { path }) => (path === '/broken' ? broken(socket) : echo(socket)),
    })
    const session = await world.connected()
    const good = await world.run(session.websocket('/'), 5_000)
    const goodLog = new SocketLog(good)
    const bad = await world.run(session.websocket('/broken'), 5_000).catch(() => undefined)
    const badLog = bad && new SocketLog(bad)
    bad?.send('go')
    await world.pass(1_000)
    if (badLog !== undefined) expect(badLog.closed?.code).toBe(1_006)
    expect(world.faults).toHaveLength(1)
    expect(world.faults[0]).toMatchObject({ kind: 'crash', method: 'CONNECT' })
    good.send('still here')
    await world.pass(1_000)
    expect(goodLog.messages).toEqual(['still here'])
    expect(world.server.counters.crashResets).toBe(world.server.counters.crashed)
    await world.expectNothingLeft(session)
  })

  test('a client that resets, or a connection that ends, closes the socket with 1006', async () => {
    const logs: SocketLog[] = []
    const world = new TunnelWorld({ websocket: (socket) => void logs.push(new SocketLog(socket)) })
    const session = await world.connected()
    const first = await world.run(session.websocket('/'), 5_000)
    await world.run(session.websocket('/'), 5_000)
    first.terminate()
    await world.pass(500)
    expect(logs[0]!.closed?.code).toBe(1_006)
    expect(logs[1]!.closed).toBeUndefined()
    await world.expectNothingLeft(session)
    expect(logs[1]!.closed?.code).toBe(1_006)
    expect(world.faults).toEqual([])
  })

  test('a stream that just ends closes both sockets with 1006', async () => {
    const logs: SocketLog[] = []
    const world = new TunnelWorld({ websocket: (socket) => void logs.push(new SocketLog(socket)) })
    const session = await world.connected()
    const tunnel = await world.run(session.connectTunnel({ protocol: 'websocket', path: '/' }), 5_000)
    tunnel.stream.resume()
    tunnel.stream.end()
    await world.pass(1_000)
    expect(logs[0]!.closed?.code).toBe(1_006)
    expect(world.status().handlers.live).toBe(0)
    await world.expectNothingLeft(session)
  })

  test('drain closes sockets with 1001', async () => {
    const world = new TunnelWorld({ websocket: echo })
    const session = await world.connected()
    const log = new SocketLog(await world.run(session.websocket('/'), 5_000))
    const closing = world.server.close(30_000)
    const before = world.clock.now()
    await world.run(closing, 40_000)
    expect(log.closed?.code).toBe(1_001)
    expect(world.clock.now() - before).toBeLessThan(10_000)
  })

  test('pingInterval ends the socket of a client that does not answer, and no other', async () => {
    const codes: number[] = []
    const world = new TunnelWorld({
      transport: { maxIdleTimeout: 600_000 },
      websocket: {
        pingInterval: 1_000,
        open: (socket) => void socket.on('close', (code) => codes.push(code)),
      },
    })
    const session = await world.connected()
    const alive = new SocketLog(await world.run(session.websocket('/'), 5_000))
    const dumb = await world.run(session.connectTunnel({ protocol: 'websocket', path: '/' }), 5_000)
    dumb.stream.resume()
    await world.pass(5_000)
    expect(codes).toEqual([1_006])
    expect(alive.closed).toBeUndefined()
    expect(alive.events.length).toBeGreaterThan(3)
    await world.expectNothingLeft(session)
  })
})

describe('bounds', () => {
  test('a message larger than maxPayload closes with 1009', async () => {
    const world = new TunnelWorld({ websocket: { maxPayload: 1_000, open: echo } })
    const session = await world.connected()
    const socket = await world.run(session.websocket('/'), 5_000)
    const log = new SocketLog(socket)
    socket.send('x'.repeat(1_001))
    await world.pass(1_000)
    expect(log.closed?.code).toBe(1_009)
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('a client that does not read makes the server wait, not buffer: drained()', async () => {
    let sent = 0
    let socketOfServer: WebSocketConnection | undefined
    const world = new TunnelWorld({
      websocket: async (socket) => {
        socketOfServer = socket
        while (socket.readyState === 1) {
          socket.send(new Uint8Array(100_000))
          sent += 100_000
          await socket.drained()
        }
      },
    })
    const session = await world.connected()
    const socket = await world.run(session.websocket('/'), 5_000)
    const log = new SocketLog(socket)
    socket.pause()
    await world.pass(5_000)
    const stalled = sent
    await world.pass(5_000)
    expect(sent).toBe(stalled)
    expect(socketOfServer!.bufferedAmount).toBeLessThan(300_000)
    socket.resume()
    await world.pass(200)
    expect(log.bytes).toBeGreaterThan(stalled)
    await world.expectNothingLeft(session)
  })

  test('a handler that sends more than maxBuffered to a client that does not read loses its socket', async () => {
    const codes: number[] = []
    const errors: unknown[] = []
    const world = new TunnelWorld({
      websocket: {
        maxBuffered: 1_000_000,
        open: (socket) => {
          socket.on('close', (code) => codes.push(code))
          for (let i = 0; i < 200; i++) socket.send(new Uint8Array(50_000), (error) => errors.push(error))
        },
      },
    })
    const session = await world.connected()
    const socket = await world.run(session.websocket('/'), 5_000).catch(() => undefined)
    socket?.pause()
    await world.pass(2_000)
    expect(codes).toEqual([1_006])
    expect(errors.some((error) => error instanceof Error)).toBe(true)
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('attack: pings without end from a client that reads no pong end with its socket', async () => {
    const codes: number[] = []
    const world = new TunnelWorld({
      websocket: { open: (socket) => void socket.on('close', (code) => codes.push(code)) },
    })
    const session = await world.connected()
    const { stream } = await world.run(session.connectTunnel({ protocol: 'websocket', path: '/' }), 5_000)
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)])
    const burst = Buffer.concat(Array.from({ length: 400 }, () => ping))
    for (let round = 0; round < 400 && codes.length === 0; round++) {
      if (!stream.destroyed) stream.write(burst)
      await world.pass(50)
    }
    expect(codes).toEqual([1_006])
    await world.expectNothingLeft(session)
  })

  test('attack: a message in countless fragments ends with its socket', async () => {
    const logs: SocketLog[] = []
    const world = new TunnelWorld({ websocket: (socket) => void logs.push(new SocketLog(socket)) })
    const session = await world.connected()
    const { stream } = await world.run(session.connectTunnel({ protocol: 'websocket', path: '/' }), 5_000)
    const fragment = Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x61])
    stream.write(Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x61]))
    stream.write(Buffer.concat(Array.from({ length: 20_000 }, () => fragment)))
    const frames: Buffer[] = []
    stream.on('data', (bytes) => frames.push(bytes))
    await world.pass(2_000)
    // Close, with code 1008.
    expect(Buffer.concat(frames)).toEqual(Buffer.from([0x88, 2, 0x03, 0xf0]))
    expect(logs[0]!.events).toEqual(['error Too many message fragments'])
    stream.end()
    await world.pass(1_000)
    expect(logs[0]!.closed?.code).toBe(1_006)
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })
})
