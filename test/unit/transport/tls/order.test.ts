// Messages out of order, at a wrong level, or across a change of keys: RFC 8446 section 4, RFC 9001 sections 4.1.3,
// 4.4, 4.6.1, 6 and 8.3. The machine decides; these tests see what the peer is told.
import { describe, expect, it } from 'vitest'
import { CryptoAlert, codeOf, newClient, newServer } from './endpoints.ts'
import { type Flight, Pair } from './loopback.ts'
import { concat, extensions, message, rawClientHello, rawServerHello, u8, u16, vector } from './raw-hello.ts'

const PROTOCOL_VIOLATION = 0x0a
const CRYPTO_BUFFER_EXCEEDED = 0x0d
const keyUpdate = message(24, u8(1))
const endOfEarlyData = message(5)
const ALL_TYPES = [0, 1, 2, 3, 4, 5, 8, 11, 13, 15, 20, 24, 254]

describe('the first message', () => {
  it.each(ALL_TYPES.filter((type) => type !== 1))('of type %i is unexpected at the server', (type) => {
    const { server, owner } = newServer()
    expect(codeOf(() => server.handleCrypto(0, message(type, u8(0))))).toBe(CryptoAlert.unexpectedMessage)
    expect(server.actor.getSnapshot().output).toBe('failed')
    expect(owner.missed).toEqual([])
  })

  it.each(ALL_TYPES.filter((type) => type !== 2))('of type %i is unexpected at the client', (type) => {
    const { client, owner } = newClient()
    expect(codeOf(() => client.handleCrypto(0, message(type, u8(0))))).toBe(CryptoAlert.unexpectedMessage)
    expect(owner.missed).toEqual([])
  })
})

/** Runs a handshake in which `from` sends `extra` before, after or instead of its message of a type. */
function withExtra(
  from: 'client' | 'server',
  type: number,
  change: (flight: Flight) => Uint8Array,
): number | undefined {
  const pair = new Pair()
  pair.tamper = (sender, flight) =>
    sender === from && flight.bytes[0] === type ? { ...flight, bytes: change(flight) } : flight
  const code = codeOf(() => pair.run())
  expect(pair.isComplete).toBe(false)
  return code
}

describe('a message in a wrong place', () => {
  it.each(ALL_TYPES.filter((type) => type !== 20))('type %i before the client’s Finished', (type) => {
    expect(withExtra('client', 20, ({ bytes }) => concat(message(type, u8(0)), bytes))).toBe(
      CryptoAlert.unexpectedMessage,
    )
  })

  it.each(ALL_TYPES.filter((type) => type !== 20))('type %i before the server’s Finished', (type) => {
    expect(withExtra('server', 20, ({ bytes }) => concat(message(type, u8(0)), bytes))).toBe(
      CryptoAlert.unexpectedMessage,
    )
  })

  it.each([8, 11, 15, 20])('the server’s message of type %i is left out', (type) => {
    // The last one leaves the client waiting, which is no fault of the message before.
    const code = withExtra('server', type, () => u8())
    expect(code).toBe(type === 20 ? undefined : CryptoAlert.unexpectedMessage)
  })

  it('EndOfEarlyData before Finished is unexpected_message (RFC 9001 section 8.3)', () => {
    expect(withExtra('client', 20, ({ bytes }) => concat(endOfEarlyData, bytes))).toBe(
      CryptoAlert.unexpectedMessage,
    )
  })
})

