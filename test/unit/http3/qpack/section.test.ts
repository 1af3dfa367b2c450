// Field sections, RFC 9204 section 4.5, with the dynamic table off.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from '../../../../src/http3/index.ts'
import { MAX_FIELD_COUNT } from '../../../../src/http3/limits.ts'
import { FieldSectionDecoder } from '../../../../src/http3/qpack/section-decoder.ts'
import { STATIC_TABLE_SIZE, staticNames, staticValues } from '../../../../src/http3/qpack/static-table.ts'
import { hex, literalLine, section } from '../session.ts'

function decode(bytes: Uint8Array, caps = { maxSize: 65_536, maxCount: MAX_FIELD_COUNT }): string[] {
  const fields: string[] = []
  new FieldSectionDecoder(caps).decode(bytes, 0, bytes.length, {
    handleField: (name, value) => fields.push(name, value),
  })
  return fields
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof H3Error) return `${error.scope} ${error.code.toString(16)}`
    throw error
  }
  return 'none'
}

describe('field sections (RFC 9204 section 4.5)', () => {
  it('decodes every entry of the static table (appendix A)', () => {
    for (let index = 0; index < STATIC_TABLE_SIZE; index++) {
      const line = index < 63 ? [0xc0 | index] : [0xff, index - 63]
      expect(decode(Uint8Array.of(0, 0, ...line))).toEqual([staticNames[index], staticValues[index]])
    }
  })

  it('encodes an exact match as an index and a known name as a reference (section 4.5.2, 4.5.4)', () => {
    expect(section([':method', 'GET']).toString('hex')).toBe('0000d1')
    expect(section([':path', '/index.html']).subarray(0, 3).toString('hex')).toBe('000051')
  })

  it('marks secrets as never indexed (section 7.1.3)', () => {
    expect(section(['authorization', 'x'])[2] & 0x20).toBe(0x20)
    expect(section(['cookie', 'a=b'])[2] & 0x20).toBe(0x20)
    expect(section(['proxy-authorization', 'x'])[2] & 0x10).toBe(0x10)
    expect(section(['user-agent', 'x'])[2] & 0x20).toBe(0)
  })

  it('accepts any Delta Base without dynamic references (section 4.5.1.2)', () => {
    expect(decode(hex('0005d1'))).toEqual([':method', 'GET'])
    expect(decode(hex('007f0ad1'))).toEqual([':method', 'GET'])
  })

  const failing: [string, string][] = [
    ['no prefix', ''],
    ['prefix cut after the Required Insert Count', '00'],
    ['Required Insert Count above zero (section 4.5.1.1)', '0200d1'],
    ['Sign bit with Delta Base at or above the Required Insert Count (section 4.5.1.2)', '0080d1'],
    ['static index 99 (section 3.1)', '0000ff24'],
    ['static name index 99', '00005f5400'],
    ['indexed field line in the dynamic table (section 4.5.2)', '000080'],
    ['post-Base index (section 4.5.3)', '000010'],
    ['name reference to the dynamic table (section 4.5.4)', '00004000'],
    ['post-Base name reference (section 4.5.5)', '00000000'],
    ['cut integer', '0000ff'],
    ['integer of eleven bytes', '0000ffffffffffffffffffffff01'],
    ['integer above 2^53-1', '0000ffffffffffffffff7f'],
    ['string longer than the section', '00002a61'],
    ['literal without value', '00002161'],
    ['Huffman string with EOS', '000051 84ffffffff'.replaceAll(' ', '')],
  ]
  it.each(failing)('ends the connection with QPACK_DECOMPRESSION_FAILED: %s', (_, bytes) => {
    expect(codeOf(() => decode(hex(bytes)))).toBe('connection 200')
  })

  it('round-trips any latin1 field list', () => {
    const text = fc
      .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 })
      .map((codes) => String.fromCharCode(...codes))
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 12 }), (pairs) => {
        const fields = pairs.flat()
        expect(decode(section(fields))).toEqual(fields)
      }),
    )
  })

  it('ends random bytes in fields or in an H3Error, never in another exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        codeOf(() => decode(Uint8Array.of(0, 0, ...bytes)))
        codeOf(() => decode(bytes))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('caps of a field section (RFC 9114 section 4.2.2, RFC 9204 section 7.3)', () => {
  it('counts name, value and 32 bytes per field, to the byte', () => {
    const bytes = section(['abc', 'defg'])
    expect(decode(bytes, { maxSize: 39, maxCount: 1 })).toEqual(['abc', 'defg'])
    expect(codeOf(() => decode(bytes, { maxSize: 38, maxCount: 1 }))).toBe('stream 107')
  })

  it('stops at the field count: one byte on the wire is one field', () => {
    const bytes = Buffer.concat([hex('0000'), Buffer.alloc(MAX_FIELD_COUNT, 0xd1)])
    expect(decode(bytes).length).toBe(2 * MAX_FIELD_COUNT)
    expect(codeOf(() => decode(Buffer.concat([bytes, hex('d1')])))).toBe('stream 107')
  })

  it('measures a Huffman string by what it decodes to', () => {
    const value = 'a'.repeat(200)
    const bytes = section(['x', value])
    expect(bytes.length).toBeLessThan(140)
    expect(codeOf(() => decode(bytes, { maxSize: 200, maxCount: 9 }))).toBe('stream 107')
  })

  it('measures literal names too', () => {
    const bytes = Buffer.concat([hex('0000'), literalLine('n'.repeat(300), '')])
    expect(codeOf(() => decode(bytes, { maxSize: 331, maxCount: 9 }))).toBe('stream 107')
    expect(decode(bytes, { maxSize: 332, maxCount: 9 }).length).toBe(2)
  })
})
