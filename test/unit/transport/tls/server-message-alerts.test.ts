// What the client answers to each fault of the server's messages: RFC 8446 sections 4.1.3, 4.1.4, 4.3 and 4.4,
// RFC 9001 section 8.
import { describe, expect, it } from 'vitest'
import { CryptoAlert, codeOf, newClient, sentBy } from './endpoints.ts'
import { Pair } from './loopback.ts'
import {
  concat,
  extensions,
  hostName,
  message,
  protocols,
  type RawServerHello,
  RETRY_RANDOM,
  rawServerHello,
  share,
  u8,
  u16,
  vector,
} from './raw-hello.ts'

const version = [43, u16(0x0304)] as const
const keyShare = [51, concat(u16(0x001d), vector(2, share.publicKey))] as const

describe('a ServerHello is refused for', () => {
  it.each<[string, RawServerHello, number]>([
    [
      'legacy_version other than 0x0303 (RFC 9846 section 4.2.3)',
      { legacyVersion: 0x0304 },
      CryptoAlert.protocolVersion,
    ],
    ['no extensions', { withoutExtensions: true }, CryptoAlert.protocolVersion],
    ['no supported_versions', { extensions: [keyShare] }, CryptoAlert.protocolVersion],
    [
      'another version (RFC 8446 section 4.2.1)',
      { extensions: [[43, u16(0x0303)]] },
      CryptoAlert.illegalParameter,
    ],
    ['a session id (section 4.1.3)', { sessionId: u8(1) }, CryptoAlert.illegalParameter],
    ['a compression method (section 4.1.3)', { compression: 1 }, CryptoAlert.illegalParameter],
    ['a cipher suite not offered (section 4.1.3)', { suite: 0x1304 }, CryptoAlert.illegalParameter],
    ['no key_share', { extensions: [version] }, CryptoAlert.missingExtension],
    [
      'a share for a group we sent none for (section 4.2.8)',
      { extensions: [version, [51, concat(u16(0x0017), vector(2, u8(4)))]] },
      CryptoAlert.illegalParameter,
    ],
    [
      'a share of wrong length',
      { extensions: [version, [51, concat(u16(0x001d), vector(2, u8(1)))]] },
      CryptoAlert.illegalParameter,
    ],
    [
      'an extension not requested (section 4.2)',
      { extensions: [version, keyShare, [41, u16(0)]] },
      CryptoAlert.unsupportedExtension,
    ],
    [
      'an unknown extension',
      { extensions: [version, keyShare, [0x6a6a, u8()]] },
      CryptoAlert.unsupportedExtension,
    ],
    [
      'an extension of other messages',
      { extensions: [version, keyShare, [16, protocols('h3')]] },
      CryptoAlert.illegalParameter,
    ],
    ['supported_versions twice', { extensions: [version, keyShare, version] }, CryptoAlert.illegalParameter],
  ])('%s', (_fault, hello, code) => {
    const { client, owner } = newClient()
    expect(codeOf(() => client.handleCrypto(0, rawServerHello(hello)))).toBe(code)
    expect(client.actor.getSnapshot().output).toBe('failed')
    expect(owner.missed).toEqual([])
  })
})

describe('a HelloRetryRequest (RFC 8446 section 4.1.4)', () => {
  const retry = (list: RawServerHello['extensions']) =>
    rawServerHello({ random: RETRY_RANDOM, extensions: list! })

  it.each<[string, RawServerHello['extensions'], number]>([
    ['that changes nothing', [version], CryptoAlert.illegalParameter],
    ['for a group that we do not support', [version, [51, u16(0x0018)]], CryptoAlert.illegalParameter],
    ['for a group that we sent a share for', [version, [51, u16(0x001d)]], CryptoAlert.illegalParameter],
    ['without a version', [[51, u16(0x0017)]], CryptoAlert.protocolVersion],
    [
      'with an unknown extension',
      [version, [51, u16(0x0017)], [0x6a6a, u8()]],
      CryptoAlert.unsupportedExtension,
    ],
    ['with an empty cookie', [version, [44, vector(2)]], CryptoAlert.decodeError],
  ])('is refused %s', (_fault, list, code) => {
    const { client } = newClient()
    expect(codeOf(() => client.handleCrypto(0, retry(list)))).toBe(code)
  })

  it('is answered by a ClientHello that echoes the cookie (section 4.2.2)', () => {
    const { client, output } = newClient()
    client.handleCrypto(0, retry([version, [44, vector(2, u8(1, 2, 3))]]))
    expect(sentBy(output)).toEqual([1, 1])
    const second = Buffer.from(output.sent[1].bytes)
    expect(second.includes(Buffer.from('002c000500030102', 'hex'))).toBe(true)
  })

  it('is unexpected a second time', () => {
    const { client } = newClient()
    client.handleCrypto(0, retry([version, [51, u16(0x0017)]]))
    const again = retry([version, [44, vector(2, u8(1))]])
    expect(codeOf(() => client.handleCrypto(0, again))).toBe(CryptoAlert.unexpectedMessage)
  })

  it('fixes the cipher suite for the ServerHello', () => {
    const retried = (suite: number) => {
      const { client } = newClient({ suites: [0x1301, 0x1303] })
      client.handleCrypto(0, retry([version, [44, vector(2, u8(1))]]))
      return codeOf(() => client.handleCrypto(0, rawServerHello({ suite })))
    }
    expect(retried(0x1303)).toBe(CryptoAlert.illegalParameter)
    expect(retried(0x1301)).toBeUndefined()
  })
})

