// Behaviours 51 to 53 of QPACK that other stacks assert, against a whole endpoint. The bytes are written by hand here, not
// by our encoder.
import { describe, expect, test } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { MAX_BLOCKED_STREAMS, MAX_FIELD_COUNT } from '../../src/http3/limits.ts'
import type { ScriptedStream } from '../leaks/scripted-peer.ts'
import { data, frame, hex, post } from '../unit/http3/session.ts'
import { echo, Http3Peer } from './http3-peer.ts'

const { QPACK_DECOMPRESSION_FAILED, QPACK_ENCODER_STREAM_ERROR, QPACK_DECODER_STREAM_ERROR } = H3ErrorCode

/** Integer with a prefix (RFC 7541 section 5.1). */
function integer(pattern: number, bits: number, value: number): Buffer {
  const most = 2 ** bits - 1
  if (value < most) return Buffer.of(pattern | value)
  const bytes = [pattern | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

const encoderStream = Buffer.of(0x02)
const capacity = (bytes: number): Buffer => integer(0x20, 5, bytes)
const insert = (name: string, value: string): Buffer =>
  Buffer.concat([
    integer(0x40, 5, name.length),
    Buffer.from(name),
    integer(0, 7, value.length),
    Buffer.from(value),
  ])

/** :method GET, :scheme https, :path /, :authority a.example from the static table. */
const pseudo = Buffer.concat([hex('d1d7c15009'), Buffer.from('a.example')])
const MAX_ENTRIES = 4_096 / 32

/** A section that needs `required` insertions, with Base at the same place. */
function section(required: number, ...lines: Uint8Array[]): Buffer {
  const prefix = integer(0, 8, required === 0 ? 0 : (required % (2 * MAX_ENTRIES)) + 1)
  return Buffer.concat([prefix, Buffer.of(0), ...lines])
}

/** A request whose last field is the latest insertion of `required`. */
const needing = (required: number): Buffer => frame(0x01, section(required, pseudo, Buffer.of(0x80)))

/** Answers with the field x-a. */
const tell: ExchangeHandler = (exchange) => exchange.respond(200, [], `x-a is ${exchange.header('x-a')}`)

function textOf(request: ScriptedStream): string {
  return Buffer.concat(request.chunks).toString('latin1')
}

/** What the server has sent on its decoder stream, behind the type. */
function decoderStreamOf(peer: Http3Peer): Buffer {
  const stream = peer.peer.connection.streams.get(11)!.application as ScriptedStream
  return Buffer.concat(stream.chunks).subarray(1)
}

describe('51 blocked streams (RFC 9204 sections 2.1.2 and 2.2.2.2)', () => {
  test('51 as many as announced may wait, one more is QPACK_DECOMPRESSION_FAILED', async () => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    for (let count = 0; count < MAX_BLOCKED_STREAMS; count++) peer.request(needing(1))
    await peer.settle()
    expect([peer.peer.closing, peer.world.server.counters.handlersStarted]).toEqual([undefined, 0])
    peer.request(needing(1))
    await peer.expectClose(QPACK_DECOMPRESSION_FAILED)
  })

  test('51 they go on when the table has what they need, in whatever order it comes', async () => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    const requests = [3, 1, 2].map((required) => peer.request(needing(required)))
    await peer.settle()
    const table = peer.uni(Buffer.concat([encoderStream, capacity(4_096)]))
    for (const value of ['one', 'two', 'three']) {
      table.stream.write(insert('x-a', value))
      await peer.settle()
    }
    expect(requests.map(textOf)).toEqual(
      ['three', 'one', 'two'].map((value) => expect.stringContaining(`x-a is ${value}`)),
    )
    // Section acknowledgments of streams 4, 8 and 0, in the order of decoding.
    expect([...decoderStreamOf(peer)].filter((byte) => byte >= 0x80)).toEqual([0x84, 0x88, 0x80])
    await peer.expectAlive()
  })

  test('51 trailers may be blocked too, and wait for the table', async () => {
    const peer = await Http3Peer.begin(echo)
    peer.control()
    const request = peer.request(
      Buffer.concat([post, data('body '), frame(0x01, section(1, Buffer.of(0x80)))]),
    )
    await peer.settle()
    expect(request.received).toBe(0)
    peer.uni(Buffer.concat([encoderStream, capacity(100), insert('x-t', 'late')]))
    await peer.settle()
    expect(textOf(request)).toContain('x-t|latebody ')
    await peer.expectAlive()
  })

  test('51 a blocked stream that is reset is cancelled on the decoder stream, and its place is free again', async () => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    const blocked = Array.from({ length: MAX_BLOCKED_STREAMS }, () => peer.request(needing(1), false))
    await peer.settle()
    blocked[3]!.reset()
    await peer.settle()
    expect([...decoderStreamOf(peer)]).toEqual([0x40 | (3 * 4)])
    peer.request(needing(1))
    await peer.settle()
    expect(peer.peer.closing).toBeUndefined()
    peer.uni(Buffer.concat([encoderStream, capacity(100), insert('x-a', 'now')]))
    await peer.settle()
    for (const request of blocked) request.end()
    expect(textOf(blocked[0]!)).toContain('x-a is now')
    await peer.expectAlive()
  })
})

