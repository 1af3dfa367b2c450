import { describe, expect, it } from 'vitest'
import { suiteById } from '../../../../src/transport/crypto/index.ts'
import { AEAD_PAIRS } from './backends-under-test.ts'
import { bytes, hex, wycheproof } from './vectors.ts'

interface AeadCase {
  readonly tcId: number
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}
interface AeadGroup {
  readonly ivSize: number
  readonly keySize: number
  readonly tagSize: number
  readonly tests: readonly AeadCase[]
}

const files = {
  aes: wycheproof<AeadGroup>('aes_gcm'),
  chacha: wycheproof<AeadGroup>('chacha20_poly1305'),
}

/** QUIC has 96-bit nonces and 128-bit tags only. */
function casesFor(suiteId: number): AeadCase[] {
  const keySize = 8 * suiteById(suiteId)!.keyLength
  const groups = (suiteId === 0x1303 ? files.chacha : files.aes)?.testGroups ?? []
  return groups
    .filter((group) => group.ivSize === 96 && group.tagSize === 128 && group.keySize === keySize)
    .flatMap((group) => group.tests)
}

describe.skipIf(files.aes === undefined || files.chacha === undefined)('Wycheproof AEAD vectors', () => {
  it.each(AEAD_PAIRS)('RFC 9001 section 5.3: $title', ({ backend, suite }) => {
    const cases = casesFor(suite.id)
    expect(cases.length).toBeGreaterThan(50)
    for (const test of cases) {
      const aad = bytes(test.aad)
      const message = bytes(test.msg)
      const aead = backend.createAead(suite, bytes(test.key), bytes(test.iv))
      const sealed = Buffer.concat([aad, bytes(test.ct), bytes(test.tag)])
      const isOpened = aead.open(sealed, 0, aad.length, sealed.length, 0)
      expect(isOpened, `case ${test.tcId}`).toBe(test.result === 'valid')
      if (test.result !== 'valid') continue
      expect(hex(sealed.subarray(aad.length, -16)), `case ${test.tcId}`).toBe(test.msg)
      const packet = Buffer.concat([aad, message, new Uint8Array(16)])
      aead.seal(packet, 0, aad.length, aad.length + message.length, 0)
      expect(hex(packet), `case ${test.tcId}`).toBe(test.aad + test.ct + test.tag)
    }
  })
})
