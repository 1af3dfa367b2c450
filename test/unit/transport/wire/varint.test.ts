// Variable-length integers: RFC 9000 section 16 and appendix A.1.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TransportErrorCode, varintLength, writeVarint } from '../../../../src/transport/wire/index.ts'
import { conformancePath } from '../../../conformance.ts'
import { cursorOf, errorCodeOf, fromHex } from './bytes.ts'

const vectorsPath = conformancePath('vectors.json')

describe('variable-length integers, RFC 9000 section 16', () => {
  it('appendix A.1: the sample integers decode to their values', () => {
    for (const [hex, value] of [
      // 151,288,809,941,952,652 is above 2^53.
      ['c2197c5eff14e88c', Number.MAX_SAFE_INTEGER],
      ['9d7f3e7d', 494_878_333],
      ['7bbd', 15_293],
      ['25', 37],
      ['4025', 37],
    ] as const) {
      const cursor = cursorOf(fromHex(hex))
      expect(cursor.readVarint()).toBe(value)
      expect(cursor.remaining).toBe(0)
    }
  })

  it('table 4: the length is the shortest that holds the value', () => {
    const bounds = [
      [0, 1],
      [63, 1],
      [64, 2],
      [16_383, 2],
      [16_384, 4],
      [1_073_741_823, 4],
      [1_073_741_824, 8],
      [Number.MAX_SAFE_INTEGER, 8],
    ] as const
    for (const [value, length] of bounds) {
      const bytes = new Uint8Array(8)
      expect(varintLength(value)).toBe(length)
      expect(writeVarint(bytes, 0, value)).toBe(length)
      expect(cursorOf(bytes.subarray(0, length)).readVarint()).toBe(value)
    }
  })

  it('every value of 2^53-1 and below survives a round trip at any offset', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(9), (value, offset) => {
        const bytes = new Uint8Array(32).fill(0xee)
        const end = writeVarint(bytes, offset, value)
        expect(end - offset).toBe(varintLength(value))
        expect(bytes[end]).toBe(0xee)
        const cursor = cursorOf(bytes)
        cursor.offset = offset
        expect(cursor.readVarint()).toBe(value)
        expect(cursor.offset).toBe(end)
      }),
    )
  })

  it('2^53 and above saturate to 2^53-1', () => {
    expect(cursorOf(fromHex('c020000000000000')).readVarint()).toBe(Number.MAX_SAFE_INTEGER)
    expect(cursorOf(fromHex('ffffffffffffffff')).readVarint()).toBe(Number.MAX_SAFE_INTEGER)
    expect(cursorOf(fromHex('c01ffffffffffffe')).readVarint()).toBe(Number.MAX_SAFE_INTEGER - 1)
  })

  it('a saturated stream ID keeps its type bits (section 2.1)', () => {
    for (const type of [0, 1, 2, 3]) {
      const id = cursorOf(fromHex(`fffffffffffffff${(12 + type).toString(16)}`)).readStreamId()
      expect(id % 4).toBe(type)
      expect(id).toBeGreaterThan(Number.MAX_SAFE_INTEGER - 4)
    }
  })

  it('an integer cut short is FRAME_ENCODING_ERROR and moves nothing', () => {
    for (const hex of ['', '40', '800000', 'c0000000', 'c0000000000000']) {
      const cursor = cursorOf(fromHex(hex))
      expect(errorCodeOf(() => cursor.readVarint())).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
      expect(cursor.offset).toBe(0)
    }
  })

  it('fixed-size integers are big-endian', () => {
    const cursor = cursorOf(fromHex('ab1234deadbeef0102'))
    expect(cursor.readUint8()).toBe(0xab)
    expect(cursor.readUint16()).toBe(0x1234)
    expect(cursor.readUint32()).toBe(0xdeadbeef)
    expect([...cursor.readBytes(2)]).toEqual([1, 2])
    expect(errorCodeOf(() => cursor.skip(1))).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
  })
})

describe.skipIf(vectorsPath === undefined)('variable-length integers, stored vectors', () => {
  it('decode as listed', () => {
    const vectors = JSON.parse(readFileSync(vectorsPath!, 'utf8')).rfc9000_A1_varint.decode
    expect(vectors.length).toBeGreaterThan(0)
    for (const { hex, value } of vectors as { hex: string; value: string }[]) {
      const expected = Math.min(Number(value), Number.MAX_SAFE_INTEGER)
      expect(cursorOf(fromHex(hex)).readVarint()).toBe(expected)
    }
  })
})
