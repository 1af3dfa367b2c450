// Attacks on HTTP/3 and QPACK that no other file of this folder makes, by row of the table in docs/limits.md: a hostile
// client against a whole endpoint, and what bounds it.
import { describe, expect, test } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { type H3Connection, H3ErrorCode } from '../../src/http3/index.ts'
import {
  GLITCH_BUDGET,
  HEAD_DEADLINE,
  MAX_FIELD_COUNT,
  MAX_FIELD_SECTION_SIZE,
  MAX_OUTSTANDING_SECTIONS,
  MAX_SETTINGS_PAYLOAD,
  MAX_UNUSED_ENCODER_BYTES,
} from '../../src/http3/limits.ts'
import type { ScriptedStream } from '../leaks/scripted-peer.ts'
import {
  data,
  frame,
  get,
  getFields,
  headers,
  hex,
  post,
  postFields,
  Session,
  varint,
} from '../unit/http3/session.ts'
import { echo, Http3Peer, ok } from './http3-peer.ts'

const empty = new Uint8Array(0)
const never: ExchangeHandler = () => new Promise(() => {})

/** Repeats something until the server closes the connection; returns how often that was. */
async function untilClosed(peer: Http3Peer, act: () => void, most: number): Promise<number> {
  for (let count = 1; count <= most; count++) {
    act()
    if (count % 5 === 0) await peer.settle(30)
    if (peer.peer.closing !== undefined) return count
  }
  throw new Error(`the server bears ${most} of it`)
}

async function expectExcessiveLoad(peer: Http3Peer): Promise<void> {
  await peer.settle()
  expect(peer.peer.closing).toMatchObject({
    code: H3ErrorCode.H3_EXCESSIVE_LOAD,
    isApplication: true,
    isLocal: false,
  })
  // Handlers that were cancelled have a second of grace.
  await peer.settle(2_000)
  await peer.finish()
}

describe('row 86: rapid reset (CVE-2023-44487)', () => {
  test('requests that are cancelled at once end the connection, and never more run than streams are allowed', async () => {
    let running = 0
    let most = 0
    const waiting: ExchangeHandler = (exchange) => {
      most = Math.max(most, ++running)
      return new Promise((resolve) => {
        exchange.onCancel = () => {
          running--
          resolve()
        }
      })
    }
    const peer = await Http3Peer.begin(waiting)
    peer.control()
    let sent = 0
    while (peer.peer.closing === undefined && sent < 3_000) {
      const burst = Array.from({ length: Math.min(20, peer.peer.credit) }, () => peer.request(get))
      await peer.settle(15)
      for (const request of burst) request.reset().stop()
      await peer.settle(15)
      sent += burst.length
    }
    expect(sent).toBeGreaterThan(200)
    expect(sent).toBeLessThan(2_000)
    expect([most > 10, most <= 100]).toEqual([true, true])
    await expectExcessiveLoad(peer)
  })

  test('a client that cancels now and then is none', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    for (let count = 0; count < 1_500; count++) {
      const request = peer.request(get)
      if (count % 4 === 0) request.reset().stop()
      await peer.settle(25)
    }
    await peer.expectAlive()
  })
})

describe('row 87: requests that make the server reset (CVE-2025-8671)', () => {
  test('malformed ones end the connection', async () => {
    const peer = await Http3Peer.begin(echo)
    peer.control()
    const bad = headers([...postFields, 'content-length', '1'])
    expect(await untilClosed(peer, () => peer.request(bad), 3_000)).toBeLessThan(GLITCH_BUDGET * 1.4)
    await expectExcessiveLoad(peer)
  })

  test('stream credit comes back only when the handler has ended', async () => {
    const peer = await Http3Peer.begin(never)
    peer.control()
    const { credit } = peer.peer
    const requests = Array.from({ length: credit }, () => peer.request(get))
    await peer.settle()
    for (const request of requests) request.reset().stop()
    await peer.settle(5_000)
    expect(peer.peer.credit).toBe(0)
    expect(peer.world.status().handlers.live).toBe(credit)
  })
})

