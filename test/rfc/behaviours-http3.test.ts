// Behaviours 45 to 50 of HTTP/3 that other stacks assert, against a whole endpoint: what a client may see from outside.
import { describe, expect, test } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { sleep } from '../sim/order.ts'
import { data, frame, get, getFields, headers, hex, post, postFields, varint } from '../unit/http3/session.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'
import { echo, Http3Peer } from './http3-peer.ts'

const empty = new Uint8Array(0)
const criticalTypes: [string, Uint8Array][] = [
  ['control', Buffer.concat([varint(0), frame(0x04, empty)])],
  ['QPACK encoder', varint(2)],
  ['QPACK decoder', varint(3)],
]

describe('45 critical streams (RFC 9114 sections 6.2 and 6.2.1)', () => {
  test.each(criticalTypes)('45 a second %s stream is H3_STREAM_CREATION_ERROR', async (_name, bytes) => {
    const peer = await Http3Peer.begin()
    peer.uni(bytes)
    peer.uni(bytes.subarray(0, 1))
    await peer.expectClose(H3ErrorCode.H3_STREAM_CREATION_ERROR)
  })

  test.each(criticalTypes)(
    '45 FIN of the %s stream, right after its type: H3_CLOSED_CRITICAL_STREAM',
    async (_name, bytes) => {
      const peer = await Http3Peer.begin()
      peer.uni(bytes.subarray(0, 1), true)
      await peer.expectClose(H3ErrorCode.H3_CLOSED_CRITICAL_STREAM)
    },
  )

  test.each(criticalTypes)(
    '45 reset of the %s stream, right after its type: H3_CLOSED_CRITICAL_STREAM',
    async (_name, bytes) => {
      const peer = await Http3Peer.begin()
      const stream = peer.uni(bytes.subarray(0, 1))
      await peer.settle()
      stream.reset(0x100)
      await peer.expectClose(H3ErrorCode.H3_CLOSED_CRITICAL_STREAM)
    },
  )

  test('45 a stream of another type may be closed and reset at any point', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    peer.uni(empty, true)
    peer.uni(hex('40'), true)
    peer.uni(varint(0x21), true)
    peer.uni(hex('40')).reset(0)
    await peer.expectAlive()
  })
})

describe('46 where frames may be (RFC 9114 sections 7.2 and 7.2.8)', () => {
  const misplaced: [string, Uint8Array][] = [
    ['SETTINGS', frame(0x04, empty)],
    ['GOAWAY', frame(0x07, varint(0))],
    ['MAX_PUSH_ID', frame(0x0d, varint(0))],
    ['CANCEL_PUSH', frame(0x03, varint(0))],
    ['PUSH_PROMISE of a client', frame(0x05, hex('000000'))],
    ['PRIORITY_UPDATE', frame(0xf0700, varint(0))],
    ...[0x02, 0x06, 0x08, 0x09].map((type): [string, Uint8Array] => [
      `HTTP/2 type ${type}`,
      frame(type, empty),
    ]),
  ]

  test.each(misplaced)('46 %s on a request stream: H3_FRAME_UNEXPECTED', async (_name, bytes) => {
    const peer = await Http3Peer.begin()
    peer.control()
    peer.request(Buffer.concat([post, bytes]), false)
    await peer.expectClose(H3ErrorCode.H3_FRAME_UNEXPECTED)
  })

  test.each([0x00, 0x01, 0x05, 0x02, 0x06, 0x08, 0x09])(
    '46 type %d on the control stream: H3_FRAME_UNEXPECTED',
    async (type) => {
      const peer = await Http3Peer.begin()
      peer.control(frame(type, empty))
      await peer.expectClose(H3ErrorCode.H3_FRAME_UNEXPECTED)
    },
  )
})

describe('47 malformed messages end their stream (RFC 9114 sections 4.1.2 to 4.4)', () => {
  const line = (name: string, value: string): Buffer => headers([...getFields, name, value])
  const malformed: [string, Uint8Array][] = [
    ['a repeated pseudo-header field', headers([...getFields, ':path', '/'])],
    ['an unknown pseudo-header field', headers([':own', 'x', ...getFields])],
    ['a pseudo-header field of responses', headers([':status', '200', ...getFields])],
    ['upper case', line('X-Upper', 'x')],
    ['connection', line('connection', 'close')],
    ['keep-alive', line('keep-alive', 'timeout=5')],
    ['proxy-connection', line('proxy-connection', 'close')],
    ['transfer-encoding', line('transfer-encoding', 'chunked')],
    ['upgrade', line('upgrade', 'h2c')],
    ['te: gzip', line('te', 'gzip')],
    ['host and :authority that differ', line('host', 'b.example')],
    ['content-length with HEADERS and FIN', line('content-length', '1')],
    [
      'a body that is too short',
      Buffer.concat([headers([...postFields, 'content-length', '5']), data('abc')]),
    ],
    [
      'a body that is too long',
      Buffer.concat([headers([...postFields, 'content-length', '2']), data('abc')]),
    ],
    [
      'a body that is too short, with trailers',
      Buffer.concat([headers([...postFields, 'content-length', '5']), data('abc'), headers(['x', 'y'])]),
    ],
    ['a pseudo-header field in trailers', Buffer.concat([post, data('a'), headers([':path', '/'])])],
    ['CONNECT with :path', headers([':method', 'CONNECT', ':authority', 'a.example', ':path', '/'])],
    ['CONNECT without :authority', headers([':method', 'CONNECT'])],
    [
      'a path that is empty',
      headers([':method', 'GET', ':scheme', 'https', ':authority', 'a.example', ':path', '']),
    ],
  ]

  test.each(malformed)('47 %s: H3_MESSAGE_ERROR', async (_name, bytes) => {
    const peer = await Http3Peer.begin(echo)
    peer.control()
    await peer.expectReset(peer.request(bytes), H3ErrorCode.H3_MESSAGE_ERROR)
  })
})

