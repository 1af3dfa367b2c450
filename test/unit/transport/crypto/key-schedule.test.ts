import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  digest,
  equalSecret,
  hkdfExpand,
  hkdfExpandLabel,
  hkdfExtract,
  hmac,
  initialSecrets,
} from '../../../../src/transport/crypto/index.ts'
import { bytes, hex, wycheproof } from './vectors.ts'

const { rfc8448 } = JSON.parse(readFileSync(new URL('rfc-vectors.json', import.meta.url), 'utf8'))
const EMPTY = new Uint8Array(0)
const HASHES = ['sha256', 'sha384'] as const

describe('RFC 8446 section 7.1 with the values of RFC 8448 section 3', () => {
  const emptyHash = digest('sha256')
  const helloHash = digest('sha256', bytes(rfc8448.client_hello), bytes(rfc8448.server_hello))
  const label = (secret: string, name: string, context: Uint8Array, length = 32) =>
    hex(hkdfExpandLabel('sha256', bytes(secret), name, context, length))

  it('extracts early, handshake and master secret', () => {
    expect(hex(hkdfExtract('sha256', EMPTY, new Uint8Array(32)))).toBe(rfc8448.early_secret)
    const handshake = hkdfExtract('sha256', bytes(rfc8448.derived_for_handshake), bytes(rfc8448.ecdhe_shared))
    expect(hex(handshake)).toBe(rfc8448.handshake_secret)
    const master = hkdfExtract('sha256', bytes(rfc8448.derived_for_master), new Uint8Array(32))
    expect(hex(master)).toBe(rfc8448.master_secret)
  })

  it('derives the secrets between them, the traffic secrets and their keys', () => {
    expect(label(rfc8448.early_secret, 'derived', emptyHash)).toBe(rfc8448.derived_for_handshake)
    expect(label(rfc8448.handshake_secret, 'derived', emptyHash)).toBe(rfc8448.derived_for_master)
    expect(label(rfc8448.handshake_secret, 'c hs traffic', helloHash)).toBe(rfc8448.client_handshake_traffic)
    expect(label(rfc8448.handshake_secret, 's hs traffic', helloHash)).toBe(rfc8448.server_handshake_traffic)
    expect(label(rfc8448.server_handshake_traffic, 'key', EMPTY, 16)).toBe(rfc8448.server_handshake_key)
    expect(label(rfc8448.server_handshake_traffic, 'iv', EMPTY, 12)).toBe(rfc8448.server_handshake_iv)
  })
})

describe('RFC 5869: HKDF', () => {
  it('appendix A.1: extract and expand over two blocks', () => {
    const key = hkdfExtract('sha256', bytes('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b))
    expect(hex(key)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5')
    expect(hex(hkdfExpand('sha256', key, bytes('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    )
  })

  it('section 2.3: refuses more than 255 blocks, labels and contexts beyond their length bytes', () => {
    expect(hkdfExpand('sha256', new Uint8Array(32), EMPTY, 255 * 32).length).toBe(255 * 32)
    expect(() => hkdfExpand('sha256', new Uint8Array(32), EMPTY, 255 * 32 + 1)).toThrow(RangeError)
    expect(() => hkdfExpand('sha384', new Uint8Array(48), EMPTY, 255 * 48 + 1)).toThrow(RangeError)
    expect(() => hkdfExpandLabel('sha256', EMPTY, 'x'.repeat(250), EMPTY, 32)).toThrow(RangeError)
    expect(() => hkdfExpandLabel('sha256', EMPTY, 'x', new Uint8Array(256), 32)).toThrow(RangeError)
  })

  interface HkdfGroup {
    readonly tests: readonly {
      tcId: number
      ikm: string
      salt: string
      info: string
      size: number
      okm: string
    }[]
  }
  const files = HASHES.map((hash) => ({ hash, file: wycheproof<HkdfGroup>(`hkdf_${hash}`) }))
  it.skipIf(files.some(({ file }) => file === undefined)).each(files)(
    'Wycheproof: $hash',
    ({ hash, file }) => {
      for (const test of file!.testGroups.flatMap((group) => group.tests)) {
        const key = hkdfExtract(hash, bytes(test.salt), bytes(test.ikm))
        const expand = () => hex(hkdfExpand(hash, key, bytes(test.info), test.size))
        if (test.okm === '') expect(expand, `case ${test.tcId}`).toThrow(RangeError)
        else expect(expand(), `case ${test.tcId}`).toBe(test.okm)
      }
    },
  )
})

describe('RFC 2104: HMAC', () => {
  it('RFC 4231 test case 2', () => {
    expect(hex(hmac('sha256', Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })

  interface MacGroup {
    readonly tagSize: number
    readonly tests: readonly { tcId: number; key: string; msg: string; tag: string; result: string }[]
  }
  const files = HASHES.map((hash) => ({ hash, file: wycheproof<MacGroup>(`hmac_${hash}`) }))
  it.skipIf(files.some(({ file }) => file === undefined)).each(files)(
    'Wycheproof: $hash',
    ({ hash, file }) => {
      for (const group of file!.testGroups) {
        for (const test of group.tests) {
          const tag = hmac(hash, bytes(test.key), bytes(test.msg)).subarray(0, group.tagSize / 8)
          expect(equalSecret(tag, bytes(test.tag)), `case ${test.tcId}`).toBe(test.result === 'valid')
        }
      }
    },
  )
})

describe('the smaller parts', () => {
  it('digest takes its input in parts', () => {
    expect(hex(digest('sha384', Buffer.from('a'), Buffer.from('bc')))).toBe(
      hex(digest('sha384', Buffer.from('abc'))),
    )
    expect(hex(digest('sha256', Buffer.from('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  it('equalSecret tells equal from different and from longer', () => {
    expect(equalSecret(bytes('0102'), bytes('0102'))).toBe(true)
    expect(equalSecret(bytes('0102'), bytes('0103'))).toBe(false)
    expect(equalSecret(bytes('0102'), bytes('010200'))).toBe(false)
  })

  it('RFC 9001 section 5.2: an unknown version has no Initial secrets', () => {
    expect(() => initialSecrets(0xff00_001d, bytes('8394c8f03e515708'))).toThrow(RangeError)
  })
})
