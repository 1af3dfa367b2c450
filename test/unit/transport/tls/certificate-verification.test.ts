// Verdicts on certificate chains: RFC 5280 section 6, RFC 6125 section 6, alerts of RFC 8446 section 6.2.
import { describe, expect, it } from 'vitest'
import {
  Alert,
  type CertificateVerdict,
  type ChainCheck,
  trustAnchorsFromPem,
  verifyChain,
} from '../../../../src/transport/tls/index.ts'
import {
  type CertificateOptions,
  CLIENT_AUTH,
  issue,
  type KeyKind,
  NOW,
  SERVER_AUTH,
  type TestCertificate,
} from './certificates.ts'

const root = issue({ subject: 'root', isAuthority: true })
const intermediate = issue({ subject: 'intermediate', issuer: root, isAuthority: true })
const trustAnchors = trustAnchorsFromPem(root.pem)

function leafOf(options: Partial<CertificateOptions> = {}): TestCertificate {
  return issue({ subject: 'leaf', names: ['www.example.test'], issuer: intermediate, ...options })
}

function judge(
  certificates: readonly TestCertificate[],
  check: Partial<ChainCheck> = {},
): Promise<CertificateVerdict> {
  const chain = certificates.map(({ der }) => der)
  return verifyChain({
    chain,
    trustAnchors,
    serverName: 'www.example.test',
    now: NOW,
    purpose: 'serverAuth',
    ...check,
  })
}

async function alertOf(verdict: Promise<CertificateVerdict>): Promise<number | undefined> {
  const result = await verdict
  return result === true ? undefined : result.alert
}

describe('a chain that may be believed (RFC 5280 section 6.1)', () => {
  it('leads over an intermediate to an anchor', async () => {
    expect(await judge([leafOf(), intermediate])).toBe(true)
  })

  it.each<KeyKind>(['p256', 'p384', 'ed25519', 'rsa'])('may be signed with %s keys', async (key) => {
    const authority = issue({ subject: `root ${key}`, key, isAuthority: true })
    const leaf = leafOf({ key, issuer: authority })
    expect(await judge([leaf], { trustAnchors: trustAnchorsFromPem(authority.pem) })).toBe(true)
  })

  it('may be sent in any order, with the anchor and strangers in it (RFC 8446 section 4.4.2)', async () => {
    const stranger = issue({ subject: 'stranger', isAuthority: true })
    expect(await judge([leafOf(), stranger, root, intermediate])).toBe(true)
  })

  it('may be a pinned self-signed certificate', async () => {
    const own = issue({ subject: 'own', names: ['www.example.test'] })
    expect(await judge([own], { trustAnchors: trustAnchorsFromPem(own.pem) })).toBe(true)
  })

  it('takes the valid one of two cross-signed intermediates', async () => {
    const old = issue({ subject: 'old root', isAuthority: true, notAfter: NOW - 1000 })
    const both = trustAnchorsFromPem(old.pem, root.pem)
    expect(await judge([leafOf(), intermediate], { trustAnchors: both })).toBe(true)
  })

  it.each([
    [{ names: ['*.example.test'] }, 'www.example.test'],
    [{ names: ['www.example.test'] }, 'WWW.Example.Test.'],
    [{ addresses: ['192.0.2.7'] }, '192.0.2.7'],
    [{ addresses: ['::1'] }, '[::1]'],
  ])('is for the name: %o covers %s (RFC 6125 section 6.4)', async (options, serverName) => {
    expect(await judge([leafOf({ names: [], ...options }), intermediate], { serverName })).toBe(true)
  })

  it('may be a client certificate, for which no name is checked', async () => {
    const client = leafOf({ names: [], usages: [CLIENT_AUTH] })
    const { serverName: _none, ...check } = { serverName: '', purpose: 'clientAuth' as const }
    const chain = [client.der, intermediate.der]
    expect(await verifyChain({ chain, trustAnchors, now: NOW, ...check })).toBe(true)
  })

  it('keeps within the names that its authority may vouch for (RFC 5280 section 4.2.1.10)', async () => {
    const authority = issue({
      subject: 'c',
      issuer: root,
      isAuthority: true,
      permittedNames: ['example.test'],
    })
    expect(await judge([leafOf({ issuer: authority }), authority])).toBe(true)
  })
})

