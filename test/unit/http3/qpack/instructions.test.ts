// QPACK integers (RFC 9204 section 4.1.1) and the peer's encoder and decoder streams (sections 4.3, 4.4).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from '../../../../src/http3/index.ts'
import {
  DecoderInstructionReader,
  EncoderInstructionReader,
} from '../../../../src/http3/qpack/instruction-streams.ts'
import {
  IntegerProgress,
  PrefixIntegerReader,
  writePrefixInteger,
} from '../../../../src/http3/qpack/prefix-integer.ts'
import { hex } from '../session.ts'

function read(bytes: Uint8Array, prefixBits: number): number {
  const reader = new PrefixIntegerReader()
  let progress: number = reader.begin(bytes[0], prefixBits)
  for (let index = 1; progress === IntegerProgress.more && index < bytes.length; index++) {
    progress = reader.push(bytes[index])
  }
  return progress === IntegerProgress.done ? reader.value : Number.NaN
}

function push(reader: { push(bytes: Uint8Array): void }, bytes: Uint8Array): number | undefined {
  try {
    reader.push(bytes)
  } catch (error) {
    if (error instanceof H3Error) return error.code
    throw error
  }
  return undefined
}

describe('prefixed integers (RFC 7541 section 5.1)', () => {
  it.each([
    [10, 5, '0a'],
    [1337, 5, '1f9a0a'],
    [42, 8, '2a'],
  ])('writes and reads %d with %d bits', (value, bits, bytes) => {
    const target = Buffer.alloc(12)
    expect(target.subarray(0, writePrefixInteger(target, 0, 0, bits, value)).toString('hex')).toBe(bytes)
    expect(read(hex(bytes), bits)).toBe(value)
  })

  it('keeps every value up to 2^53-1 for every prefix', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 3, max: 8 }), (value, bits) => {
        const target = Buffer.alloc(12)
        const end = writePrefixInteger(target, 0, 0, bits, value)
        expect(end).toBeLessThanOrEqual(10)
        expect(read(target.subarray(0, end), bits)).toBe(value)
      }),
    )
  })

  it('refuses more than ten bytes, zeros included', () => {
    expect(read(hex('ff80808080808080808000'), 8)).toBeNaN()
    expect(read(hex('ff808080808080808000'), 8)).toBe(255)
  })
})

describe('encoder stream of the peer (RFC 9204 section 4.3)', () => {
  it.each([
    ['capacity 10000000000 (section 4.3.1)', '3fe1c7afa025'],
    ['capacity 1', '21'],
    ['insert with static name (section 4.3.2)', 'c00161'],
    ['insert with dynamic name', '800161'],
    ['insert with literal name (section 4.3.3)', '4161'],
    ['duplicate (section 4.3.4)', '00'],
    ['capacity beyond every number', '3fffffffffffffffffffff01'],
  ])('is QPACK_ENCODER_STREAM_ERROR: %s', (_, bytes) => {
    expect(push(new EncoderInstructionReader(), hex(bytes))).toBe(0x201)
    const split = new EncoderInstructionReader()
    const codes = [...hex(bytes)].map((byte) => push(split, Uint8Array.of(byte)))
    expect(codes.find((code) => code !== undefined)).toBe(0x201)
  })

  it('accepts a capacity of zero, which is the limit', () => {
    expect(push(new EncoderInstructionReader(), hex('2020'))).toBeUndefined()
  })
})

describe('decoder stream of the peer (RFC 9204 section 4.4)', () => {
  it.each([
    ['Insert Count Increment 0 (section 4.4.3)', '00'],
    ['Insert Count Increment beyond what was sent', '01'],
    ['Section Acknowledgment without a section (section 4.4.1)', '84'],
    ['stream ID beyond every number', '7fffffffffffffffffffff01'],
  ])('is QPACK_DECODER_STREAM_ERROR: %s', (_, bytes) => {
    expect(push(new DecoderInstructionReader(), hex(bytes))).toBe(0x202)
  })

  it('accepts Stream Cancellation at any split (section 4.4.2)', () => {
    const reader = new DecoderInstructionReader()
    for (const byte of hex('487f8001407fff7f')) expect(push(reader, Uint8Array.of(byte))).toBeUndefined()
  })
})
