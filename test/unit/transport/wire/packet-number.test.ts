// Packet number encoding and decoding: RFC 9000 section 17.1, appendices A.2 and A.3.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodePacketNumber,
  packetNumberLength,
  readPacketNumber,
  writePacketNumber,
} from '../../../../src/transport/wire/index.ts'

describe('packet numbers, RFC 9000 section 17.1', () => {
  it('appendix A.2: the length covers twice the unacknowledged range', () => {
    expect(packetNumberLength(0xac5c02, 0xabe8b3)).toBe(2)
    expect(packetNumberLength(0xace8fe, 0xabe8b3)).toBe(3)
    expect(packetNumberLength(0, -1)).toBe(1)
    expect(packetNumberLength(127, -1)).toBe(1)
    expect(packetNumberLength(128, -1)).toBe(2)
    expect(packetNumberLength(0x9000_0000, 0)).toBe(4)
  })

  it('appendix A.3: 0x9b32 after 0xa82f30ea is 0xa82f9b32', () => {
    expect(decodePacketNumber(0xa82f30ea, 0x9b32, 16)).toBe(0xa82f9b32)
  })

  it('the window wraps in both directions', () => {
    expect(decodePacketNumber(0xff, 0x00, 8)).toBe(0x100)
    expect(decodePacketNumber(0x100, 0xff, 8)).toBe(0xff)
    expect(decodePacketNumber(0x17f, 0x00, 8)).toBe(0x200)
    expect(decodePacketNumber(0x17f, 0xff, 8)).toBe(0x1ff)
    expect(decodePacketNumber(0x17f, 0x01, 8)).toBe(0x101)
    expect(decodePacketNumber(-1, 0, 8)).toBe(0)
    expect(decodePacketNumber(-1, 0xff, 8)).toBe(0xff)
  })

  it('a receiver that has seen anything from the acknowledged number on reconstructs every packet number', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1, max: 2 ** 50 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (acked, distance, part) => {
          const full = acked + distance
          const length = packetNumberLength(full, acked)
          const bytes = new Uint8Array(6)
          expect(writePacketNumber(bytes, 1, full, length)).toBe(1 + length)
          const truncated = readPacketNumber(bytes, 1, length)
          const largestReceived = acked + Math.floor((distance - 1) * part)
          expect(decodePacketNumber(largestReceived, truncated, 8 * length)).toBe(full)
        },
      ),
    )
  })
})