/** Code of the error at the client when a message of the server is replaced. */
function answerTo(type: number, replacement: Uint8Array, client = {}): number | undefined {
  const pair = new Pair({ client })
  pair.tamper = (from, flight) =>
    from === 'server' && flight.bytes[0] === type ? { ...flight, bytes: replacement } : flight
  return codeOf(() => pair.run())
}

describe('EncryptedExtensions are refused for', () => {
  const parameters = [57, u8()] as const
  const alpn = [16, protocols('h3')] as const
  it.each([
    ['no quic_transport_parameters (RFC 9001 section 8.2)', [alpn], CryptoAlert.missingExtension],
    ['no ALPN (RFC 9001 section 8.1)', [parameters], CryptoAlert.noApplicationProtocol],
    ['a protocol not offered (RFC 7301)', [parameters, [16, protocols('h2')]], CryptoAlert.illegalParameter],
    ['two protocols (RFC 7301)', [parameters, [16, protocols('h3', 'h3')]], CryptoAlert.illegalParameter],
    ['an extension not requested', [parameters, alpn, [42, u8()]], CryptoAlert.unsupportedExtension],
    ['an extension of other messages', [parameters, alpn, [51, u16(0x001d)]], CryptoAlert.illegalParameter],
    ['a server_name with a body (RFC 6066)', [parameters, alpn, [0, hostName('a')]], CryptoAlert.decodeError],
  ] as const)('%s', (_fault, list, code) => {
    expect(answerTo(8, message(8, extensions(list)))).toBe(code)
  })

  it('bytes behind the extensions', () => {
    expect(answerTo(8, message(8, extensions([parameters, alpn]), u8(0)))).toBe(CryptoAlert.decodeError)
  })

  it('server_name when an address was connected to (RFC 6066 section 3: none was sent)', () => {
    const list = extensions([parameters, alpn, [0, u8()]])
    expect(answerTo(8, message(8, list), { serverName: '192.0.2.1' })).toBe(CryptoAlert.unsupportedExtension)
  })
})

describe('a Certificate or CertificateVerify is refused for', () => {
  const entry = (der: Uint8Array, list = u16(0)) => concat(vector(3, der), list)
  it.each([
    ['an empty list (RFC 8446 section 4.4.2.4)', message(11, u8(0), vector(3)), CryptoAlert.decodeError],
    [
      'a context (section 4.4.2)',
      message(11, u8(1, 7), vector(3, entry(u8(1)))),
      CryptoAlert.illegalParameter,
    ],
    ['an empty certificate', message(11, u8(0), vector(3, entry(u8()))), CryptoAlert.decodeError],
    [
      'a certificate that is none',
      message(11, u8(0), vector(3, entry(u8(1, 2)))),
      CryptoAlert.badCertificate,
    ],
    [
      'an extension not requested (section 4.4.2)',
      message(11, u8(0), vector(3, entry(u8(1), extensions([[18, u8()]])))),
      CryptoAlert.unsupportedExtension,
    ],
    [
      'eleven certificates',
      message(11, u8(0), vector(3, ...Array.from({ length: 11 }, () => entry(u8(1))))),
      CryptoAlert.badCertificate,
    ],
  ])('%s', (_fault, replacement, code) => {
    expect(answerTo(11, replacement)).toBe(code)
  })

  it.each([
    ['a scheme not offered', message(15, u16(0x0203), vector(2, u8(1))), CryptoAlert.illegalParameter],
    ['PKCS#1 v1.5 (section 4.2.3)', message(15, u16(0x0401), vector(2, u8(1))), CryptoAlert.illegalParameter],
    ['a scheme for another key', message(15, u16(0x0804), vector(2, u8(1))), CryptoAlert.illegalParameter],
    [
      'a wrong signature (section 4.4.3)',
      message(15, u16(0x0403), vector(2, u8(1))),
      CryptoAlert.decryptError,
    ],
    [
      'bytes behind the signature',
      message(15, u16(0x0403), vector(2, u8(1)), u8(0)),
      CryptoAlert.decodeError,
    ],
  ])('%s', (_fault, replacement, code) => {
    expect(answerTo(15, replacement)).toBe(code)
  })
})

describe('a Finished is refused', () => {
  it.each([
    [
      'with wrong contents (RFC 8446 section 4.4.4)',
      message(20, new Uint8Array(32)),
      CryptoAlert.decryptError,
    ],
    ['with wrong length', message(20, new Uint8Array(31)), CryptoAlert.decodeError],
  ])('%s', (_fault, replacement, code) => {
    expect(answerTo(20, replacement, { suites: [0x1301] })).toBe(code)
  })
})

describe('a CertificateRequest is refused for', () => {
  const schemes = [13, vector(2, u16(0x0403))] as const
  it.each([
    [
      'a context (RFC 8446 section 4.3.2)',
      message(13, u8(1, 7), extensions([schemes])),
      CryptoAlert.illegalParameter,
    ],
    [
      'no signature_algorithms (section 4.3.2)',
      message(13, u8(0), extensions([])),
      CryptoAlert.missingExtension,
    ],
    [
      'an extension of other messages',
      message(13, u8(0), extensions([schemes, [51, u8()]])),
      CryptoAlert.illegalParameter,
    ],
  ])('%s', (_fault, request, code) => {
    const pair = new Pair()
    pair.tamper = (from, flight) =>
      from === 'server' && flight.bytes[0] === 8
        ? { ...flight, bytes: concat(flight.bytes, request) }
        : flight
    expect(codeOf(() => pair.run())).toBe(code)
  })
})
