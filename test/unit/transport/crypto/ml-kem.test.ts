import { describe, expect, it } from 'vitest'
import type { MlKem } from '../../../../src/transport/crypto/ml-kem.ts'
import { hasNodeMlKem, mlKem, nobleMlKem, nodeMlKem } from '../../../../src/transport/crypto/ml-kem.ts'
import { bytes, hex, seededEntropy, wycheproof } from './vectors.ts'

interface MlKemGroup {
  readonly tests: readonly {
    tcId: number
    seed: string
    ek: string
    c: string
    K: string
    result: 'valid' | 'invalid'
  }[]
}

const file = wycheproof<MlKemGroup>('mlkem_768')

// Node has ML-KEM since 24.7; on an older one only the JavaScript implementation is there to be tested.
const implementations: readonly MlKem[] = hasNodeMlKem() ? [nodeMlKem, nobleMlKem] : [nobleMlKem]

describe.each(implementations.map((kem) => ({ kem, name: kem.name })))(
  'FIPS 203: ML-KEM-768 by $name',
  ({ kem }) => {
    it('agrees with every implementation, as either side', () => {
      for (const other of implementations) {
        const pair = kem.generate(seededEntropy(1))
        expect(hex(other.generate(seededEntropy(1)).publicKey)).toBe(hex(pair.publicKey))
        const { ciphertext, secret } = other.encapsulate(pair.publicKey, seededEntropy(2))
        expect(hex(kem.decapsulate(pair.secretKey, ciphertext))).toBe(hex(secret))
      }
    })

    it('section 7.2: refuses an encapsulation key with an unreduced coefficient', () => {
      const { publicKey } = kem.generate(seededEntropy(3))
      const bad = publicKey.slice()
      bad.fill(0xff, 0, 3)
      expect(() => kem.encapsulate(bad, seededEntropy(4))).toThrow()
    })

    it('section 6.3: a changed ciphertext gives another secret and no error', () => {
      const pair = kem.generate(seededEntropy(5))
      const { ciphertext, secret } = kem.encapsulate(pair.publicKey, seededEntropy(6))
      const changed = ciphertext.slice()
      changed[100]! ^= 1
      const implicit = hex(kem.decapsulate(pair.secretKey, changed))
      expect(implicit).not.toBe(hex(secret))
      expect(hex(kem.decapsulate(pair.secretKey, changed))).toBe(implicit)
    })

    it.skipIf(file === undefined)('Wycheproof vectors', () => {
      for (const test of wycheproof<MlKemGroup>('mlkem_768')?.testGroups.flatMap((group) => group.tests) ??
        []) {
        const run = () => {
          const seed = bytes(test.seed)
          if (seed.length !== 64) throw new RangeError('seed length')
          const pair = kem.generate({ fill: (target) => target.set(seed) })
          expect(hex(pair.publicKey), `case ${test.tcId}`).toBe(test.ek)
          return hex(kem.decapsulate(pair.secretKey, bytes(test.c)))
        }
        if (test.result === 'invalid') expect(run, `case ${test.tcId}`).toThrow()
        else expect(run(), `case ${test.tcId}`).toBe(test.K)
      }
    })
  },
)

it('the implementation by OpenSSL is taken where this Node has it', () => {
  expect(mlKem()).toBe(hasNodeMlKem() ? nodeMlKem : nobleMlKem)
  expect(mlKem()).toBe(mlKem())
})
