// Packet headers: RFC 9000 section 17, RFC 8999, RFC 9369 section 3.2.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeLongHeader,
  encodeRetry,
  encodeShortHeader,
  encodeVersionNegotiation,
  longHeaderLength,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  patchLength,
  QUIC_VERSION_1,
  QUIC_VERSION_2,
  readPacketNumber,
  versionAt,
  versionCount,
} from '../../../../src/transport/wire/index.ts'
import { conformancePath } from '../../../conformance.ts'
import { fromHex } from './bytes.ts'

const vectorsPath = conformancePath('vectors.json')
const dcid = fromHex('8394c8f03e515708')
const scid = fromHex('f067a5502a4262b5')

function part(buffer: Uint8Array, start: number, length: number): number[] {
  return [...buffer.subarray(start, start + length)]
}

describe('long headers, RFC 9000 section 17.2', () => {
  it('RFC 9001 appendix A.2: the header of the sample client Initial', () => {
    const buffer = new Uint8Array(64)
    const end = encodeLongHeader(buffer, 0, PacketType.initial, 1, dcid, new Uint8Array(0), undefined, 2, 4)
    patchLength(buffer, end - 4 - 2, 1182)
    expect(Buffer.from(buffer.subarray(0, end)).toString('hex')).toBe(
      'c300000001088394c8f03e5157080000449e00000002',
    )
  })

  it('every type, version, token and packet number length survives a round trip inside a datagram', () => {
    const bytes = (max: number) => fc.uint8Array({ maxLength: max })
    fc.assert(
      fc.property(
        fc.constantFrom(PacketType.initial, PacketType.zeroRtt, PacketType.handshake),
        fc.constantFrom(QUIC_VERSION_1, QUIC_VERSION_2),
        bytes(20),
        bytes(20),
        bytes(100),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(255),
        fc.nat(30),
        (type, version, to, from, token, pnLength, pn, start) => {
          const buffer = new Uint8Array(400)
          const at = encodeLongHeader(buffer, start, type, version, to, from, token, pn, pnLength)
          expect(at - start).toBe(longHeaderLength(type, to, from, token.length, pnLength))
          const end = at + 40
          patchLength(buffer, at - pnLength - 2, end - at + pnLength)
          const header = new PacketHeader()
          expect(parsePacketHeader(buffer, start, buffer.length, 8, header)).toBe(true)
          expect([header.type, header.version, header.start, header.end]).toEqual([type, version, start, end])
          expect(part(buffer, header.dcidStart, header.dcidLength)).toEqual([...to])
          expect(part(buffer, header.scidStart, header.scidLength)).toEqual([...from])
          const expectedToken = type === PacketType.initial ? [...token] : []
          expect(part(buffer, header.tokenStart, header.tokenLength)).toEqual(expectedToken)
          expect(header.packetNumberOffset).toBe(at - pnLength)
          expect((header.firstByte & 3) + 1).toBe(pnLength)
          expect(readPacketNumber(buffer, header.packetNumberOffset, pnLength)).toBe(pn)
        },
      ),
    )
  })

  it('RFC 9369 section 3.2: version 2 permutes the type bits', () => {
    const buffer = new Uint8Array(64)
    encodeLongHeader(buffer, 0, PacketType.initial, QUIC_VERSION_2, dcid, scid, undefined, 0, 1)
    expect(buffer[0] & 0x30).toBe(0x10)
    encodeLongHeader(buffer, 0, PacketType.handshake, QUIC_VERSION_2, dcid, scid, undefined, 0, 1)
    expect(buffer[0] & 0x30).toBe(0x30)
    encodeRetry(buffer, 0, QUIC_VERSION_2, dcid, scid, fromHex('00'), 0)
    expect(buffer[0] & 0x30).toBe(0)
  })

  it('drops a packet with fixed bit 0, a connection ID over 20 bytes, or a length beyond the datagram', () => {
    const make = () => {
      const buffer = new Uint8Array(100)
      const at = encodeLongHeader(buffer, 0, PacketType.handshake, 1, dcid, scid, undefined, 0, 1)
      patchLength(buffer, at - 3, 100 - at + 1)
      return { buffer, lengthAt: at - 3 }
    }
    const header = new PacketHeader()
    const good = make()
    expect(parsePacketHeader(good.buffer, 0, 100, 8, header)).toBe(true)
    expect(parsePacketHeader(good.buffer, 0, 99, 8, header)).toBe(false)
    good.buffer[0] &= 0xbf
    expect(parsePacketHeader(good.buffer, 0, 100, 8, header)).toBe(false)
    header.allowsClearFixedBit = true
    expect(parsePacketHeader(good.buffer, 0, 100, 8, header)).toBe(true)
    header.allowsClearFixedBit = false
    const long = make()
    long.buffer[5] = 21
    expect(parsePacketHeader(long.buffer, 0, 100, 8, header)).toBe(false)
    const short = make()
    patchLength(short.buffer, short.lengthAt, 19)
    expect(parsePacketHeader(short.buffer, 0, 100, 8, header)).toBe(false)
  })
})

