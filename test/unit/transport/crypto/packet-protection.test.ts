import { describe, expect, it } from 'vitest'
import {
  CIPHER_SUITES,
  packetKeys,
  protectPacket,
  QUIC_VERSION_1,
  selectBackends,
  unprotectHeader,
} from '../../../../src/transport/crypto/index.ts'
import { hex, seededEntropy } from './vectors.ts'

const backends = selectBackends()
const SHORT = 0x40
const LONG = 0xe0

function keysFor(index: number) {
  const suite = CIPHER_SUITES[index]!
  return packetKeys(backends, suite, new Uint8Array(suite.hashLength).fill(7), QUIC_VERSION_1)
}

describe.each(CIPHER_SUITES.map((suite, index) => ({ name: suite.name, keys: keysFor(index) })))(
  'RFC 9001 section 5.4 with $name',
  ({ keys }) => {
    it('protects and opens every packet number length, both header forms, at any place of the buffer', () => {
      for (const form of [SHORT, LONG]) {
        for (let length = 1; length <= 4; length++) {
          for (const start of [0, 37]) {
            const plain = new Uint8Array(200)
            seededEntropy(length + start).fill(plain)
            plain[start] = form | (length - 1)
            const packet = plain.slice()
            const offset = start + 9
            const end = protectPacket(keys, packet, start, offset, length, start + 100, 1234)
            expect(end).toBe(start + 116)
            expect(unprotectHeader(keys, packet, start, offset, end)).toBe(length)
            expect(keys.aead.open(packet, start, offset + length, end, 1234)).toBe(true)
            expect(hex(packet.subarray(0, end - 16))).toBe(hex(plain.subarray(0, end - 16)))
            expect(hex(packet.subarray(end))).toBe(hex(plain.subarray(end)))
          }
        }
      }
    })

    it('section 5.4.1: masks four bits of a long and five of a short first byte, never more', () => {
      for (const { form, bits } of [
        { form: SHORT, bits: 0x1f },
        { form: LONG, bits: 0x0f },
      ]) {
        let seen = 0
        for (let packetNumber = 0; packetNumber < 64; packetNumber++) {
          const packet = new Uint8Array(64)
          packet[0] = form
          protectPacket(keys, packet, 0, 9, 1, 40, packetNumber)
          seen |= packet[0]! ^ form
        }
        expect(seen).toBe(bits)
      }
    })

    it('section 5.4.2: a packet too short for a sample is refused, the shortest possible is not', () => {
      const packet = new Uint8Array(64)
      packet[0] = SHORT | 3
      expect(() => protectPacket(keys, packet, 0, 9, 2, 12, 1)).toThrow(RangeError)
      const end = protectPacket(keys, packet, 0, 9, 4, 13, 1)
      const before = hex(packet)
      expect(unprotectHeader(keys, packet, 0, 9, end - 1)).toBe(0)
      expect(unprotectHeader(keys, packet.subarray(0, end - 1), 0, 9)).toBe(0)
      expect(unprotectHeader(keys, packet, 0, 9, packet.length + 1)).toBe(0)
      expect(hex(packet)).toBe(before)
      expect(unprotectHeader(keys, packet, 0, 9, end)).toBe(4)
      expect(keys.aead.open(packet, 0, 13, end, 1)).toBe(true)
    })
  },
)
