import type { KeyObject, RSAPSSKeyPairOptions } from 'node:crypto'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  SignatureScheme,
  SUPPORTED_SCHEMES,
  schemesForKey,
  sign,
  verify,
} from '../../../../src/transport/crypto/index.ts'
import { bytes, wycheproof } from './vectors.ts'

const S = SignatureScheme

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A PSS key that names its hash and its shortest salt; Node wants the number that its types call a string. */
function restrictedPssPair(hash: string, saltLength: number): Pair {
  const options = { modulusLength: 2048, hashAlgorithm: hash, mgf1HashAlgorithm: hash, saltLength }
  return generateKeyPairSync('rsa-pss', options as object as RSAPSSKeyPairOptions) as object as Pair
}

const keys: Record<string, { pair: Pair; schemes: number[] }> = {
  'P-256': { pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }), schemes: [S.ecdsa_secp256r1_sha256] },
  'P-384': { pair: generateKeyPairSync('ec', { namedCurve: 'P-384' }), schemes: [S.ecdsa_secp384r1_sha384] },
  'P-521': { pair: generateKeyPairSync('ec', { namedCurve: 'P-521' }), schemes: [S.ecdsa_secp521r1_sha512] },
  Ed25519: { pair: generateKeyPairSync('ed25519'), schemes: [S.ed25519] },
  'RSA-2048': {
    pair: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    schemes: [S.rsa_pss_rsae_sha256, S.rsa_pss_rsae_sha384, S.rsa_pss_rsae_sha512],
  },
  'RSA-PSS-2048': {
    pair: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
    schemes: [S.rsa_pss_pss_sha256, S.rsa_pss_pss_sha384, S.rsa_pss_pss_sha512],
  },
  'RSA-PSS-2048 for SHA-384': {
    pair: restrictedPssPair('sha384', 48),
    schemes: [S.rsa_pss_pss_sha384],
  },
  'RSA-PSS-2048 with a salt longer than TLS takes': {
    pair: restrictedPssPair('sha256', 48),
    schemes: [],
  },
  'RSA-1024': { pair: generateKeyPairSync('rsa', { modulusLength: 1024 }), schemes: [] },
  secp256k1: { pair: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), schemes: [] },
  X25519: { pair: generateKeyPairSync('x25519'), schemes: [] },
}

const entries = Object.entries(keys).map(([name, entry]) => ({ name, ...entry }))
const data = Buffer.from('what is signed')

describe.each(entries)('RFC 8446 section 4.2.3: $name', ({ pair, schemes }) => {
  it('fits exactly the schemes of its type', () => {
    expect(schemesForKey(pair.privateKey)).toEqual(schemes)
    expect(schemesForKey(pair.publicKey)).toEqual(schemes)
  })

  it('signs and verifies with these schemes, and refuses all others', () => {
    for (const scheme of SUPPORTED_SCHEMES) {
      if (!schemes.includes(scheme)) {
        expect(() => sign(scheme, pair.privateKey, data)).toThrow(RangeError)
        expect(verify(scheme, pair.publicKey, data, new Uint8Array(64))).toBe(false)
        continue
      }
      const signature = sign(scheme, pair.privateKey, data)
      expect(verify(scheme, pair.publicKey, data, signature)).toBe(true)
      for (const other of SUPPORTED_SCHEMES) {
        if (other !== scheme) expect(verify(other, pair.publicKey, data, signature)).toBe(false)
      }
    }
  })

  it('refuses changed data, changed, shortened and empty signatures', () => {
    for (const scheme of schemes) {
      const signature = sign(scheme, pair.privateKey, data)
      expect(verify(scheme, pair.publicKey, Buffer.from('what is signee'), signature)).toBe(false)
      for (const at of [0, signature.length >> 1, signature.length - 1]) {
        const changed = Uint8Array.from(signature)
        changed[at]! ^= 0x10
        expect(verify(scheme, pair.publicKey, data, changed)).toBe(false)
      }
      expect(verify(scheme, pair.publicKey, data, signature.subarray(1))).toBe(false)
      expect(verify(scheme, pair.publicKey, data, new Uint8Array(0))).toBe(false)
    }
  })
})

interface SignatureGroup {
  readonly publicKeyDer: string
  readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[]
}

const FILES = [
  { file: 'ecdsa_secp256r1_sha256', scheme: S.ecdsa_secp256r1_sha256 },
  { file: 'ecdsa_secp384r1_sha384', scheme: S.ecdsa_secp384r1_sha384 },
  { file: 'ecdsa_secp521r1_sha512', scheme: S.ecdsa_secp521r1_sha512 },
  { file: 'ed25519', scheme: S.ed25519 },
  { file: 'rsa_pss_2048_sha256_mgf1_32', scheme: S.rsa_pss_rsae_sha256 },
  { file: 'rsa_pss_2048_sha384_mgf1_48', scheme: S.rsa_pss_rsae_sha384 },
].map((entry) => ({ ...entry, groups: wycheproof<SignatureGroup>(entry.file)?.testGroups }))

describe.skipIf(FILES.some(({ groups }) => groups === undefined))('Wycheproof signature vectors', () => {
  it.each(FILES)('$file', ({ scheme, groups }) => {
    for (const group of groups!) {
      const key = createPublicKey({
        key: Buffer.from(group.publicKeyDer, 'hex'),
        format: 'der',
        type: 'spki',
      })
      for (const test of group.tests) {
        const isValid = verify(scheme, key, bytes(test.msg), bytes(test.sig))
        expect(isValid, `case ${test.tcId}`).toBe(test.result === 'valid')
      }
    }
  })
})
