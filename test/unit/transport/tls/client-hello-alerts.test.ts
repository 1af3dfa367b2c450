// What the server answers to each fault of a ClientHello: RFC 8446 sections 4.1.2, 4.2 and 9.2, RFC 9001 section 8.
import { describe, expect, it } from 'vitest'
import { CryptoAlert, codeOf, newServer, sentBy } from './endpoints.ts'
import {
  concat,
  hostName,
  keyShares,
  protocols,
  pskOffer,
  type RawHello,
  rawClientHello,
  share,
  u8,
  u16,
  vector,
} from './raw-hello.ts'

const PROTOCOL_VIOLATION = 0x0a
const key = share.publicKey

/** A hello that offers a ticket. */
function withTicket(offer: Uint8Array): RawHello {
  return {
    add: [
      [45, u8(1, 1)],
      [41, offer],
    ],
  }
}

const cases: [requirement: string, hello: RawHello, code: number][] = [
  [
    'legacy_version other than 0x0303 (RFC 9846 section 4.2.2)',
    { legacyVersion: 0x0304 },
    CryptoAlert.protocolVersion,
  ],
  ['no extensions at all (RFC 8446 section 4.1.2)', { withoutExtensions: true }, CryptoAlert.protocolVersion],
  ['no supported_versions (section 4.2.1)', { replace: { 43: undefined } }, CryptoAlert.protocolVersion],
  ['TLS 1.2 only (section 4.2.1)', { replace: { 43: vector(1, u16(0x0303)) } }, CryptoAlert.protocolVersion],
  ['a session id (RFC 9001 section 8.4)', { sessionId: new Uint8Array(32) }, PROTOCOL_VIOLATION],
  ['a session id of 33 bytes', { sessionId: new Uint8Array(33) }, CryptoAlert.decodeError],
  ['a compression method (RFC 8446 section 4.1.2)', { compression: [1] }, CryptoAlert.illegalParameter],
  ['null and another compression method', { compression: [0, 1] }, CryptoAlert.illegalParameter],
  ['no compression method', { compression: [] }, CryptoAlert.decodeError],
  ['no cipher suite', { suites: [] }, CryptoAlert.decodeError],
  ['no cipher suite in common (section 4.1.1)', { suites: [0x1304] }, CryptoAlert.handshakeFailure],
  ['bytes behind the extensions', { trailing: u8(0) }, CryptoAlert.decodeError],
  ['the same extension twice (section 4.2)', { add: [[16, protocols('h3')]] }, CryptoAlert.illegalParameter],
  ['an extension for other messages (section 4.2)', { add: [[48, u8()]] }, CryptoAlert.illegalParameter],
  [
    'no quic_transport_parameters (RFC 9001 section 8.2)',
    { replace: { 57: undefined } },
    CryptoAlert.missingExtension,
  ],
  [
    'no signature_algorithms (RFC 8446 section 9.2)',
    { replace: { 13: undefined } },
    CryptoAlert.missingExtension,
  ],
  ['early_data without pre_shared_key (section 4.2.10)', { add: [[42, u8()]] }, CryptoAlert.illegalParameter],
  [
    'fewer binders than tickets (section 4.2.11)',
    withTicket(pskOffer([u8(1), u8(2)], [new Uint8Array(32)])),
    CryptoAlert.illegalParameter,
  ],
  [
    'more tickets than anybody offers',
    withTicket(
      pskOffer(
        Array.from({ length: 17 }, () => u8(1)),
        Array.from({ length: 17 }, () => new Uint8Array(32)),
      ),
    ),
    CryptoAlert.illegalParameter,
  ],
  [
    'a binder of 31 bytes (section 4.2.11)',
    withTicket(pskOffer([u8(1), u8(2)], [new Uint8Array(31), new Uint8Array(32)])),
    CryptoAlert.decodeError,
  ],
  ['an empty ticket', withTicket(pskOffer([u8(), u8(1)], [new Uint8Array(32)])), CryptoAlert.decodeError],
  ['no supported_groups (section 9.2)', { replace: { 10: undefined } }, CryptoAlert.missingExtension],
  ['no key_share (section 9.2)', { replace: { 51: undefined } }, CryptoAlert.missingExtension],
  ['no ALPN (RFC 9001 section 8.1)', { replace: { 16: undefined } }, CryptoAlert.noApplicationProtocol],
  ['no protocol in common', { replace: { 16: protocols('hq-interop') } }, CryptoAlert.noApplicationProtocol],
  [
    'an empty protocol name (RFC 7301 section 3.1)',
    { replace: { 16: protocols('') } },
    CryptoAlert.decodeError,
  ],
  [
    'no group in common',
    { replace: { 10: vector(2, u16(0x0018)), 51: keyShares() } },
    CryptoAlert.handshakeFailure,
  ],
  [
    'no signature scheme that fits',
    { replace: { 13: vector(2, u16(0x0807)) } },
    CryptoAlert.handshakeFailure,
  ],
  ['a list of odd length', { replace: { 13: vector(2, u8(4, 3, 8)) } }, CryptoAlert.decodeError],
  [
    'bytes behind a list',
    { replace: { 10: concat(vector(2, u16(0x001d)), u8(0)) } },
    CryptoAlert.decodeError,
  ],
  [
    'a share for a group not listed (section 4.2.8)',
    { replace: { 51: keyShares([0x11ec, key]) } },
    CryptoAlert.illegalParameter,
  ],
  [
    'two shares for one group (section 4.2.8)',
    { replace: { 51: keyShares([0x001d, key], [0x001d, key]) } },
    CryptoAlert.illegalParameter,
  ],
  ['a share of wrong length', { replace: { 51: keyShares([0x001d, u8(1)]) } }, CryptoAlert.illegalParameter],
  [
    'an X25519 share of small order (section 7.4.2)',
    { replace: { 51: keyShares([0x001d, new Uint8Array(32)]) } },
    CryptoAlert.illegalParameter,
  ],
  [
    'a point that is not on the curve (section 4.2.8.2)',
    { replace: { 51: keyShares([0x0017, concat(u8(4), new Uint8Array(64).fill(1))]) } },
    CryptoAlert.illegalParameter,
  ],
  [
    'more key shares than anybody needs',
    { replace: { 51: keyShares(...Array.from({ length: 17 }, (_, i) => [0x0a0a + i, u8(1)] as const)) } },
    CryptoAlert.illegalParameter,
  ],
  ['an empty list of names (RFC 6066 section 3)', { replace: { 0: vector(2) } }, CryptoAlert.decodeError],
  [
    'two host names (RFC 6066 section 3)',
    { replace: { 0: vector(2, hostName('a'), hostName('b')) } },
    CryptoAlert.illegalParameter,
  ],
  ['a NUL in a host name', { replace: { 0: vector(2, hostName('a\0b')) } }, CryptoAlert.illegalParameter],
  [
    'a host name of 256 bytes',
    { replace: { 0: vector(2, hostName('a'.repeat(256))) } },
    CryptoAlert.illegalParameter,
  ],
  [
    'pre_shared_key before the end (RFC 8446 section 4.2.11)',
    {
      add: [
        [41, u8(0)],
        [45, u8(1, 1)],
      ],
    },
    CryptoAlert.illegalParameter,
  ],
  ['pre_shared_key without modes (section 4.2.9)', { add: [[41, u8(0)]] }, CryptoAlert.missingExtension],
  [
    'more extensions than anybody needs',
    { add: Array.from({ length: 64 }, (_, i) => [0x8000 + i, u8()] as const) },
    CryptoAlert.decodeError,
  ],
]

