// serverCertificateHashes: what a certificate needs beside the right hash.
import { describe, expect, it } from 'vitest'
import { hashVerifier } from '../../../src/client/certificate-hashes.ts'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'
import { certificatesFromPem } from '../../../src/transport/tls/identity.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const DAY = 86_400_000

async function certificate(days: number) {
  const { certPem, certificateHash } = await createSelfSigned({ days, now: NOW })
  return { chain: certificatesFromPem(certPem), value: Buffer.from(certificateHash, 'base64') }
}

function verdict(
  chain: readonly Uint8Array[],
  hashes: Parameters<typeof hashVerifier>[0],
  now = NOW + DAY,
): string {
  let result = 'none'
  hashVerifier(hashes, () => now)({ chain, role: 'server' }, (given) => {
    result = given === true ? 'accepted' : given.reason
  })
  return result
}

describe('a certificate by its hash', () => {
  it('is accepted when it is young, of every buffer kind, beside other hashes', async () => {
    const { chain, value } = await certificate(13)
    const other = { algorithm: 'sha-256', value: new Uint8Array(32) }
    expect(verdict(chain, [other, { algorithm: 'SHA-256', value }])).toBe('accepted')
    expect(verdict(chain, [{ algorithm: 'sha-256', value: new Uint8Array(value).buffer }])).toBe('accepted')
  })

  it('is refused with another hash, an unknown algorithm, or none', async () => {
    const { chain, value } = await certificate(13)
    expect(verdict(chain, [{ algorithm: 'sha-256', value: new Uint8Array(32) }])).toContain('another hash')
    expect(verdict(chain, [{ algorithm: 'sha-512', value }])).toContain('another hash')
    expect(verdict(chain, [])).toContain('another hash')
    expect(verdict([], [{ algorithm: 'sha-256', value }])).toContain('no certificate')
  })

  it('is refused when it lives for more than 14 days, or is not valid now', async () => {
    const long = await certificate(15)
    expect(verdict(long.chain, [{ algorithm: 'sha-256', value: long.value }])).toContain('14 days')
    const { chain, value } = await certificate(13)
    const hashes = [{ algorithm: 'sha-256', value }]
    expect(verdict(chain, hashes, NOW + 30 * DAY)).toContain('expired')
    expect(verdict(chain, hashes, NOW - 30 * DAY)).toContain('not valid yet')
  })
})