describe('row 88: few bytes, many fields (CVE-2026-49975)', () => {
  test.each([
    ['one byte per field', 0xdf, MAX_FIELD_COUNT + 1],
    ['a cookie in crumbs', 0xc5, MAX_FIELD_COUNT + 1],
  ])('%s: refused at the count, before a handler is asked', async (_name, byte, count) => {
    const peer = await Http3Peer.begin()
    peer.control()
    const request = peer.request(
      frame(
        0x01,
        Buffer.concat([hex('0000d1d7c15009'), Buffer.from('a.example'), Buffer.alloc(count, byte)]),
      ),
    )
    await peer.settle()
    expect([request.isFinished, peer.world.server.counters.handlersStarted]).toEqual([true, 0])
    await peer.expectAlive()
  })
})

describe('rows 93 and 94: a table that is written and never used (CVE-2026-100662, CVE-2026-100660)', () => {
  test('insertions without a section that needs them end the connection', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const table = peer.uni(hex('023fe11f'))
    const insert = Buffer.concat([hex('43782d617f81'), hex('05'), Buffer.alloc(768, 0x62)])
    const count = await untilClosed(peer, () => void table.stream.write(insert), 1_000)
    expect(count * insert.length).toBeLessThan(MAX_UNUSED_ENCODER_BYTES * 1.2)
    await expectExcessiveLoad(peer)
  })

  test('a client that never acknowledges our sections costs a bounded number of records', async () => {
    let value = 0
    const peer = await Http3Peer.begin((exchange) =>
      exchange.respond(200, ['x-new', `value ${value++ % 40}`]),
    )
    // Table of 4,096 bytes, 100 streams may be blocked.
    peer.uni(Buffer.concat([varint(0), frame(0x04, hex('015000074064'))]))
    const [entry] = peer.world.server.entries
    for (let count = 0; count < MAX_OUTSTANDING_SECTIONS + 200; count++) {
      peer.request(get)
      await peer.settle(25)
    }
    const { writer } = entry!.supervisor.application as unknown as H3Connection
    expect(writer.encoder.outstandingSections).toBeGreaterThan(10)
    expect(writer.encoder.outstandingSections).toBeLessThanOrEqual(MAX_OUTSTANDING_SECTIONS)
    await peer.expectAlive()
  })
})

describe('row 95: blocked streams at the limit (CVE-2026-48748)', () => {
  const blocked = frame(0x01, Buffer.concat([hex('0200d1d7c15009'), Buffer.from('a.example'), hex('80')]))

  test.each([0, 1, 3])('%d may wait, one more may not', (limit) => {
    const session = new Session('server', { qpack: { maxTableCapacity: 4_096, blockedStreams: limit } })
    for (let count = 0; count < limit; count++) session.request(blocked, true, count * 4)
    expect(session.error).toBeUndefined()
    session.request(blocked, true, limit * 4)
    expect(session.error).toBe(H3ErrorCode.QPACK_DECOMPRESSION_FAILED)
  })
})

describe('row 99: integers that overflow (CVE-2023-36478)', () => {
  test.each([
    ['a literal length', frame(0x01, hex('0000517fffffffffffffffffff01'))],
    ['a static index', frame(0x01, hex('0000ffffffffffffffffffff7f'))],
    ['a Required Insert Count', frame(0x01, hex('ffffffffffffffffffff7f00'))],
  ])('in %s: QPACK_DECOMPRESSION_FAILED', async (_name, bytes) => {
    const peer = await Http3Peer.begin()
    peer.control()
    peer.request(bytes)
    await peer.expectClose(H3ErrorCode.QPACK_DECOMPRESSION_FAILED)
  })
})