describe('a ClientHello is refused for', () => {
  it.each(cases)('%s', (_requirement, hello, code) => {
    const { server, output, owner } = newServer()
    expect(codeOf(() => server.handleCrypto(0, rawClientHello(hello)))).toBe(code)
    expect(output.sent).toEqual([])
    expect(server.actor.getSnapshot().output).toBe('failed')
    expect(owner.missed).toEqual([])
  })
})

describe('a ClientHello is accepted', () => {
  it.each<[string, RawHello]>([
    ['as the builder of these tests makes it', {}],
    [
      'with GREASE everywhere (RFC 8701)',
      {
        suites: [0x1a1a, 0x1301],
        replace: {
          10: vector(2, u16(0x2a2a, 0x001d)),
          13: vector(2, u16(0x3a3a, 0x0403)),
          16: protocols('\x4a\x4a', 'h3'),
          43: vector(1, u16(0x5a5a, 0x0304)),
          51: keyShares([0x2a2a, u8(0)], [0x001d, key]),
        },
        add: [[0x6a6a, u8(1, 2, 3)]],
      },
    ],
    ['without server_name', { replace: { 0: undefined } }],
    [
      'with a kind of name that is not known',
      { replace: { 0: vector(2, u8(9, 0, 1, 65), hostName('server.test')) } },
    ],
    [
      'with an offer to resume, which is passed over',
      {
        add: [
          [45, u8(1, 1)],
          [42, u8()],
          [41, pskOffer([u8(1, 2, 3)], [new Uint8Array(32)])],
        ],
      },
    ],
  ])('%s', (_what, hello) => {
    const { server, output } = newServer()
    server.handleCrypto(0, rawClientHello(hello))
    expect(sentBy(output)).toEqual([2, 8, 11, 15, 20])
  })
})
