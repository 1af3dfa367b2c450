// QPACK integers (RFC 9204 section 4.1.1) and the peer's encoder and decoder streams (sections 4.3, 4.4).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  IntegerProgress,
  PrefixIntegerReader,
  writePrefixInteger,
} from '../../../../src/http3/qpack/prefix-integer.ts'
import { hex } from '../session.ts'
import { errorOf, QpackPair } from './qpack-pair.ts'

function read(bytes: Uint8Array, prefixBits: number): number {
  const reader = new PrefixIntegerReader()
  let progress: number = reader.begin(bytes[0], prefixBits)
  for (let index = 1; progress === IntegerProgress.more && index < bytes.length; index++) {
    progress = reader.push(bytes[index])
  }
  return progress === IntegerProgress.done ? reader.value : Number.NaN
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

/** The table as text, oldest entry first. */
function contents({ decoder }: QpackPair): string[] {
  const { table } = decoder
  const lines: string[] = []
  for (let index = table.droppedCount; index < table.insertCount; index++) {
    const { name, value } = table.get(index)!
    lines.push(`${index} ${name}: ${value}`)
  }
  return lines
}

/** A decoder with the entries 0 "a: b", 1 "age: 1" and 2 "a: c", 220 bytes of capacity. */
function prepared(): QpackPair {
  const pair = new QpackPair({ capacity: 220, blocked: 4 })
  pair.encoderReader.push(hex('3fbd01 41610162 c20131 810163'.replaceAll(' ', '')))
  return pair
}

describe('encoder stream of the peer (RFC 9204 section 4.3)', () => {
  it('inserts with literal, static and dynamic name, and duplicates', () => {
    const pair = prepared()
    pair.encoderReader.push(hex('02'))
    expect(contents(pair)).toEqual(['0 a: b', '1 age: 1', '2 a: c', '3 a: b'])
    expect(pair.decoder.table.size).toBe(34 + 36 + 34 + 34)
  })

  it('takes a name from an entry that the same insertion evicts (section 3.2.2)', () => {
    const pair = new QpackPair({ capacity: 40, blocked: 0 })
    pair.encoderReader.push(hex('3f09 41610162 800163'.replaceAll(' ', '')))
    expect(contents(pair)).toEqual(['1 a: c'])
    pair.encoderReader.push(hex('00'))
    expect(contents(pair)).toEqual(['2 a: c'])
  })

  it('evicts when the capacity is reduced, down to nothing, and can be used again (section 3.2.2)', () => {
    const pair = prepared()
    pair.encoderReader.push(hex('3f25'))
    expect(contents(pair)).toEqual(['1 age: 1', '2 a: c'].slice(1))
    pair.encoderReader.push(hex('20'))
    expect(contents(pair)).toEqual([])
    pair.encoderReader.push(hex('3fbd0141610162'))
    expect(contents(pair)).toEqual(['3 a: b'])
  })

  it('takes a capacity that is the limit, and entries with empty values', () => {
    const pair = prepared()
    pair.encoderReader.push(hex('3fbd01c000'))
    expect(contents(pair).at(-1)).toBe('3 :authority: ')
    expect(errorOf(() => new QpackPair({ capacity: 0, blocked: 0 }).encoderReader.push(hex('2020')))).toBe(
      undefined,
    )
  })

  const failing: [string, string][] = [
    ['capacity above the limit (section 4.3.1)', '3fbe01'],
    ['capacity beyond every number', '3fffffffffffffffffffff01'],
    ['static index 99 (section 3.1)', 'ff240161'],
    ['name of an entry that is not there (section 2.2.3)', '830161'],
    ['duplicate of an entry that is not there (section 2.2.3)', '03'],
    ['entry larger than the table: value (section 3.2.2)', 'c07f3f'],
    ['entry larger than the table: name', '5f9e01'],
    ['value of two GiB, before a byte of it has come', 'c07f80ffffff07'],
    ['name of two GiB', '5f80ffffff07'],
    ['Huffman-coded value that cannot fit', 'c0ffff07'],
    ['invalid Huffman code (EOS)', 'c084ffffffff'],
  ]
  it.each(failing)('is QPACK_ENCODER_STREAM_ERROR: %s', (_, bytes) => {
    expect(errorOf(() => prepared().encoderReader.push(hex(bytes)))).toBe(0x201)
    const { encoderReader } = prepared()
    const codes = [...hex(bytes)].map((byte) => errorOf(() => encoderReader.push(Uint8Array.of(byte))))
    expect(codes.find((code) => code !== undefined)).toBe(0x201)
  })

  it('every insertion is an error while the capacity is zero', () => {
    for (const bytes of ['c00161', '800161', '4161', '00']) {
      const { encoderReader } = new QpackPair({ capacity: 220, blocked: 0 })
      expect(errorOf(() => encoderReader.push(hex(`${bytes}00`)))).toBe(0x201)
    }
  })

  it('gives the same table at every split, and holds no more than one instruction', () => {
    const bytes = hex(
      '3fbd0141610162c20131810163024a637573746f6d2d6b6579 8b25a849e95ba97d7f8925a8'.replaceAll(' ', ''),
    )
    const whole = new QpackPair({ capacity: 220, blocked: 0 })
    whole.encoderReader.push(bytes)
    for (let first = 0; first <= bytes.length; first++) {
      const pair = new QpackPair({ capacity: 220, blocked: 0 })
      pair.encoderReader.push(bytes.subarray(0, first))
      expect(pair.encoderReader.heldBytes).toBeLessThan(32)
      for (const byte of bytes.subarray(first)) pair.encoderReader.push(Uint8Array.of(byte))
      expect(contents(pair)).toEqual(contents(whole))
      expect(pair.encoderReader.heldBytes).toBe(whole.encoderReader.heldBytes)
    }
  })

  it('ends random bytes in entries or in an error of its own, never in another exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const pair = prepared()
        expect([undefined, 0x201]).toContain(errorOf(() => pair.encoderReader.push(bytes)))
        expect(pair.decoder.table.size).toBeLessThanOrEqual(220)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('decoder stream of the peer (RFC 9204 section 4.4)', () => {
  const fields = [':authority', 'a.example']

  /** An encoder that has sent one section on stream 4, with one insertion. */
  function sent(): QpackPair {
    const pair = new QpackPair({ capacity: 220, blocked: 4 })
    pair.encode(4, fields)
    expect([pair.encoder.table.insertCount, pair.encoder.riskyStreams]).toEqual([1, 1])
    return pair
  }

  it.each([
    ['Insert Count Increment 0 (section 4.4.3)', '00'],
    ['Insert Count Increment beyond what was sent', '02'],
    ['Section Acknowledgment for a stream without a section (section 4.4.1)', '88'],
    ['a second Section Acknowledgment for one section', '8484'],
    ['Insert Count Increment for what an acknowledgment has told already', '8401'],
    ['stream ID beyond every number', '7fffffffffffffffffffff01'],
  ])('is QPACK_DECODER_STREAM_ERROR: %s', (_, bytes) => {
    expect(errorOf(() => sent().decoderReader.push(hex(bytes)))).toBe(0x202)
  })

  it('an acknowledgment raises the Known Received Count and frees the references (section 2.1.4)', () => {
    const { encoder, decoderReader } = sent()
    decoderReader.push(hex('84'))
    expect([encoder.table.knownReceived, encoder.outstandingSections, encoder.riskyStreams]).toEqual([
      1, 0, 0,
    ])
    expect(encoder.table.get(0)!.references).toBe(0)
  })

  it('an increment alone takes the risk away and keeps the references', () => {
    const { encoder, decoderReader } = sent()
    decoderReader.push(hex('01'))
    expect([encoder.table.knownReceived, encoder.outstandingSections, encoder.riskyStreams]).toEqual([
      1, 1, 0,
    ])
    expect(encoder.table.get(0)!.references).toBe(1)
  })

  it('a cancellation frees the references and says nothing of insertions (section 2.2.2.2)', () => {
    const { encoder, decoderReader } = sent()
    decoderReader.push(hex('44'))
    expect([encoder.table.knownReceived, encoder.outstandingSections, encoder.riskyStreams]).toEqual([
      0, 0, 0,
    ])
    expect(encoder.table.get(0)!.references).toBe(0)
    decoderReader.push(hex('44487f8001'))
  })

  it('acknowledgments of one stream are for its sections in order (section 2.2.2.1)', () => {
    const pair = sent()
    const { encoder, decoderReader } = pair
    pair.encode(4, [...fields, 'user-agent', 'ua'])
    expect([encoder.outstandingSections, encoder.table.get(0)!.references]).toEqual([2, 2])
    decoderReader.push(hex('84'))
    expect([encoder.table.knownReceived, encoder.riskyStreams]).toEqual([1, 1])
    decoderReader.push(hex('84'))
    expect([encoder.table.knownReceived, encoder.riskyStreams, encoder.outstandingSections]).toEqual([
      2, 0, 0,
    ])
  })

  it('accepts Stream Cancellation at any split (section 4.4.2)', () => {
    const { decoderReader } = new QpackPair({ capacity: 0, blocked: 0 })
    for (const byte of hex('487f8001407fff7f')) decoderReader.push(Uint8Array.of(byte))
    expect(errorOf(() => decoderReader.push(hex('84')))).toBe(0x202)
  })
})
