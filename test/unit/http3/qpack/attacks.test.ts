// What others were attacked with through QPACK (docs/limits.md, section D), against a whole HTTP/3 connection.
import { describe, expect, it } from 'vitest'
import {
  GLITCH_BUDGET,
  IDLE_CANCELLATIONS_PER_GLITCH,
  MAX_BLOCKED_STREAMS,
  MAX_DECODER_STREAM_BACKLOG,
  MAX_FIELD_COUNT,
  MAX_FIELD_SECTION_SIZE,
  MAX_TABLE_CAPACITY,
  MAX_UNUSED_ENCODER_BYTES,
} from '../../../../src/http3/limits.ts'
import { writePrefixInteger } from '../../../../src/http3/qpack/prefix-integer.ts'
import { data, frame, get, getFields, headers, hex, postFields, Session, section } from '../session.ts'
import type { StreamDouble } from '../stream-double.ts'
import { ownStream } from './qpack-pair.ts'

function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const bytes = Buffer.alloc(12)
  return bytes.subarray(0, writePrefixInteger(bytes, 0, pattern, prefixBits, value))
}

/** A server whose table holds one entry "x: vvv..." of `length` characters. */
function loaded(length: number): { session: Session; encoderStream: StreamDouble } {
  const session = new Session('server')
  const encoderStream = session.accept(6)
  const value = Buffer.alloc(length, 'v')
  encoderStream.receive(
    Buffer.concat([
      hex('02'),
      integer(0x20, 5, MAX_TABLE_CAPACITY),
      hex('4178'),
      integer(0, 7, length),
      value,
    ]),
  )
  expect(session.h3.decoder.table.insertCount).toBe(1)
  return { session, encoderStream }
}

/** A section of `count` references to the entry 0, one byte each, behind static pseudo-header fields. */
function bomb(pseudo: readonly string[], count: number): Buffer {
  // Required Insert Count 1, Base 1, relative index 0.
  return frame(1, Buffer.concat([hex('0200'), section(pseudo).subarray(2), Buffer.alloc(count, 0x80)]))
}

describe('expansion (rows 88, 89 and 91): one byte stands for a whole entry', () => {
  const length = 4_000
  const fitting = Math.floor((MAX_FIELD_SECTION_SIZE - 300) / (length + 33))

  it('is counted by what it expands to: 431 for the request, the connection goes on', () => {
    const { session } = loaded(length)
    const stream = session.request(bomb(getFields, fitting + 1))
    expect([session.requests.length, session.error, stream.stopCode]).toEqual([0, undefined, 0x100])
    session.request(bomb(getFields, fitting), true, 4)
    expect(session.requests[0].stream.headers.length).toBe(2 * fitting)
  })

  it('in trailers the same limit holds (row 90)', () => {
    const { session } = loaded(length)
    const ok = session.request(Buffer.concat([headers(postFields), data('x'), bomb([], fitting)]))
    expect([session.requests[0].log.length, ok.resetCode]).toEqual([2, undefined])
    const stream = session.request(
      Buffer.concat([headers(postFields), data('x'), bomb([], fitting + 1)]),
      true,
      4,
    )
    expect([stream.resetCode, session.requests[1].log]).toEqual([0x107, ['reset 107 local']])
    expect(session.error).toBeUndefined()
  })

  it('small entries are limited by their number', () => {
    const { session } = loaded(1)
    session.request(bomb(getFields, MAX_FIELD_COUNT))
    expect(session.requests.length).toBe(0)
    session.request(bomb(getFields, MAX_FIELD_COUNT - 4), true, 4)
    expect(session.requests.length).toBe(1)
  })

  it('the table holds its strings once, whatever refers to them', () => {
    const { session } = loaded(length)
    for (let id = 0; id < 80; id += 4) session.request(bomb(getFields, fitting), true, id)
    expect(session.h3.decoder.table.size).toBe(length + 33)
  })
})

describe('declared lengths (rows 92, 93, 98 and 99)', () => {
  it.each([
    ['a value of 2 GiB', 'c0ff80ffffff07'],
    ['a name of 2 GiB', '7f80ffffff07'],
    ['a value one byte too long', `c0${integer(0, 7, MAX_TABLE_CAPACITY - 41).toString('hex')}`],
    ['a capacity one above the limit', integer(0x20, 5, MAX_TABLE_CAPACITY + 1).toString('hex')],
    ['an integer of eleven bytes', '3fffffffffffffffffffff01'],
  ])('on the encoder stream: %s ends the connection before a byte of it is kept', (_, bytes) => {
    const session = new Session('server')
    const stream = session.accept(6)
    stream.receive(Buffer.concat([hex('02'), integer(0x20, 5, MAX_TABLE_CAPACITY), hex(bytes)]))
    expect(session.error).toBe(0x201)
  })

  it('an entry of exactly the capacity is taken', () => {
    const { session, encoderStream } = loaded(8)
    const length = MAX_TABLE_CAPACITY - 32 - ':authority'.length
    encoderStream.receive(Buffer.concat([hex('c0'), integer(0, 7, length), Buffer.alloc(length, 'v')]))
    expect([session.error, session.h3.decoder.table.size]).toEqual([undefined, MAX_TABLE_CAPACITY])
    expect(session.h3.decoder.table.droppedCount).toBe(1)
  })

  it.each(['0000ff80ffffff07', '0000 27 80ffffff07', '0000 5f80ffffff07 01'])('in a section: %s', (bytes) => {
    const session = new Session('server')
    session.request(frame(1, hex(bytes.replaceAll(' ', ''))))
    expect(session.error).toBe(0x200)
  })
})

