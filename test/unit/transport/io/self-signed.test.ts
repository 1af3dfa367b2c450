// The development certificate: what browsers demand of it, and that TLS takes it.
import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSelfSigned } from '../../../../src/transport/io/self-signed.ts'
import { loadIdentity, trustAnchorsFromPem, verifyChain } from '../../../../src/transport/tls/index.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

describe('a self-signed certificate', () => {
  it('is an identity for localhost and the loopback addresses unless told otherwise', async () => {
    const { certPem, keyPem } = await createSelfSigned()
    expect(loadIdentity(certPem, keyPem).names).toEqual(['localhost', '127.0.0.1', '::1'])
    expect(new X509Certificate(certPem).checkIP('::1')).toBe('::1')
  })

  it('has a P-256 key and lives 13 days, less than the 14 that browsers allow', async () => {
    const certificate = new X509Certificate((await createSelfSigned({ now: NOW })).certPem)
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    const [begin, end] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
    expect(begin).toBeLessThan(NOW)
    expect(end - begin).toBe(13 * DAY)
  })

  it('is valid now by the clock of the system', async () => {
    const certificate = new X509Certificate((await createSelfSigned({ days: 1 })).certPem)
    expect(certificate.validToDate.getTime() - Date.now()).toBeGreaterThan(DAY / 2)
    expect(Date.now()).toBeGreaterThan(certificate.validFromDate.getTime())
  })

  it('comes with the hashes by which it can be pinned', async () => {
    const made = await createSelfSigned()
    const certificate = new X509Certificate(made.certPem)
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' })
    expect(made.spkiHash).toBe(createHash('sha256').update(spki).digest('base64'))
    expect(made.certificateHashHex).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase())
    expect(Buffer.from(made.certificateHash, 'base64').toString('hex')).toBe(made.certificateHashHex)
  })

  it('is believed by a client that trusts it, for its names only', async () => {
    const { certPem, keyPem } = await createSelfSigned({ names: ['a.example.test', '2001:db8::7'], now: NOW })
    const { certificateChain: chain } = loadIdentity(certPem, keyPem)
    const check = {
      chain,
      trustAnchors: trustAnchorsFromPem(certPem),
      now: NOW,
      purpose: 'serverAuth' as const,
    }
    expect(await verifyChain({ ...check, serverName: 'a.example.test' })).toBe(true)
    expect(await verifyChain({ ...check, serverName: '2001:db8::7' })).toBe(true)
    expect(await verifyChain({ ...check, serverName: 'localhost' })).not.toBe(true)
  })

  it('differs each time', async () => {
    const [a, b] = await Promise.all([createSelfSigned(), createSelfSigned()])
    expect(a.certificateHash).not.toBe(b.certificateHash)
    expect(new X509Certificate(a.certPem).serialNumber).not.toBe(new X509Certificate(b.certPem).serialNumber)
  })
})
