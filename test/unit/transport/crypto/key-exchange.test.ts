import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { KeyExchangeGroup } from '../../../../src/transport/crypto/index.ts'
import {
  groupById,
  KEY_EXCHANGE_GROUPS,
  KeyExchangeError,
  secp256r1,
  x25519,
  x25519MlKem768,
} from '../../../../src/transport/crypto/index.ts'
import { bytes, hex, seededEntropy, wycheproof } from './vectors.ts'

const { rfc8448 } = JSON.parse(readFileSync(new URL('rfc-vectors.json', import.meta.url), 'utf8'))

/** An entropy source that gives a chosen private key. */
function fixed(privateKey: Uint8Array) {
  return { fill: (target: Uint8Array) => target.set(privateKey.subarray(0, target.length)) }
}

interface DhCase {
  readonly tcId: number
  readonly flags: readonly string[]
  readonly public: string
  readonly private: string
  readonly shared: string
  readonly result: 'valid' | 'acceptable' | 'invalid'
}
interface DhGroup {
  readonly tests: readonly DhCase[]
}

describe.each(KEY_EXCHANGE_GROUPS.map((group) => ({ group, name: group.name })))(
  'RFC 8446 section 4.2.8: $name',
  ({ group }: { group: KeyExchangeGroup }) => {
    it('both sides come to the same secret, with shares of the announced lengths', () => {
      const share = group.generate(seededEntropy(1))
      const answer = group.respond(share.publicKey, seededEntropy(2))
      expect(share.publicKey.length).toBe(group.shareLength.client)
      expect(answer.share.length).toBe(group.shareLength.server)
      expect(hex(group.complete(share, answer.share))).toBe(hex(answer.secret))
    })

    it('private keys come from the given entropy alone', () => {
      const first = group.generate(seededEntropy(3)).publicKey
      expect(hex(group.generate(seededEntropy(3)).publicKey)).toBe(hex(first))
      expect(hex(group.generate(seededEntropy(4)).publicKey)).not.toBe(hex(first))
    })

    it('a share of a wrong length is refused on both sides', () => {
      const share = group.generate(seededEntropy(5))
      for (const change of [-1, 1]) {
        const client = new Uint8Array(group.shareLength.client + change).fill(4)
        const server = new Uint8Array(group.shareLength.server + change).fill(4)
        expect(() => group.respond(client, seededEntropy(6))).toThrow(KeyExchangeError)
        expect(() => group.complete(share, server)).toThrow(KeyExchangeError)
      }
      expect(() => group.respond(new Uint8Array(0), seededEntropy(6))).toThrow(KeyExchangeError)
    })

    it('is found by its code point', () => {
      expect(groupById(group.id)).toBe(group)
    })
  },
)

describe('x25519', () => {
  it('RFC 8448 section 3: the shares and the secret of the trace', () => {
    const client = x25519.generate(fixed(bytes(rfc8448.client_private)))
    expect(hex(client.publicKey)).toBe(rfc8448.client_public)
    expect(hex(x25519.complete(client, bytes(rfc8448.server_public)))).toBe(rfc8448.ecdhe_shared)
    const server = x25519.respond(client.publicKey, fixed(bytes(rfc8448.server_private)))
    expect(hex(server.share)).toBe(rfc8448.server_public)
    expect(hex(server.secret)).toBe(rfc8448.ecdhe_shared)
  })

  it('RFC 8446 section 7.4.2: every share of small order is refused', () => {
    const share = x25519.generate(seededEntropy(7))
    const small = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
    ]
    for (const point of small) {
      expect(() => x25519.complete(share, bytes(point)), point).toThrow(KeyExchangeError)
      expect(() => x25519.respond(bytes(point), seededEntropy(8)), point).toThrow(KeyExchangeError)
    }
  })

  const file = wycheproof<DhGroup>('x25519')
  it.skipIf(file === undefined)('Wycheproof vectors', () => {
    for (const test of file!.testGroups.flatMap((group) => group.tests)) {
      const share = x25519.generate(fixed(bytes(test.private)))
      const agree = () => hex(x25519.complete(share, bytes(test.public)))
      if (/^0*$/.test(test.shared)) expect(agree, `case ${test.tcId}`).toThrow(KeyExchangeError)
      else expect(agree(), `case ${test.tcId}`).toBe(test.shared)
    }
  })
})

