// ACK frames: RFC 9000 section 19.3.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AckFrame,
  Cursor,
  FrameType,
  MAX_ACK_RANGES_PARSED,
  MAX_ACK_RANGES_WRITTEN,
  parseAck,
  RangeSet,
  readFrameType,
  TransportErrorCode,
  writeAck,
} from '../../../../src/transport/wire/index.ts'
import { cursorOf, errorCodeOf, fromHex } from './bytes.ts'

function descending(set: RangeSet): [number, number][] {
  const list: [number, number][] = []
  for (let i = set.size - 1; i >= 0; i--) list.push([set.startAt(i), set.endAt(i) - 1])
  return list
}

function parsedRanges(ack: AckFrame): [number, number][] {
  return Array.from({ length: ack.rangeCount }, (_, i) => [ack.starts[i], ack.ends[i]])
}

describe('ACK frames, RFC 9000 section 19.3', () => {
  it('the newest ranges that fit survive a round trip, and nothing is written past the end', () => {
    const numbers = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 200 })
    const ecn = fc.option(fc.record({ ect0: fc.nat(), ect1: fc.nat(), ce: fc.nat() }), { nil: undefined })
    fc.assert(
      fc.property(numbers, fc.nat(2 ** 20), ecn, fc.nat(400), (received, delay, counts, space) => {
        const set = new RangeSet()
        for (const n of received) set.add(n, n + 1)
        const buffer = new Uint8Array(512).fill(0xee)
        const end = writeAck(buffer, 7, 7 + space, set, delay, counts)
        expect(buffer[Math.max(end, 7)]).toBe(0xee)
        expect(end).toBeLessThanOrEqual(7 + space)
        if (end === 7) return
        const cursor = new Cursor().reset(buffer, 7, end)
        const ack = new AckFrame()
        parseAck(cursor, readFrameType(cursor), ack)
        expect(cursor.remaining).toBe(0)
        expect([ack.largest, ack.delay, ack.hasEcn]).toEqual([set.max, delay, counts !== undefined])
        expect(parsedRanges(ack)).toEqual(descending(set).slice(0, ack.rangeCount))
        if (space === 400) expect(ack.rangeCount).toBe(Math.min(set.size, MAX_ACK_RANGES_WRITTEN))
        if (counts !== undefined) expect(ack).toMatchObject(counts)
      }),
    )
  })

  it('with room enough all ranges up to 64 are written', () => {
    const set = new RangeSet()
    for (let i = 0; i < 100; i++) set.add(3 * i, 3 * i + 1)
    const buffer = new Uint8Array(1200)
    const end = writeAck(buffer, 0, 1200, set, 0, undefined)
    const ack = new AckFrame()
    const cursor = new Cursor().reset(buffer, 1, end)
    parseAck(cursor, FrameType.ack, ack)
    expect(ack.rangeCount).toBe(MAX_ACK_RANGES_WRITTEN)
    expect(ack.starts[63]).toBe(3 * 36)
  })

  it('an empty set and a full packet write nothing', () => {
    const set = new RangeSet()
    expect(writeAck(new Uint8Array(9), 2, 9, set, 0, undefined)).toBe(2)
    set.add(0, 1)
    expect(writeAck(new Uint8Array(9), 2, 6, set, 0, undefined)).toBe(2)
    expect(writeAck(new Uint8Array(9), 2, 7, set, 0, undefined)).toBe(7)
  })

  it('section 19.3.1: a negative packet number is FRAME_ENCODING_ERROR', () => {
    for (const hex of ['05000006', '050001050000', '0a0001050500', '0a0001050304']) {
      const parse = () => parseAck(cursorOf(fromHex(hex)), FrameType.ack, new AckFrame())
      expect(errorCodeOf(parse)).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
    }
  })

  it('a range count that the packet does not hold is FRAME_ENCODING_ERROR', () => {
    const parse = () => parseAck(cursorOf(fromHex('0a00bfffffff00')), FrameType.ack, new AckFrame())
    expect(errorCodeOf(parse)).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
  })

  it('ranges past the cap are read but not kept, so that what follows is found', () => {
    const total = 400
    const bytes = new Uint8Array(2 * total + 16)
    bytes.set([0x44, 0x00, 0x00, 0x40 | ((total - 1) >> 8), (total - 1) & 0xff, 0x00])
    const largest = 0x400
    const ack = new AckFrame()
    const cursor = new Cursor().reset(bytes, 0, 6 + 2 * (total - 1) + 1)
    bytes[6 + 2 * (total - 1)] = FrameType.ping
    parseAck(cursor, FrameType.ack, ack)
    expect([ack.largest, ack.rangeCount]).toEqual([largest, MAX_ACK_RANGES_PARSED])
    expect(ack.ends[1]).toBe(largest - 2)
    expect(readFrameType(cursor)).toBe(FrameType.ping)
  })
})