describe('a chain that is refused', () => {
  it.each([
    ['an expired leaf', { notAfter: NOW - 1000 }, Alert.certificateExpired],
    ['a leaf not valid yet', { notBefore: NOW + 1000 }, Alert.certificateExpired],
    ['a leaf whose signature is wrong', { breakSignature: true }, Alert.badCertificate],
    ['a leaf for another name', { names: ['other.example.test'] }, Alert.badCertificate],
    ['a wildcard for two labels', { names: ['*.test'] }, Alert.badCertificate],
    ['a name in the subject only', { subject: 'www.example.test', names: [] }, Alert.badCertificate],
    ['a leaf for clients', { usages: [CLIENT_AUTH] }, Alert.unsupportedCertificate],
    ['a leaf not for signatures', { keyUsage: 0x20 }, Alert.unsupportedCertificate],
    ['an unknown critical extension', { criticalUnknown: true }, Alert.unsupportedCertificate],
  ])('for %s', async (_what, options, alert) => {
    expect(await alertOf(judge([leafOf(options), intermediate]))).toBe(alert)
  })

  it.each([
    ['is no authority', { isAuthority: false }, Alert.unknownCa],
    ['may not sign certificates', { keyUsage: 0x02 }, Alert.unknownCa],
    ['is expired', { notAfter: NOW - 1000 }, Alert.certificateExpired],
    ['is for clients only', { usages: [CLIENT_AUTH] }, Alert.unsupportedCertificate],
    ['may not vouch for the name', { permittedNames: ['other.test'] }, Alert.badCertificate],
    ['must not vouch for the name', { excludedNames: ['example.test'] }, Alert.badCertificate],
    ['has an unknown critical extension', { criticalUnknown: true }, Alert.unsupportedCertificate],
    ['demands a policy that the leaf lacks', { requireExplicitPolicy: 0 }, Alert.certificateUnknown],
  ])('whose intermediate %s', async (_what, options, alert) => {
    const authority = issue({ subject: 'bad', issuer: root, isAuthority: true, ...options })
    expect(await alertOf(judge([leafOf({ issuer: authority, usages: [SERVER_AUTH] }), authority]))).toBe(
      alert,
    )
  })

  it('when one of several names is not permitted', async () => {
    const authority = issue({
      subject: 'c',
      issuer: root,
      isAuthority: true,
      permittedNames: ['example.test'],
    })
    const leaf = leafOf({ issuer: authority, names: ['www.example.test', 'evil.test'] })
    expect(await alertOf(judge([leaf, authority]))).toBe(Alert.badCertificate)
  })

  it('that is longer than an authority allows (RFC 5280 section 4.2.1.9)', async () => {
    const first = issue({ subject: 'first', issuer: root, isAuthority: true, pathLength: 0 })
    const second = issue({ subject: 'second', issuer: first, isAuthority: true })
    expect(await alertOf(judge([leafOf({ issuer: second }), second, first]))).toBe(Alert.unknownCa)
    expect(await judge([leafOf({ issuer: first }), first])).toBe(true)
  })

  it('of an authority that nobody trusts, complete or not', async () => {
    const stranger = issue({ subject: 'stranger', isAuthority: true })
    expect(await alertOf(judge([leafOf({ issuer: stranger }), stranger]))).toBe(Alert.unknownCa)
    expect(await alertOf(judge([leafOf()]))).toBe(Alert.unknownCa)
  })

  it('when it cannot be read, is empty, or is signed by an impostor', async () => {
    const garbage = { ...leafOf(), der: Uint8Array.of(1, 2, 3) }
    expect(await alertOf(judge([garbage]))).toBe(Alert.badCertificate)
    expect(await alertOf(judge([]))).toBe(Alert.badCertificate)
    const impostor = issue({ subject: 'root', isAuthority: true })
    expect(await alertOf(judge([leafOf({ issuer: impostor })]))).toBe(Alert.badCertificate)
  })

  it('in bounded work when authorities certify each other without end', async () => {
    const names = ['a', 'b', 'c', 'd']
    const authorities = names.map((subject) => issue({ subject, isAuthority: true }))
    const mesh = authorities.flatMap((again, i) =>
      authorities
        .filter((issuer) => issuer !== again)
        .map((issuer) => issue({ subject: names[i], issuer, again, isAuthority: true })),
    )
    expect(await alertOf(judge([leafOf({ issuer: authorities[0] }), ...mesh]))).toBe(Alert.unknownCa)
  })

  it('in bounded work when the same authority comes nine times, each certified by all', async () => {
    const again = issue({ subject: 'again', isAuthority: true })
    const nine = Array.from({ length: 9 }, () =>
      issue({ subject: 'again', issuer: again, again, isAuthority: true }),
    )
    expect(await alertOf(judge([leafOf({ issuer: again }), ...nine]))).toBe(Alert.unknownCa)
  })
})
