// Huffman code, RFC 7541 section 5.2 and appendix B (used unchanged by RFC 9204 section 4.1.2).
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { huffmanDecode, huffmanDecodedBound, huffmanEncode } from '../../../../src/http3/qpack/huffman.ts'
import { codeLengths, codeWords } from '../../../../src/http3/qpack/huffman-code.ts'
import { conformancePath } from '../../../conformance.ts'

const path = conformancePath('vectors.json')

interface Vectors {
  rfc7541_B_huffman: { codes: [string, number][] }
  rfc7541_C_huffman_strings: { ascii: string; hex: string }[]
  huffman_negative: { hex: string; valid?: boolean; ascii?: string }[]
}

function decode(hex: string): string | undefined {
  const source = Buffer.from(hex, 'hex')
  const target = Buffer.alloc(huffmanDecodedBound(source.length))
  const length = huffmanDecode(source, 0, source.length, target)
  return length < 0 ? undefined : target.toString('latin1', 0, length)
}

function encode(text: string): string {
  const target = Buffer.alloc(text.length * 4 + 8)
  return target.subarray(0, huffmanEncode(text, target, 0)).toString('hex')
}

/** Plain twin of the table-driven decoder: one bit at a time against the list of code words. */
function decodeBitwise(source: Uint8Array): string | undefined {
  const symbolOf = new Map<string, number>()
  for (let symbol = 0; symbol < 257; symbol++)
    symbolOf.set(`${codeLengths[symbol]}:${codeWords[symbol]}`, symbol)
  let text = ''
  let word = 0
  let bits = 0
  for (const byte of source) {
    for (let bit = 7; bit >= 0; bit--) {
      word = word * 2 + ((byte >> bit) & 1)
      const symbol = symbolOf.get(`${++bits}:${word}`)
      if (symbol === undefined) continue
      if (symbol === 256) return undefined
      text += String.fromCharCode(symbol)
      word = 0
      bits = 0
    }
  }
  return bits <= 7 && word === 2 ** bits - 1 ? text : undefined
}

describe.skipIf(path === undefined)('Huffman vectors', () => {
  const vectors = (path === undefined ? {} : JSON.parse(readFileSync(path, 'utf8'))) as Vectors

  it('has the code of RFC 7541 appendix B', () => {
    const codes = vectors.rfc7541_B_huffman.codes
    expect(codes.length).toBe(257)
    expect(codes.map(([word]) => Number.parseInt(word, 16))).toEqual([...codeWords])
    expect(codes.map(([, bits]) => bits)).toEqual([...codeLengths])
  })

  it('encodes and decodes the strings of RFC 7541 appendix C', () => {
    for (const { ascii, hex } of vectors.rfc7541_C_huffman_strings) {
      expect(encode(ascii)).toBe(hex)
      expect(decode(hex)).toBe(ascii)
    }
  })

  it('refuses EOS, and padding that is too long or not all ones (RFC 7541 section 5.2)', () => {
    for (const { hex, valid, ascii } of vectors.huffman_negative) {
      expect(decode(hex)).toBe(valid === true ? ascii : undefined)
    }
  })
})

describe('Huffman code (RFC 7541 section 5.2)', () => {
  it('keeps every byte value', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))
    expect(decode(encode(all))).toBe(all)
  })

  it('decodes any string that it encoded', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 }), (codes) => {
        const text = String.fromCharCode(...codes)
        expect(decode(encode(text))).toBe(text)
      }),
    )
  })

  it('agrees with a bitwise decoder on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        expect(decode(Buffer.from(bytes).toString('hex'))).toBe(decodeBitwise(bytes))
      }),
      { numRuns: 500 },
    )
  })
})
