// Who shows which certificate and who decides about it: RFC 8446 sections 4.3.2 and 4.4, RFC 6066 section 3.
import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  Alert,
  loadIdentity,
  type ServerIdentity,
  trustAnchorsFromPem,
  verifyChain,
} from '../../../../src/transport/tls/index.ts'
import { CLIENT_AUTH, issue, type KeyKind, keyPem, NOW } from './certificates.ts'
import { CryptoAlert, codeOf } from './endpoints.ts'
import { Pair } from './loopback.ts'
import { concat, message, u8, vector } from './raw-hello.ts'

const authority = issue({ subject: 'authority', isAuthority: true })

function identityFor(names: string[], key: KeyKind = 'p256'): ServerIdentity {
  const certificate = issue({ subject: names[0] ?? 'nobody', names, key, issuer: authority })
  return loadIdentity(certificate.pem, keyPem(certificate))
}

const clientIdentity = (key: KeyKind = 'p256') => {
  const certificate = issue({ subject: 'client', key, issuer: authority, usages: [CLIENT_AUTH] })
  return loadIdentity(certificate.pem + authority.pem, keyPem(certificate))
}

describe('the server’s certificate (RFC 8446 section 4.4.2.2)', () => {
  const identities = [
    identityFor(['default.test']),
    identityFor(['a.example.test', 'b.example.test']),
    identityFor(['*.example.test']),
    identityFor(['a.example.test'], 'ed25519'),
  ]
  const shown = (serverName: string, client = {}) => {
    const pair = new Pair({ server: { identities }, client: { serverName, ...client } }).run()
    expect(pair.isComplete).toBe(true)
    return identities.findIndex(({ certificateChain }) =>
      Buffer.from(certificateChain[0]).equals(pair.client.peerCertificates[0]),
    )
  }

  it.each([
    ['a.example.test', 1],
    ['B.Example.Test', 1],
    ['c.example.test', 2],
    ['d.c.example.test', 0],
    ['example.test', 0],
    ['elsewhere.test', 0],
    ['192.0.2.1', 0],
    ['localhost', 0],
  ])('for %s is number %i (RFC 6066 section 3)', (serverName, index) => {
    expect(shown(serverName)).toBe(index)
  })

  it('is sent with its chain, leaf first', () => {
    const certificate = issue({ subject: 'leaf', names: ['server.test'], issuer: authority })
    const identity = loadIdentity(certificate.pem + authority.pem, keyPem(certificate))
    const pair = new Pair({ server: { identities: [identity] } }).run()
    expect(pair.client.peerCertificates).toEqual([certificate.der, authority.der])
  })
})

describe('the client’s verdict on the server', () => {
  const verified = { verifyCertificate: true }

  it('is asked for once, with chain and name, and let through', () => {
    const pair = new Pair({ client: verified, verdict: true }).run()
    expect(pair.isComplete).toBe(true)
    expect(pair.toServer.verifications).toHaveLength(1)
    const [{ chain, role, serverName }] = pair.toServer.verifications
    expect({ role, serverName }).toEqual({ role: 'server', serverName: 'server.test' })
    expect(chain).toEqual(pair.client.peerCertificates)
  })

  it('may come later: what the server says meanwhile waits', () => {
    const pair = new Pair({ client: verified }).run()
    expect(pair.toServer.isComplete).toBe(false)
    expect(pair.client.actor.getSnapshot().value).toBe('waitVerified')
    pair.client.provideCertificateVerdict(true)
    pair.exchange()
    expect(pair.isComplete).toBe(true)
  })

  it('is the first one given, even from within the question', () => {
    const pair = new Pair({ client: verified })
    pair.toServer.onVerification = () => {
      pair.client.provideCertificateVerdict({ alert: Alert.unknownCa, reason: 'test' })
      pair.client.provideCertificateVerdict(true)
    }
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.unknownCa)
  })

  it('is got round neither by bytes that come while it is awaited nor by a second verdict', () => {
    const pair = new Pair({ client: verified })
    pair.pieceLength = 1
    pair.run()
    expect(pair.toServer.isComplete).toBe(false)
    const refusal = { alert: Alert.unknownCa, reason: 'test' }
    expect(codeOf(() => pair.client.provideCertificateVerdict(refusal))).toBe(CryptoAlert.unknownCa)
    pair.client.provideCertificateVerdict(true)
    expect(pair.toServer.isComplete).toBe(false)
    expect(pair.client.actor.getSnapshot().output).toBe('failed')
  })

  it.each([Alert.unknownCa, Alert.certificateExpired, Alert.badCertificate])(
    'refusal becomes alert %i',
    (alert) => {
      const pair = new Pair({ client: verified, verdict: { alert, reason: 'test' } })
      expect(codeOf(() => pair.run())).toBe(0x100 + alert)
      expect(pair.toServer.secrets.has('read2')).toBe(false)
      expect(pair.owner.missed).toEqual([])
    },
  )

  it.each([
    ['server.test', NOW, undefined],
    ['other.test', NOW, CryptoAlert.badCertificate],
    ['server.test', NOW + 1e10, CryptoAlert.certificateExpired],
  ])('by chain verification, for %s at %i', async (name, now, code) => {
    const pair = new Pair({ client: verified, server: { identities: [identityFor(['server.test'])] } }).run()
    const [{ chain, role }] = pair.toServer.verifications
    const trustAnchors = trustAnchorsFromPem(authority.pem)
    const verdict = await verifyChain({
      chain,
      trustAnchors,
      serverName: name,
      now,
      purpose: `${role as 'server'}Auth`,
    })
    expect(codeOf(() => pair.client.provideCertificateVerdict(verdict))).toBe(code)
    pair.exchange()
    expect(pair.isComplete).toBe(code === undefined)
  })
})

