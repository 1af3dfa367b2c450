// The memories of decoder and encoder: they may only save work, never change a result.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  LITERAL_CACHE_BYTES,
  LITERAL_CACHE_SLOTS,
  LONGEST_CACHED_LITERAL,
  VALUE_CACHE_ENTRIES,
  VALUE_CACHE_LENGTH,
} from '../../../../src/http3/limits.ts'
import { LiteralCache } from '../../../../src/http3/qpack/literal-cache.ts'
import { FieldSectionDecoder } from '../../../../src/http3/qpack/section-decoder.ts'
import { ValueCache } from '../../../../src/http3/qpack/value-cache.ts'
import { framesOf } from '../frames-of.ts'
import { frame, get, getFields, headers, hex, literalLine, Session, section } from '../session.ts'

const caps = { maxSize: 65_536, maxCount: 200 }

function decodeWith(decoder: FieldSectionDecoder, bytes: Uint8Array): unknown[] {
  const lines: unknown[] = []
  decoder.decode(bytes, 0, bytes.length, { handleField: (...line) => lines.push(line) })
  return lines
}

describe('literal cache of a decoder', () => {
  const word = fc.oneof(
    fc.constantFrom('x-a', 'x-b', 'abcdefgh', 'abcdefgi', 'text/plain', 'a'.repeat(300), ''),
    fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^ -~]/g, '')),
  )
  const sections = fc.array(fc.array(fc.tuple(word, word), { maxLength: 8 }), { maxLength: 12 })

  it('gives the same fields and classes as a decoder without a past', () => {
    fc.assert(
      fc.property(sections, fc.boolean(), (lists, isRaw) => {
        const decoder = new FieldSectionDecoder(caps)
        for (const pairs of lists) {
          const raw = () =>
            Buffer.concat([hex('0000'), ...pairs.map(([name, value]) => literalLine(name, value))])
          const bytes = isRaw ? raw() : section(pairs.flat())
          expect(decodeWith(decoder, bytes)).toEqual(decodeWith(new FieldSectionDecoder(caps), bytes))
        }
      }),
    )
  })

  it('tells the same bytes with and without Huffman code apart', () => {
    const cache = new LiteralCache()
    const bytes = hex('f1e3c2e5f23a6ba0ab90f4ff')
    cache.keep(bytes, 0, bytes.length, true, 'www.example.com', 0)
    expect(cache.find(bytes, 0, bytes.length, false)).toBe(false)
    expect(cache.find(bytes, 0, bytes.length, true)).toBe(true)
    expect(cache.text).toBe('www.example.com')
  })

  it('stays within its arena whatever it is given', () => {
    const cache = new LiteralCache()
    let hits = 0
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(`${round} ${'x'.repeat(round % LONGEST_CACHED_LITERAL)}`)
      const length = Math.min(bytes.length, LONGEST_CACHED_LITERAL)
      cache.keep(bytes, 0, length, false, `text ${round}`, round & 15)
      if (!cache.find(bytes, 0, length, false)) continue
      hits++
      expect([cache.text, cache.classes]).toEqual([`text ${round}`, round & 15])
    }
    // One- and two-byte literals are not kept; everything else is found right after.
    expect(hits).toBeGreaterThan(1_900)
    const { arena, keys, used } = cache as unknown as { arena: Uint8Array; keys: Uint16Array; used: number }
    expect([arena.length, keys.length]).toEqual([LITERAL_CACHE_BYTES, LITERAL_CACHE_SLOTS])
    expect(used).toBeLessThanOrEqual(LITERAL_CACHE_BYTES)
  })

  it('does not keep literals beyond its longest', () => {
    const cache = new LiteralCache()
    const bytes = Buffer.alloc(LONGEST_CACHED_LITERAL + 1, 0x61)
    cache.keep(bytes, 0, bytes.length, false, 'x', 0)
    expect(cache.find(bytes, 0, bytes.length, false)).toBe(false)
  })

  it('finds an invalid value invalid again (RFC 9114 section 4.1.2)', () => {
    const session = new Session('server')
    const pseudo = headers(getFields).subarray(2)
    const bytes = frame(1, Buffer.concat([pseudo, literalLine('x-bad', 'abc\rdef')]))
    for (let id = 0; id < 20; id += 4) expect(session.request(bytes, true, id).resetCode).toBe(0x10e)
    expect(session.requests.length).toBe(0)
  })

  it('counts a remembered value against the size limit', () => {
    const decoder = new FieldSectionDecoder({ maxSize: 200, maxCount: 9 })
    const one = section(['x', 'v'.repeat(80)])
    for (let round = 0; round < 4; round++) expect(decodeWith(decoder, one).length).toBe(1)
    const two = section(['x', 'v'.repeat(80), 'x', 'v'.repeat(80)])
    expect(() => decodeWith(decoder, two)).toThrow('too large')
  })
})

describe('value cache of the encoder', () => {
  it('holds two generations at most and keeps what is used', () => {
    const cache = new ValueCache()
    const bytes = hex('0102')
    cache.keep('used', bytes, 0, 2)
    for (let round = 0; round < 5 * VALUE_CACHE_ENTRIES; round++) {
      cache.keep(`value ${round}`, bytes, 0, 2)
      expect(cache.find('used')).toEqual(new Uint8Array(bytes))
      expect(cache.size).toBeLessThanOrEqual(2 * VALUE_CACHE_ENTRIES)
    }
    expect(cache.find('value 0')).toBeUndefined()
    expect(cache.isCacheable('v'.repeat(VALUE_CACHE_LENGTH + 1))).toBe(false)
  })

  it('copies: later writes to the buffer do not change it', () => {
    const cache = new ValueCache()
    const bytes = hex('0102')
    cache.keep('value', bytes, 0, 2)
    bytes.fill(0)
    expect(cache.find('value')).toEqual(Uint8Array.of(1, 2))
  })

  it('sends the same head each time, and refuses a bad value each time', () => {
    const session = new Session('server')
    const fields = [
      'content-type',
      'text/x-repeated',
      'server',
      'quactor',
      'set-cookie',
      'secret=1234',
      'x-own',
      'word',
    ]
    for (let id = 0; id < 40; id += 4) {
      const stream = session.request(get, true, id)
      const { stream: request } = session.requests.at(-1)!
      expect(() => request.respond(200, ['server', 'qua\nctor'])).toThrow(TypeError)
      request.respond(200, fields, { end: true })
      expect(framesOf(stream.output)).toEqual([`H :status|200|${fields.join('|')}`])
    }
  })
})
