// What keeps the protocol flexible: reserved versions and parameters (RFC 9000 sections 6.3, 15, 18.1), the greased
// fixed bit (RFC 9287) and the spin bit (RFC 9000 section 17.4).
import { describe, expect, test } from 'vitest'
import { HeaderBits } from '../../src/transport/connection/header-bits.ts'
import { DEFAULT_TRANSPORT_SETTINGS } from '../../src/transport/connection/index.ts'
import {
  decodeTransportParameters,
  defaultTransportParameters,
  encodeTransportParameters,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  reservedVersion,
  TransportErrorCode,
} from '../../src/transport/wire/index.ts'
import { Pair, TestEntropy } from '../unit/transport/connection/pair.ts'
import * as frame from './frame-bytes.ts'
import { Level, ScriptedPeer } from './scripted-peer.ts'

const FIXED_BIT = 0x40
const SPIN_BIT = 0x20

/** First bytes of the datagrams of a handshake and a transfer in both directions, by direction. */
function firstBytes(options: ConstructorParameters<typeof Pair>[0] = {}): {
  toServer: number[]
  toClient: number[]
} {
  const pair = new Pair(options)
  const seen = { toServer: [] as number[], toClient: [] as number[] }
  pair.drop = (_index, toServer, bytes) => {
    seen[toServer ? 'toServer' : 'toClient'].push(bytes[0])
    return false
  }
  pair.handshake()
  for (const [from, to] of [
    [pair.client, pair.server],
    [pair.server, pair.client],
  ]) {
    const stream = from.connection.openStream('uni')!
    stream.write(Buffer.alloc(300_000, 'x'))
    stream.end()
    pair.run(20_000, () => to.application.finished.has(stream.id))
    expect(to.application.finished.has(stream.id)).toBe(true)
  }
  return seen
}

const share = (bytes: number[], bit: number): number =>
  bytes.filter((byte) => (byte & bit) !== 0).length / bytes.length

describe('the fixed bit (RFC 9287)', () => {
  test('varies in both directions when both sides agree, and nothing is lost by that', () => {
    const { toServer, toClient } = firstBytes()
    for (const bytes of [toServer, toClient]) {
      expect(share(bytes, FIXED_BIT)).toBeGreaterThan(0.3)
      expect(share(bytes, FIXED_BIT)).toBeLessThan(0.8)
    }
  })

  test('is set before the peer has agreed', () => {
    for (let seed = 1; seed < 30; seed++) {
      const peer = new ScriptedPeer({ role: 'server', seed })
      expect(peer.connection.headerBits.isFixedBitFree).toBe(false)
      peer.handshake()
      expect(peer.connection.headerBits.isFixedBitFree).toBe(false)
    }
    const { toServer } = firstBytes()
    expect(toServer[0] & FIXED_BIT).toBe(FIXED_BIT)
  })

  test.each(['client', 'server'] as const)('is always set when the %s does not agree', (side) => {
    const { toServer, toClient } = firstBytes({ [side]: { greaseQuicBit: false } })
    expect(share(toServer, FIXED_BIT)).toBe(1)
    expect(share(toClient, FIXED_BIT)).toBe(1)
  })

  test('is offered by an empty transport parameter; one with a value is an error (section 3)', () => {
    const bytes = encodeTransportParameters(
      { ...defaultTransportParameters(), greaseQuicBit: true },
      'client',
    )
    expect(Buffer.from(bytes).toString('hex')).toBe('6ab200'.padStart(6, '0'))
    expect(decodeTransportParameters(bytes, 'client').greaseQuicBit).toBe(true)
    expect(() => decodeTransportParameters(Uint8Array.of(0x6a, 0xb2, 1, 0), 'client')).toThrowError(
      expect.objectContaining({ code: TransportErrorCode.TRANSPORT_PARAMETER_ERROR }),
    )
  })
})