describe('blocked streams (rows 95 and 96)', () => {
  it('a flood of requests that wait for what never comes: 16 sections are held, not one more', () => {
    const session = new Session('server')
    const waiting = frame(1, Buffer.concat([hex('0200'), Buffer.alloc(30_000, 0x80)]))
    let id = 0
    for (; session.error === undefined; id += 4) session.request(waiting, true, id)
    expect([session.error, id / 4]).toEqual([0x200, MAX_BLOCKED_STREAMS + 1])
  })

  it('opened and reset for ever: the glitch budget ends it, and nothing is held', () => {
    const session = new Session('server')
    const waiting = frame(1, hex('020080'))
    let id = 0
    for (; session.error === undefined && id < 40_000; id += 4) {
      session.request(waiting, false, id).receiveReset(0x10c)
      expect(session.h3.decoder.blockedStreams).toBe(0)
    }
    expect(session.error).toBe(0x107)
  })
})

describe('floods of instructions (rows 93 and 94)', () => {
  it('a table that is filled again and again and never used', () => {
    const { session, encoderStream } = loaded(8)
    const insertion = Buffer.concat([hex('c0'), integer(0, 7, 1_000), Buffer.alloc(1_000, 'v')])
    let bytes = 0
    for (; session.error === undefined && bytes < 1_000_000; bytes += insertion.length) {
      encoderStream.receive(insertion)
      expect(session.h3.decoder.table.size).toBeLessThanOrEqual(MAX_TABLE_CAPACITY)
    }
    expect(session.error).toBe(0x107)
    expect(bytes).toBeGreaterThanOrEqual(MAX_UNUSED_ENCODER_BYTES - insertion.length)
  })

  it('a table that is used may change for ever', () => {
    const session = new Session('server')
    const encoderStream = session.accept(6)
    encoderStream.receive(Buffer.concat([hex('02'), integer(0x20, 5, MAX_TABLE_CAPACITY)]))
    const insertion = Buffer.concat([hex('c0'), integer(0, 7, 3_000), Buffer.alloc(3_000, 'v')])
    const maxEntries = MAX_TABLE_CAPACITY / 32
    for (let round = 0; round < 200; round++) {
      encoderStream.receive(insertion)
      const prefix = integer(0, 8, ((round + 1) % (2 * maxEntries)) + 1)
      const line = hex('0080')
      const rest = section([':method', 'GET', ':scheme', 'https', ':path', '/']).subarray(2)
      session.request(frame(1, Buffer.concat([prefix, line, rest])), true, 4 * round)
      session.requests[round].stream.respond(200, [], { end: true })
    }
    expect([session.error, session.requests.length]).toEqual([undefined, 200])
  })

  it('a decoder stream that the peer does not take: a few thousand acknowledgments, then the end', () => {
    const { session } = loaded(8)
    let id = 0
    for (; session.error === undefined && id < 200_000; id += 4) {
      session.request(bomb(getFields, 1), true, id)
      session.requests.at(-1)?.stream.respond(200, [], { end: true })
      session.requests.length = 0
    }
    expect(session.error).toBe(0x107)
    expect(ownStream(session, 0x03)!.output.length).toBeLessThan(MAX_DECODER_STREAM_BACKLOG + 20)
  })

  it('a flood of Stream Cancellations', () => {
    const session = new Session('server')
    const stream = session.accept(10)
    stream.receive(hex('03'))
    const most = IDLE_CANCELLATIONS_PER_GLITCH * GLITCH_BUDGET
    stream.receive(Buffer.alloc(most, 0x44))
    expect(session.error).toBeUndefined()
    stream.receive(Buffer.alloc(IDLE_CANCELLATIONS_PER_GLITCH, 0x44))
    expect(session.error).toBe(0x107)
  })

  it('a flood of acknowledgments that are none ends with the first', () => {
    const session = new Session('server')
    session.accept(10).receive(hex('03c4c4c4c4'))
    expect(session.error).toBe(0x202)
  })
})

describe('the streams themselves (row 97)', () => {
  it.each([
    [6, '02'],
    [10, '03'],
  ])('a second stream of the type of stream %d', (id, type) => {
    const session = new Session('server')
    session.accept(id).receive(hex(type))
    session.accept(id + 20).receive(hex(type))
    expect(session.error).toBe(0x103)
  })

  it.each([
    [6, '02'],
    [10, '03'],
  ])('the end or the reset of stream %d', (id, type) => {
    const ended = new Session('server')
    ended.accept(id).receive(hex(type), true)
    const reset = new Session('server')
    const stream = reset.accept(id)
    stream.receive(hex(type))
    stream.receiveReset(0x100)
    expect([ended.error, reset.error]).toEqual([0x104, 0x104])
    ended.request(get)
  })
})