describe('secp256r1', () => {
  it('RFC 8446 section 4.2.8.2: compressed points and points off the curve are refused', () => {
    const share = secp256r1.generate(seededEntropy(9))
    const off = share.publicKey.slice()
    off[64]! ^= 1
    const hybrid = share.publicKey.slice()
    hybrid[0] = 6 + (hybrid[64]! & 1)
    const compressed = Uint8Array.of(2 + (share.publicKey[64]! & 1), ...share.publicKey.subarray(1, 33))
    for (const bad of [off, hybrid, compressed, new Uint8Array(1), new Uint8Array(65)]) {
      expect(() => secp256r1.complete(share, bad)).toThrow(KeyExchangeError)
      expect(() => secp256r1.respond(bad, seededEntropy(1))).toThrow(KeyExchangeError)
    }
  })

  it('draws again when a scalar is out of range, and gives up on a broken source', () => {
    let draws = 0
    const share = secp256r1.generate({ fill: (target) => target.fill(draws++ === 0 ? 0xff : 1) })
    expect(draws).toBe(2)
    expect(share.publicKey.length).toBe(65)
    expect(() => secp256r1.generate({ fill: (target) => target.fill(0) })).toThrow('entropy')
  })

  const file = wycheproof<DhGroup>('ecdh_secp256r1_ecpoint')
  it.skipIf(file === undefined)('Wycheproof vectors', () => {
    for (const test of file!.testGroups.flatMap((group) => group.tests)) {
      const scalar = bytes(test.private.padStart(64, '0').slice(-64))
      const share = secp256r1.generate(fixed(scalar))
      const agree = () => hex(secp256r1.complete(share, bytes(test.public)))
      const isUncompressed = test.public.startsWith('04') && test.public.length === 130
      if (test.result === 'invalid' || !isUncompressed) {
        expect(agree, `case ${test.tcId}`).toThrow(KeyExchangeError)
      } else {
        expect(agree(), `case ${test.tcId}`).toBe(test.shared)
      }
    }
  })
})

describe('X25519MLKEM768', () => {
  it('puts ML-KEM first in the shares and in the secret', () => {
    const share = x25519MlKem768.generate(seededEntropy(10))
    const answer = x25519MlKem768.respond(share.publicKey, seededEntropy(11))
    const secret = x25519MlKem768.complete(share, answer.share)
    expect(secret.length).toBe(64)
    const changed = answer.share.slice()
    changed[0]! ^= 1
    const other = x25519MlKem768.complete(share, changed)
    expect(hex(other.subarray(0, 32))).not.toBe(hex(secret.subarray(0, 32)))
    expect(hex(other.subarray(32))).toBe(hex(secret.subarray(32)))
  })

  it('refuses a small-order curve share and an unreduced ML-KEM key', () => {
    const share = x25519MlKem768.generate(seededEntropy(12))
    const answer = x25519MlKem768.respond(share.publicKey, seededEntropy(13)).share.slice()
    answer.fill(0, 1088)
    expect(() => x25519MlKem768.complete(share, answer)).toThrow(KeyExchangeError)
    const curve = share.publicKey.slice()
    curve.fill(0, 1184)
    expect(() => x25519MlKem768.respond(curve, seededEntropy(14))).toThrow(KeyExchangeError)
    const lattice = share.publicKey.slice()
    lattice.fill(0xff, 0, 3)
    expect(() => x25519MlKem768.respond(lattice, seededEntropy(15))).toThrow(KeyExchangeError)
  })
})