describe('48 frames that are cut, and what is unknown (RFC 9114 sections 7.1 and 9)', () => {
  test.each([
    ['HEADERS', get.subarray(0, get.length - 1)],
    ['DATA', Buffer.concat([post, hex('000561')])],
    ['an unknown frame', Buffer.concat([get, hex('210561')])],
    ['a frame header', Buffer.concat([get, hex('40')])],
  ] as [string, Uint8Array][])('48 %s cut by the FIN: H3_FRAME_ERROR', async (_name, bytes) => {
    const peer = await Http3Peer.begin()
    peer.control()
    peer.request(bytes)
    await peer.expectClose(H3ErrorCode.H3_FRAME_ERROR)
  })

  const grease = (bytes: number): Buffer => frame(0x1f * 3 + 0x21, Buffer.alloc(bytes, 0x41))

  test('48 unknown frames between all others change nothing, wherever the packets cut them', async () => {
    const pieces = [
      grease(0),
      post,
      grease(3),
      data('ab'),
      grease(70),
      data('c'),
      headers(['x', 'y']),
      grease(1),
    ]
    const bytes = Buffer.concat(pieces)
    const peer = await Http3Peer.begin(echo)
    peer.control(grease(5))
    const requests = [1, 2, 3, 5, 7, 11, 13].map((step) => {
      const request = peer.peer.open()
      return { request, step, sent: 0 }
    })
    for (let left = true; left; ) {
      left = false
      for (const one of requests) {
        if (one.sent >= bytes.length) continue
        one.request.stream.write(bytes.subarray(one.sent, one.sent + one.step))
        one.sent += one.step
        if (one.sent >= bytes.length) one.request.end()
        left = true
      }
      await peer.settle(1)
    }
    await peer.settle()
    for (const { request } of requests) {
      expect(request.isFinished).toBe(true)
      expect(Buffer.concat(request.chunks).toString('latin1')).toContain('x|yabc')
    }
    await peer.expectAlive()
  })

  test('48 a megabyte of an unknown frame leaves nothing behind in the server', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const request = peer.request(get, false)
    request.stream.write(grease(1_000_000))
    for (let step = 0; step < 20; step++) {
      await peer.settle(20)
      expect(peer.world.status().buffers.receiveBytes).toBeLessThan(70_000)
    }
    request.end()
    await peer.expectAlive()
  })

  test('48 streams of unknown types are stopped, and cost nothing', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const stream = peer.uni(Buffer.concat([varint(0x21), Buffer.alloc(50_000)]))
    await peer.settle()
    expect(stream.stopCode).toBe(H3ErrorCode.H3_STREAM_CREATION_ERROR)
    expect(peer.world.status().buffers.receiveBytes).toBe(0)
    await peer.expectAlive()
  })
})

