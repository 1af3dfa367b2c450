import { describe, expect, it } from 'vitest'
import type { AeadBackend, HeaderBackend } from '../../../../src/transport/crypto/aead.ts'
import {
  AES_128_GCM_SHA256,
  AES_256_GCM_SHA384,
  CHACHA20_POLY1305_SHA256,
  CIPHER_SUITES,
  selectBackends,
  suiteById,
} from '../../../../src/transport/crypto/index.ts'
import { passesAeadTest, passesHeaderTest } from '../../../../src/transport/crypto/known-answers.ts'
import { nodeBackend, nodeHeaderBackend } from '../../../../src/transport/crypto/node-backend.ts'
import { AEAD_PAIRS, HEADER_PAIRS } from './backends-under-test.ts'

/** The node backend with one fault. */
function faulty(fault: 'seal' | 'open' | 'refuse' | 'throw'): AeadBackend {
  return {
    ...nodeBackend,
    createAead(suite, key, iv) {
      const good = nodeBackend.createAead(suite, key, iv)
      if (fault === 'throw') throw new Error('no such engine')
      return {
        seal(buffer, headerStart, payloadStart, payloadEnd, packetNumber) {
          good.seal(buffer, headerStart, payloadStart, payloadEnd, packetNumber)
          if (fault === 'seal') buffer[payloadEnd + 15]! ^= 1
        },
        open(buffer, headerStart, payloadStart, end, packetNumber) {
          const isOpened = good.open(buffer, headerStart, payloadStart, end, packetNumber)
          if (fault === 'open') return true
          if (fault === 'refuse') return false
          return isOpened
        },
      }
    },
  }
}

describe('known-answer tests', () => {
  it.each(AEAD_PAIRS)('passed: $title', ({ backend, suite }) => {
    expect(passesAeadTest(backend, suite)).toBe(true)
  })

  it.each(HEADER_PAIRS)('passed: header protection of $title', ({ backend, suite }) => {
    expect(passesHeaderTest(backend, suite)).toBe(true)
  })

  it('failed by a wrong tag, by accepting a forgery, by refusing what is right, and by a throw', () => {
    for (const suite of CIPHER_SUITES) {
      for (const fault of ['seal', 'open', 'refuse', 'throw'] as const) {
        expect(passesAeadTest(faulty(fault), suite), fault).toBe(false)
      }
      const swapped: HeaderBackend = {
        ...nodeHeaderBackend,
        createHeaderProtector: (_suite, key) =>
          nodeHeaderBackend.createHeaderProtector(suite, key.slice().reverse()),
      }
      expect(passesHeaderTest(swapped, suite)).toBe(false)
    }
  })
})

describe('selectBackends', () => {
  it('takes WebAssembly for ChaCha20-Poly1305 and OpenSSL for AES, and prefers the cheaper', () => {
    const set = selectBackends()
    expect(set.name).toBe('aes:node chacha20:wasm')
    expect(set.aeadFor(AES_128_GCM_SHA256).name).toBe('node')
    expect(set.aeadFor(AES_256_GCM_SHA384).name).toBe('node')
    expect(set.aeadFor(CHACHA20_POLY1305_SHA256).name).toBe('wasm')
    expect(set.preferredSuites).toEqual([0x1303, 0x1301, 0x1302])
  })

  it('obeys the names and their order', () => {
    expect(selectBackends(['node', 'wasm']).name).toBe('aes:node chacha20:node')
    expect(selectBackends(['node']).preferredSuites).toEqual([0x1301, 0x1302, 0x1303])
    expect(selectBackends(['noble']).name).toBe('aes:noble chacha20:noble')
    expect(selectBackends(['wasm', 'noble']).name).toBe('aes:noble chacha20:wasm')
  })

  it('RFC 9001 section 5.2: refuses a choice without AES-128-GCM, which Initial packets need', () => {
    expect(() => selectBackends(['wasm'])).toThrow('AES-128-GCM')
    expect(() => selectBackends([])).toThrow('AES-128-GCM')
  })

  it('refuses a suite that it does not know', () => {
    const unknown = { ...AES_128_GCM_SHA256, id: 0x1304, name: 'TLS_AES_128_CCM_SHA256' }
    expect(() => selectBackends().aeadFor(unknown)).toThrow(RangeError)
    expect(() => selectBackends().headerProtectorFor(unknown, new Uint8Array(16))).toThrow(RangeError)
  })
})

describe('cipher suites', () => {
  it('RFC 8446 appendix B.4: are found by code point', () => {
    for (const suite of CIPHER_SUITES) expect(suiteById(suite.id)).toBe(suite)
    expect(suiteById(0x1304)).toBeUndefined()
  })

  it('RFC 9001 section 6.6: have their usage limits', () => {
    expect([AES_128_GCM_SHA256.confidentialityLimit, AES_256_GCM_SHA384.confidentialityLimit]).toEqual([
      8_388_608, 8_388_608,
    ])
    expect(AES_128_GCM_SHA256.integrityLimit).toBe(4_503_599_627_370_496)
    expect(CHACHA20_POLY1305_SHA256.integrityLimit).toBe(68_719_476_736)
    expect(CHACHA20_POLY1305_SHA256.confidentialityLimit).toBeGreaterThan(2 ** 62)
  })
})