describe('52 three error codes (RFC 9204 sections 2.2.3, 4.4.3, 4.5.1 and 6)', () => {
  const table = Buffer.concat([encoderStream, capacity(4_096), insert('x-a', 'b')])
  const small = Buffer.concat([encoderStream, capacity(64), insert('x-a', 'b'), insert('x-a', 'c')])
  const badSections: [string, Uint8Array, Uint8Array][] = [
    ['a Required Insert Count out of range', table, hex('ff2d00')],
    ['a Required Insert Count beyond all that may have been inserted', table, hex('a000')],
    ['a Base below zero', table, hex('0281')],
    ['an entry behind Base that was never inserted', table, section(1, hex('81'))],
    ['an entry at or beyond the Required Insert Count', table, Buffer.concat([hex('0201'), hex('80')])],
    ['a post-base entry beyond the Required Insert Count', table, section(1, hex('10'))],
    ['a name beyond the table', table, section(1, hex('4f0100'))],
    ['an evicted entry', small, section(2, hex('81'))],
    ['a reference without Required Insert Count', table, section(0, hex('80'))],
  ]

  test.each(badSections)('52 %s: QPACK_DECOMPRESSION_FAILED', async (_name, encoder, bytes) => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    peer.uni(encoder)
    await peer.settle()
    peer.request(frame(0x01, bytes))
    await peer.expectClose(QPACK_DECOMPRESSION_FAILED)
  })

  const badInstructions: [string, Uint8Array][] = [
    ['a capacity above the maximum', capacity(4_097)],
    ['an insertion while the capacity is zero', insert('x-a', 'b')],
    ['an entry larger than the capacity', Buffer.concat([capacity(64), insert('x-a', 'b'.repeat(30))])],
    ['a copy of an entry that is not there', Buffer.concat([capacity(64), hex('00')])],
    ['a dynamic name that is not there', Buffer.concat([capacity(64), hex('800162')])],
    ['a static name that is not there', Buffer.concat([capacity(64), hex('ff240162')])],
    ['a length that would take gigabytes', Buffer.concat([capacity(64), hex('5fffffffff7f')])],
    ['an integer that never ends', Buffer.concat([hex('3f'), Buffer.alloc(20, 0x80)])],
  ]

  test.each(badInstructions)('52 %s: QPACK_ENCODER_STREAM_ERROR', async (_name, bytes) => {
    const peer = await Http3Peer.begin(tell)
    peer.uni(Buffer.concat([encoderStream, bytes]))
    await peer.expectClose(QPACK_ENCODER_STREAM_ERROR)
  })

  test.each([
    ['an Insert Count Increment of 0', '00'],
    ['an increment beyond what was sent', '3f21'],
    ['the acknowledgment of a section that was never sent', '80'],
  ])('52 %s: QPACK_DECODER_STREAM_ERROR', async (_name, bytes) => {
    const peer = await Http3Peer.begin(tell)
    peer.uni(Buffer.concat([Buffer.of(0x03), hex(bytes)]))
    await peer.expectClose(QPACK_DECODER_STREAM_ERROR)
  })

  test('52 the Required Insert Count wraps: the 300th insertion is found', async () => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    const inserts = Array.from({ length: 300 }, (_, index) => insert('x-a', String(index)))
    peer.uni(Buffer.concat([encoderStream, capacity(200), ...inserts]))
    await peer.settle()
    const request = peer.request(needing(300))
    await peer.settle()
    expect(textOf(request)).toContain('x-a is 299')
    await peer.expectAlive()
  })
})

describe('53 the budget of field sections (RFC 9114 section 4.2.2, RFC 9204 section 7.3)', () => {
  const long = Buffer.concat([encoderStream, capacity(4_096), insert('x-a', 'b'.repeat(3_000))])
  const many = Buffer.alloc(MAX_FIELD_COUNT + 1, 0xdf)
  const sections: [string, Uint8Array, (start: Uint8Array) => Uint8Array][] = [
    [
      'one entry of the dynamic table, again and again',
      long,
      (start) => section(1, start, Buffer.alloc(20, 0x80)),
    ],
    ['one byte per field', encoderStream, (start) => section(0, start, many)],
    [
      'a Huffman string that grows',
      encoderStream,
      (start) => section(0, start, hex('2178'), integer(0x80, 7, 21_000), Buffer.alloc(21_000)),
    ],
    [
      'a literal that is declared to be longer than everything',
      encoderStream,
      (start) => section(0, start, hex('2178'), integer(0x00, 7, 2 ** 31), Buffer.alloc(30_000)),
    ],
  ]

  test.each(sections.slice(0, 3))(
    '53 %s, in a head: 431 before anybody is asked',
    async (_name, encoder, build) => {
      const peer = await Http3Peer.begin(tell)
      peer.control()
      peer.uni(encoder)
      await peer.settle()
      const request = peer.request(frame(0x01, build(pseudo)))
      await peer.settle()
      expect(peer.peer.closing).toBeUndefined()
      expect(peer.world.server.counters.handlersStarted).toBe(0)
      expect(request.isFinished).toBe(true)
      // A HEADERS frame: the answer is 431 (see test/unit/http3).
      expect(request.chunks[0]![0]).toBe(0x01)
      await peer.expectAlive()
    },
  )

  test.each(sections.slice(0, 3))(
    '53 %s, in trailers: the stream is reset',
    async (_name, encoder, build) => {
      const peer = await Http3Peer.begin(echo)
      peer.control()
      peer.uni(encoder)
      await peer.settle()
      const request = peer.request(Buffer.concat([post, data('a'), frame(0x01, build(new Uint8Array(0)))]))
      await peer.expectReset(request, H3ErrorCode.H3_EXCESSIVE_LOAD)
    },
  )

  test('53 a literal that claims more than its section has: QPACK_DECOMPRESSION_FAILED, and nothing is allocated', async () => {
    const peer = await Http3Peer.begin(tell)
    peer.control()
    const before = process.memoryUsage().arrayBuffers
    peer.request(frame(0x01, sections[3]![2](pseudo)))
    await peer.settle()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
    expect([H3ErrorCode.QPACK_DECOMPRESSION_FAILED]).toContain(peer.peer.closing?.code)
    await peer.finish()
  })
})