describe('49 GOAWAY and early responses (RFC 9114 sections 4.1 and 5.2)', () => {
  test('49 the server finishes what it accepted and rejects later requests with H3_REQUEST_REJECTED', async () => {
    const slow: ExchangeHandler = async (exchange) => {
      await sleep(peer.world.clock, 3_000)
      exchange.respond(200, [], 'done')
    }
    const peer = await Http3Peer.begin(slow)
    peer.control()
    const accepted = peer.request(get)
    await peer.settle()
    const closed = peer.world.server.close()
    await peer.settle(1_500)
    const late = peer.request(get)
    await peer.settle()
    expect(late.resetCode).toBe(H3ErrorCode.H3_REQUEST_REJECTED)
    expect(await peer.world.run(closed, 30_000)).toEqual({ finished: 1, cut: 0 })
    expect([accepted.isFinished, accepted.resetCode]).toEqual([true, undefined])
    await peer.settle(5_000)
    expect(peer.peer.closing).toMatchObject({ code: H3ErrorCode.H3_NO_ERROR })
  })

  test('49 the IDs of a server never increase, and a client takes no larger one', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    await world.run(session.request(), 1_000)
    const [entry] = world.server.entries
    const h3 = entry!.supervisor.application as unknown as { goaway(id?: number): void }
    h3.goaway(8)
    h3.goaway(400)
    await world.pass(100)
    expect([session.isUsable, session.waitingRequests]).toEqual([false, 0])
    await expect(session.request()).rejects.toMatchObject({ kind: 'rejected' })
    Reflect.set(h3, 'sentGoaway', Number.POSITIVE_INFINITY)
    h3.goaway(400)
    await world.pass(100)
    expect((await session.closed).code).toBe(H3ErrorCode.H3_ID_ERROR)
  })

  test('49 GOAWAY of a client names a push, may come before everything else, and must not increase', async () => {
    const peer = await Http3Peer.begin()
    peer.control(Buffer.concat([frame(0x07, varint(5)), frame(0x07, varint(0))]))
    const answered = peer.request(get)
    await peer.settle()
    expect(answered.isFinished).toBe(true)
    const other = await Http3Peer.begin()
    other.control(Buffer.concat([frame(0x07, varint(0)), frame(0x07, varint(1))]))
    await other.expectClose(H3ErrorCode.H3_ID_ERROR)
    await peer.expectAlive()
  })

  test('49 an early response stops the rest of the request with H3_NO_ERROR', async () => {
    const peer = await Http3Peer.begin((exchange) => exchange.respond(413, [], 'too much'))
    peer.control()
    const request = peer.request(post, false)
    request.sendData(20_000)
    await peer.settle()
    expect([request.stopCode, request.resetCode, request.isFinished]).toEqual([
      H3ErrorCode.H3_NO_ERROR,
      undefined,
      true,
    ])
    await peer.expectAlive()
  })
})

describe('50 shapes of responses, and priorities (RFC 9114 section 4.1, RFC 9218 section 7.2)', () => {
  const shapes: ExchangeHandler = async (exchange) => {
    if (exchange.path === '/hints') {
      exchange.inform(103, ['link', '</a.css>; rel=preload'])
      exchange.begin(200)
      exchange.write('body')
      exchange.sendTrailers(['x-sum', '4'])
      return exchange.end()
    }
    exchange.respond(Number(exchange.path.slice(1)), ['x-a', 'b'], 'body')
  }

  test('50 1xx before the final head, body, trailers', async () => {
    const world = new SupervisedWorld(shapes)
    const session = await world.connected()
    const hints: number[] = []
    const onInformational = (status: number): void => void hints.push(status)
    const response = await world.run(session.request({ path: '/hints', onInformational }), 1_000)
    expect(await world.run(response.text(), 1_000)).toBe('body')
    expect([hints, response.status, response.trailers]).toEqual([[103], 200, ['x-sum', '4']])
  })

  test.each([
    ['HEAD', '/200', 200],
    ['GET', '/204', 204],
    ['GET', '/304', 304],
  ])('50 %s %s has no body', async (method, path, status) => {
    const world = new SupervisedWorld(shapes)
    const session = await world.connected()
    const response = await world.run(session.request({ method, path }), 1_000)
    expect([response.status, response.header('x-a')]).toEqual([status, 'b'])
    expect(await world.run(response.bytes(), 1_000)).toHaveLength(0)
  })

  test('50 a handler cannot send a body before its head: its stream is reset', async () => {
    const peer = await Http3Peer.begin((exchange) => void exchange.write('too early'))
    peer.control()
    const request = peer.request(get)
    await peer.settle()
    expect([request.resetCode, request.received]).toEqual([H3ErrorCode.H3_INTERNAL_ERROR, 0])
    await peer.finish()
  })

  test.each([
    ['of 257 bytes', frame(0xf0700, Buffer.alloc(257)), H3ErrorCode.H3_EXCESSIVE_LOAD],
    ['for a stream that is no request', frame(0xf0700, varint(2)), H3ErrorCode.H3_ID_ERROR],
    ['for a stream beyond the limit', frame(0xf0700, varint(4_000)), H3ErrorCode.H3_ID_ERROR],
    ['for a push', frame(0xf0701, varint(0)), H3ErrorCode.H3_ID_ERROR],
    ['without an identifier', frame(0xf0700, empty), H3ErrorCode.H3_FRAME_ERROR],
  ])('50 PRIORITY_UPDATE %s', async (_name, bytes, code) => {
    const peer = await Http3Peer.begin()
    peer.control(bytes)
    await peer.expectClose(code)
  })

  test('50 PRIORITY_UPDATE before its request, and one that does not parse, are no errors', async () => {
    const peer = await Http3Peer.begin()
    const updates = ['u=1, i', 'nonsense!', ''].map((value, index) =>
      frame(0xf0700, Buffer.concat([varint(4 * index), Buffer.from(value)])),
    )
    peer.control(Buffer.concat(updates))
    await peer.expectAlive()
  })
})