describe('bytes across a change of keys (RFC 9001 section 4.1.3)', () => {
  it('behind the ClientHello are PROTOCOL_VIOLATION', () => {
    const { server } = newServer()
    expect(codeOf(() => server.handleCrypto(0, concat(rawClientHello(), u8(20))))).toBe(PROTOCOL_VIOLATION)
  })

  it('behind the ServerHello are PROTOCOL_VIOLATION', () => {
    const { client } = newClient()
    expect(codeOf(() => client.handleCrypto(0, concat(rawServerHello(), u8(8))))).toBe(PROTOCOL_VIOLATION)
  })

  it.each(['client', 'server'] as const)('behind the %s’s Finished are PROTOCOL_VIOLATION', (from) => {
    expect(withExtra(from, 20, ({ bytes }) => concat(bytes, u8(4)))).toBe(PROTOCOL_VIOLATION)
  })

  it.each(['client', 'server'] as const)(
    'a KeyUpdate behind the %s’s Finished is 0x010a (section 6)',
    (from) => {
      expect(withExtra(from, 20, ({ bytes }) => concat(bytes, keyUpdate))).toBe(CryptoAlert.unexpectedMessage)
    },
  )

  it.each([
    [0, 1],
    [0, 2],
  ])('data at another level than the current is PROTOCOL_VIOLATION (%i, %i)', (_current, level) => {
    const { server } = newServer()
    expect(codeOf(() => server.handleCrypto(level, rawClientHello()))).toBe(PROTOCOL_VIOLATION)
  })

  it('data at a level left behind is PROTOCOL_VIOLATION', () => {
    const { server } = newServer()
    server.handleCrypto(0, rawClientHello())
    expect(codeOf(() => server.handleCrypto(0, u8(1)))).toBe(PROTOCOL_VIOLATION)
  })
})

describe('after the handshake', () => {
  const ticket = (size: number) => {
    const earlyData = extensions([[42, concat(u16(size >>> 16), u16(size & 0xffff))]])
    return message(4, new Uint8Array(8), vector(1, u8(0)), vector(2, u8(1, 2, 3)), earlyData)
  }

  it('KeyUpdate is 0x010a on both sides (RFC 9001 section 6)', () => {
    const pair = new Pair().run()
    expect(codeOf(() => pair.server.handleCrypto(2, keyUpdate))).toBe(CryptoAlert.unexpectedMessage)
    expect(codeOf(() => pair.client.handleCrypto(2, keyUpdate))).toBe(CryptoAlert.unexpectedMessage)
  })

  it('a CertificateRequest is PROTOCOL_VIOLATION (RFC 9001 section 4.4)', () => {
    const { client } = new Pair().run()
    expect(codeOf(() => client.handleCrypto(2, message(13, u8(0), u16(0))))).toBe(PROTOCOL_VIOLATION)
  })

  it('a ticket is taken, split at any byte', () => {
    const { client } = new Pair().run()
    for (const byte of ticket(0xffffffff)) client.handleCrypto(2, u8(byte))
  })

  it('a ticket with another max_early_data_size is PROTOCOL_VIOLATION (RFC 9001 section 4.6.1)', () => {
    const { client } = new Pair().run()
    expect(codeOf(() => client.handleCrypto(2, ticket(16_384)))).toBe(PROTOCOL_VIOLATION)
  })

  it('a ticket cut short is decode_error, an empty one too', () => {
    for (const body of [u8(0), concat(new Uint8Array(8), vector(1), vector(2), extensions([]))]) {
      const { client } = new Pair().run()
      expect(codeOf(() => client.handleCrypto(2, message(4, body)))).toBe(CryptoAlert.decodeError)
    }
  })

  it.each(ALL_TYPES)('type %i is unexpected at the server', (type) => {
    const { server } = new Pair().run()
    expect(codeOf(() => server.handleCrypto(2, message(type, u8(0))))).toBe(CryptoAlert.unexpectedMessage)
  })

  it('messages are bounded, each and all together', () => {
    const { client } = new Pair().run()
    expect(codeOf(() => client.handleCrypto(2, u8(4, 0, 0x40, 1)))).toBe(CryptoAlert.decodeError)
    const other = new Pair().run().client
    const flood = () => {
      for (let i = 0; i < 20_000; i++) other.handleCrypto(2, ticket(0xffffffff))
    }
    expect(codeOf(flood)).toBe(CRYPTO_BUFFER_EXCEEDED)
  })
})

describe('a message too long', () => {
  it('is refused by its header, before memory is spent', () => {
    const { server } = newServer()
    expect(codeOf(() => server.handleCrypto(0, u8(1, 1, 0, 0)))).toBe(CryptoAlert.decodeError)
  })
})