describe('the spin bit (RFC 9000 section 17.4)', () => {
  const settings = { ...DEFAULT_TRANSPORT_SETTINGS, spinBit: true }

  /** Bits of a connection that does spin. */
  function spinning(isServer: boolean): HeaderBits {
    for (let seed = 1; ; seed++) {
      const bits = new HeaderBits(settings, isServer, new TestEntropy(seed))
      bits.handleOpened(isServer ? SPIN_BIT : 0, 0)
      if (Array.from({ length: 40 }, () => bits.spin).every((spin) => spin === 1)) return bits
    }
  }

  test('a server repeats what the newest packet had', () => {
    const bits = spinning(true)
    bits.handleOpened(0, 5)
    expect(bits.spin).toBe(0)
    bits.handleOpened(SPIN_BIT, 4)
    expect(bits.spin).toBe(0)
    bits.handleOpened(SPIN_BIT, 6)
    expect(bits.spin).toBe(1)
  })

  test('a client turns it, and it starts over on a new path', () => {
    const bits = spinning(false)
    bits.handleOpened(SPIN_BIT, 5)
    expect(bits.spin).toBe(0)
    bits.handleOpened(0, 6)
    expect(bits.spin).toBe(1)
    bits.resetSpin()
    expect(bits.spin).toBe(0)
  })

  test('changes about once per round trip', () => {
    const { toClient } = firstBytes({ seed: 100, client: { spinBit: true }, server: { spinBit: true } })
    const short = toClient.filter((byte) => (byte & 0x80) === 0).map((byte) => byte & SPIN_BIT)
    const turns = short.filter((bit, index) => index > 0 && bit !== short[index - 1]).length
    expect(turns).toBeGreaterThan(3)
    expect(turns).toBeLessThan(short.length / 4)
  })

  test('is random where it is off, which is the default, and on one connection in 16 where it is on', () => {
    const { toClient } = firstBytes()
    const short = toClient.filter((byte) => (byte & 0x80) === 0)
    expect(share(short, SPIN_BIT)).toBeGreaterThan(0.35)
    expect(share(short, SPIN_BIT)).toBeLessThan(0.65)
    let exceptions = 0
    for (let seed = 1; seed <= 1_600; seed++) {
      const bits = new HeaderBits(settings, true, new TestEntropy(seed * 7_919))
      if (Array.from({ length: 20 }, () => bits.spin).some((spin) => spin === 1)) exceptions++
    }
    expect(exceptions).toBeGreaterThan(50)
    expect(exceptions).toBeLessThan(200)
  })
})

describe('reserved values', () => {
  test('reserved versions have the pattern of RFC 9000 section 15', () => {
    const entropy = new TestEntropy(3)
    const random = new Uint8Array(4)
    const seen = new Set<number>()
    for (let i = 0; i < 1_000; i++) {
      entropy.fill(random)
      const version = reservedVersion(random)
      expect((version & 0x0f0f0f0f) >>> 0).toBe(0x0a0a0a0a)
      seen.add(version)
    }
    expect(seen.size).toBeGreaterThan(900)
  })

  test('every connection sends a reserved transport parameter (section 18.1), and ignores those of others', () => {
    const peer = new ScriptedPeer({
      parameters: { grease: { id: 31 * 1_000 + 27, value: new Uint8Array(9) } },
    })
    peer.handshake()
    expect(peer.end.application.isComplete).toBe(true)
    const { grease } = peer.connection.handshake.peer!
    expect(grease).toBeUndefined()
  })

  test('a packet without the fixed bit is taken from a peer to whom it was offered, and only then', () => {
    for (const greaseQuicBit of [true, false]) {
      const peer = new ScriptedPeer({ settings: { greaseQuicBit } }).handshake()
      const header = new PacketHeader()
      const packet = peer.packet(Level.application, frame.stream(0, 0, 'x'), { clearsFixedBit: true })
      header.allowsClearFixedBit = true
      expect(parsePacketHeader(packet, 0, packet.length, 8, header)).toBe(true)
      expect([header.type, header.firstByte & FIXED_BIT]).toEqual([PacketType.oneRtt, 0])
      peer.sendDatagram(packet)
      expect(peer.end.application.bytes(0).length).toBe(greaseQuicBit ? 1 : 0)
      expect(peer.connection.isEnding).toBe(false)
    }
  })
})