describe('the client’s certificate (RFC 8446 section 4.3.2)', () => {
  it.each<KeyKind>(['p256', 'p384', 'ed25519', 'rsa', 'rsaPss'])('authenticates with a %s key', (key) => {
    const identity = clientIdentity(key)
    const pair = new Pair({
      server: { clientAuthentication: 'require' },
      client: { identity },
      verdict: true,
    }).run()
    expect(pair.isComplete).toBe(true)
    expect(pair.server.peerCertificates).toEqual(identity.certificateChain)
    expect(pair.toClient.verifications).toEqual([{ chain: identity.certificateChain, role: 'client' }])
    expect(new X509Certificate(pair.server.peerCertificates[0]).subject).toBe('CN=client')
  })

  it('may be absent where it is requested', () => {
    const pair = new Pair({ server: { clientAuthentication: 'request' } }).run()
    expect(pair.isComplete).toBe(true)
    expect(pair.server.peerCertificates).toEqual([])
    expect(pair.toClient.verifications).toEqual([])
  })

  it('may not be absent where it is required: certificate_required (section 4.4.2.4)', () => {
    const pair = new Pair({ server: { clientAuthentication: 'require' } })
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.certificateRequired)
  })

  it('is not shown where nobody asks', () => {
    const pair = new Pair({ client: { identity: clientIdentity() } }).run()
    expect(pair.server.peerCertificates).toEqual([])
  })

  it('holds the handshake up until the server’s verdict', () => {
    const pair = new Pair({
      server: { clientAuthentication: 'require' },
      client: { identity: clientIdentity() },
    }).run()
    expect(pair.toClient.isComplete).toBe(false)
    expect(pair.toClient.secrets.has('read2')).toBe(false)
    pair.server.provideCertificateVerdict(true)
    expect(pair.isComplete).toBe(true)
  })

  it('refused ends the handshake with the alert', () => {
    const verdict = { alert: Alert.unknownCa, reason: 'test' }
    const pair = new Pair({
      server: { clientAuthentication: 'request' },
      client: { identity: clientIdentity() },
      verdict,
    })
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.unknownCa)
    expect(pair.toClient.isComplete).toBe(false)
  })

  it('is not believed without its CertificateVerify (CVE-2020-24613)', () => {
    const pair = new Pair({
      server: { clientAuthentication: 'require' },
      client: { identity: clientIdentity() },
      verdict: true,
    })
    pair.tamper = (from, flight) => (from === 'client' && flight.bytes[0] === 15 ? undefined : flight)
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.unexpectedMessage)
  })

  it.each([
    ['with a context', message(11, u8(1, 1), vector(3)), CryptoAlert.illegalParameter],
    ['of garbage', message(11, u8(0), vector(3, vector(3, u8(1)), vector(2))), CryptoAlert.badCertificate],
    ['with bytes behind it', message(11, u8(0), vector(3), u8(0)), CryptoAlert.decodeError],
  ])('%s is refused', (_fault, replacement, code) => {
    const pair = new Pair({ server: { clientAuthentication: 'request' } })
    pair.tamper = (from, flight) =>
      from === 'client' && flight.bytes[0] === 11 ? { ...flight, bytes: replacement } : flight
    expect(codeOf(() => pair.run())).toBe(code)
  })

  it('uninvited is unexpected_message', () => {
    const pair = new Pair()
    pair.tamper = (from, flight) =>
      from === 'client' && flight.bytes[0] === 20
        ? { ...flight, bytes: concat(message(11, u8(0), vector(3)), flight.bytes) }
        : flight
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.unexpectedMessage)
  })
})

describe('an identity', () => {
  const certificate = issue({ subject: 'x', names: ['X.test', '*.y.test'], addresses: ['192.0.2.1'] })

  it('has the names of subjectAltName in lower case', () => {
    expect(loadIdentity(certificate.pem, keyPem(certificate)).names).toEqual([
      'x.test',
      '*.y.test',
      '192.0.2.1',
    ])
  })

  it.each([
    ['no certificate', '', keyPem(certificate), 'no certificate'],
    [
      'a broken certificate',
      certificate.pem.replace('MII', 'AAA'),
      keyPem(certificate),
      'certificate cannot be read',
    ],
    ['a broken key', certificate.pem, 'x', 'key cannot be read'],
    ['a strange key', certificate.pem, keyPem(authority), 'does not belong'],
  ])('cannot be made of %s', (_what, cert, key, reason) => {
    expect(() => loadIdentity(cert, key)).toThrow(reason)
  })
})