describe('rows 100, 102, 103 and 113: floods of frames', () => {
  const onRequests: [string, Uint8Array][] = [
    ['unknown frames without content', frame(0x21, empty)],
    ['empty DATA frames', data('')],
  ]

  test.each(onRequests)('%s on a request end the connection', async (_name, bytes) => {
    const peer = await Http3Peer.begin(never)
    peer.control()
    const request = peer.request(post, false)
    const many = Buffer.concat(Array(50).fill(bytes))
    expect(await untilClosed(peer, () => void request.stream.write(many), 100)).toBeLessThan(30)
    await peer.settle()
    expect(peer.peer.closing).toMatchObject({ code: H3ErrorCode.H3_EXCESSIVE_LOAD })
  })

  const onControl: [string, Uint8Array][] = [
    ['unknown frames', frame(0x21, hex('00'))],
    ['PRIORITY_UPDATE', frame(0xf0700, Buffer.concat([varint(4), Buffer.from('u=1')]))],
    ['GOAWAY', frame(0x07, varint(0))],
    ['MAX_PUSH_ID', frame(0x0d, varint(7))],
  ]

  test.each(onControl)('%s on the control stream end the connection', async (_name, bytes) => {
    const peer = await Http3Peer.begin()
    const control = peer.control()
    const many = Buffer.concat(Array(50).fill(bytes))
    expect(await untilClosed(peer, () => void control.stream.write(many), 100)).toBeLessThan(30)
    await expectExcessiveLoad(peer)
  })

  test('streams of unknown types end the connection', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const open = (): void => {
      const stream = peer.peer.connection.openStream('uni')
      stream?.write(varint(0x21))
      stream?.end()
    }
    expect(await untilClosed(peer, open, 3_000)).toBeGreaterThan(500)
    await expectExcessiveLoad(peer)
  })

  test('SETTINGS larger than the cap are refused by their header', async () => {
    const peer = await Http3Peer.begin()
    peer.uni(Buffer.concat([varint(0), varint(0x04), varint(MAX_SETTINGS_PAYLOAD + 1)]))
    await peer.expectClose(H3ErrorCode.H3_EXCESSIVE_LOAD)
  })

  test('gigabytes that are only declared cost nothing', async () => {
    const peer = await Http3Peer.begin(never)
    peer.control(Buffer.concat([varint(0x21), varint(2 ** 40)]))
    await peer.settle()
    // A point for every 16 KiB that is announced.
    await expectExcessiveLoad(peer)
  })
})

describe('row 85: heads that drip', () => {
  async function drip(peer: Http3Peer, request: ScriptedStream, bytes: Uint8Array): Promise<number> {
    for (let offset = 0; offset < bytes.length; offset++) {
      if (request.isFinished || request.stopCode !== undefined) return offset
      request.stream.write(bytes.subarray(offset, offset + 1))
      await peer.settle(1_000)
    }
    return bytes.length
  }

  test('a head that is not complete in time is answered with 408, and its connection goes on', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const request = peer.peer.open()
    const head = headers([...getFields, 'x-long', 'y'.repeat(100)])
    const sent = await drip(peer, request, head)
    expect(sent * 1_000).toBeGreaterThan(HEAD_DEADLINE - 2_000)
    expect(sent * 1_000).toBeLessThan(HEAD_DEADLINE + 4_000)
    expect(peer.world.server.counters.handlersStarted).toBe(0)
    request.reset()
    await peer.expectAlive()
  })

  test('a head that waits for a dynamic table for ever is given up, too', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const request = peer.request(
      frame(0x01, Buffer.concat([hex('0200d1d7c15009'), Buffer.from('a.example'), hex('80')])),
    )
    for (let time = 0; time < HEAD_DEADLINE + 3_000; time += 1_000) {
      peer.uni(Buffer.of(0x40))
      await peer.settle(1_000)
    }
    expect(request.isFinished).toBe(true)
    await peer.expectAlive()
  })
})

describe('row 101: a limit without being asked for (CVE-2026-44892)', () => {
  test('both roles announce and keep one', () => {
    for (const role of ['client', 'server'] as const) {
      const { h3 } = new Session(role)
      expect([h3.settings.maxFieldSectionSize, h3.maxFieldSectionSize]).toEqual([
        MAX_FIELD_SECTION_SIZE,
        MAX_FIELD_SECTION_SIZE,
      ])
    }
  })
})

describe('rows 104 and 105: cancelled at every point (CVE-2024-45403, CVE-2026-73512)', () => {
  const bytes = Buffer.concat([post, data('some body'), headers(['x', 'y'])])

  test('a request that is reset after each of its bytes leaves nothing', async () => {
    const peer = await Http3Peer.begin(echo)
    peer.control()
    for (let cut = 0; cut <= bytes.length; cut++) {
      const request = peer.request(bytes.subarray(0, cut), false)
      if (cut % 3 > 0) await peer.settle(15)
      request.reset()
      if (cut % 2 === 0) request.stop()
    }
    await peer.settle(2_000)
    await peer.expectAlive()
  })
})

describe('row 110: an empty field name (CVE-2023-25725)', () => {
  test('is malformed, and hides nothing behind it', async () => {
    const peer = await Http3Peer.begin(ok)
    peer.control()
    const section = Buffer.concat([hex('0000d1d7c15009'), Buffer.from('a.example'), hex('200162')])
    await peer.expectReset(peer.request(frame(0x01, section)), H3ErrorCode.H3_MESSAGE_ERROR)
  })
})