describe('short headers, RFC 9000 section 17.3.1', () => {
  it('carries spin bit, key phase, connection ID and packet number', () => {
    const buffer = new Uint8Array(64)
    const at = encodeShortHeader(buffer, 3, dcid, 0x123456, 3, 1, 1)
    expect(at).toBe(3 + 1 + 8 + 3)
    expect(buffer[3]).toBe(0x40 | 0x20 | 0x04 | 0x02)
    const header = new PacketHeader()
    expect(parsePacketHeader(buffer, 3, 64, 8, header)).toBe(true)
    expect([header.type, header.end]).toEqual([PacketType.oneRtt, 64])
    expect(part(buffer, header.dcidStart, header.dcidLength)).toEqual([...dcid])
    expect(readPacketNumber(buffer, header.packetNumberOffset, 3)).toBe(0x123456)
  })

  it('drops fixed bit 0, and what is too short for a header protection sample (RFC 9001 section 5.4.2)', () => {
    const buffer = new Uint8Array(64)
    encodeShortHeader(buffer, 0, dcid, 0, 1, 0, 0)
    const header = new PacketHeader()
    expect(parsePacketHeader(buffer, 0, 9 + 20, 8, header)).toBe(true)
    expect(parsePacketHeader(buffer, 0, 9 + 19, 8, header)).toBe(false)
    buffer[0] = 0
    expect(parsePacketHeader(buffer, 0, 64, 8, header)).toBe(false)
  })
})

describe('packets of other versions, RFC 8999', () => {
  it('an unknown version is reported with connection IDs of up to 255 bytes', () => {
    const buffer = new Uint8Array(1200)
    buffer.set([0x80, 0xba, 0xba, 0xba, 0xba, 255])
    buffer[6 + 255] = 200
    const header = new PacketHeader()
    expect(parsePacketHeader(buffer, 0, 1200, 8, header)).toBe(true)
    expect([header.type, header.version]).toEqual([PacketType.unknown, 0xbabababa])
    expect([header.dcidLength, header.scidStart, header.scidLength]).toEqual([255, 6 + 256, 200])
    expect(parsePacketHeader(buffer, 0, 6 + 256 + 199, 8, header)).toBe(false)
  })

  it('RFC 9000 section 17.2.1: Version Negotiation lists versions after both connection IDs', () => {
    const buffer = new Uint8Array(64)
    const end = encodeVersionNegotiation(buffer, dcid, scid, [1, QUIC_VERSION_2, 0x1a2a3a4a], 0xff)
    const header = new PacketHeader()
    expect(parsePacketHeader(buffer, 0, end, 8, header)).toBe(true)
    expect(header.type).toBe(PacketType.versionNegotiation)
    expect(part(buffer, header.dcidStart, header.dcidLength)).toEqual([...dcid])
    expect(part(buffer, header.scidStart, header.scidLength)).toEqual([...scid])
    const versions = Array.from({ length: versionCount(header) }, (_, i) => versionAt(buffer, header, i))
    expect(versions).toEqual([1, QUIC_VERSION_2, 0x1a2a3a4a])
    expect(parsePacketHeader(buffer, 0, end - 1, 8, header)).toBe(false)
    expect(parsePacketHeader(buffer, 0, end - 12, 8, header)).toBe(false)
  })

  it('RFC 9000 section 17.2.5: a Retry packet is token and 16 bytes of tag', () => {
    const buffer = new Uint8Array(64)
    const end = encodeRetry(buffer, 0, QUIC_VERSION_1, dcid, scid, fromHex('746f6b656e'), 0xf)
    const header = new PacketHeader()
    expect(parsePacketHeader(buffer, 0, end + 16, 8, header)).toBe(true)
    expect(header.type).toBe(PacketType.retry)
    expect(part(buffer, header.tokenStart, header.tokenLength)).toEqual([...fromHex('746f6b656e')])
    expect(parsePacketHeader(buffer, 0, end - 6, 8, header)).toBe(false)
  })

  it('no bytes make the header parser throw or point outside of the datagram', () => {
    const header = new PacketHeader()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(20), fc.boolean(), (bytes, cidLength, isV1) => {
        if (isV1 && bytes.length > 5) bytes.set([bytes[0] | 0xc0, 0, 0, 0, 1, bytes[5] % 21])
        if (!parsePacketHeader(bytes, 0, bytes.length, cidLength, header)) return
        expect(header.end).toBeLessThanOrEqual(bytes.length)
        expect(header.end).toBeGreaterThan(0)
        expect(header.packetNumberOffset).toBeLessThanOrEqual(bytes.length)
        expect(header.tokenStart + header.tokenLength).toBeLessThanOrEqual(bytes.length)
        expect(header.dcidStart + header.dcidLength).toBeLessThanOrEqual(bytes.length)
        expect(header.scidStart + header.scidLength).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2000 },
    )
  })
})

describe.skipIf(vectorsPath === undefined)('packet headers, stored vectors', () => {
  it('RFC 9001 appendix A.4 and RFC 9369 appendix A.4: the sample Retry packets', () => {
    const vectors = JSON.parse(readFileSync(vectorsPath!, 'utf8'))
    for (const [name, version, first] of [
      ['rfc9001_A', QUIC_VERSION_1, 0x0f],
      ['rfc9369_A', QUIC_VERSION_2, 0x0f],
    ] as const) {
      const packet = fromHex(vectors[name].retry_packet.packet)
      const header = new PacketHeader()
      expect(parsePacketHeader(packet, 0, packet.length, 8, header)).toBe(true)
      expect([header.type, header.version]).toEqual([PacketType.retry, version])
      const buffer = new Uint8Array(packet.length)
      const token = packet.slice(header.tokenStart, header.tokenStart + header.tokenLength)
      const end = encodeRetry(buffer, 0, version, new Uint8Array(0), scid, token, first)
      expect([...buffer.subarray(0, end)]).toEqual([...packet.subarray(0, end)])
      expect(packet.length - end).toBe(16)
    }
  })
})
