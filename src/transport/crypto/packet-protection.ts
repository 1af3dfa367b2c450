// Packet protection (RFC 9001 sections 5.3 and 5.4): seals a packet and masks its header, or removes the
// mask again. Called by the connection for every packet; allocates nothing.
//
//   start          packetNumberOffset        payloadStart                payloadEnd
//     | first byte ... | packet number 1..4 | payload                      | tag 16 |
//                      |<----- 4 ----->|<-- sample 16 -->|
import type { PacketKeys } from './key-schedule.ts'
import { TAG_LENGTH } from './suites.ts'

const SAMPLE_LENGTH = 16
/** RFC 9001 section 5.4.2: the sample lies as if the packet number took four bytes. */
const SAMPLE_OFFSET = 4

const mask = new Uint8Array(5)

/**
 * Seals the payload in place and masks the header.
 * The header stands in the buffer unprotected, the payload after it; the caller has padded the payload so
 * that packet number and payload take at least four bytes together (RFC 9001 section 5.4.2).
 * @param payloadEnd end of the plaintext; the tag is written behind it
 * @returns the end of the protected packet, tag included
 * @throws RangeError when the packet is too short for a sample, or the buffer for the tag
 */
export function protectPacket(
  keys: PacketKeys,
  buffer: Uint8Array,
  headerStart: number,
  packetNumberOffset: number,
  packetNumberLength: number,
  payloadEnd: number,
  packetNumber: number,
): number {
  if (payloadEnd < packetNumberOffset + SAMPLE_OFFSET) throw new RangeError('packet too short for a sample')
  keys.aead.seal(buffer, headerStart, packetNumberOffset + packetNumberLength, payloadEnd, packetNumber)
  keys.header.mask(buffer, packetNumberOffset + SAMPLE_OFFSET, mask)
  maskFirstByte(buffer, headerStart)
  maskPacketNumber(buffer, packetNumberOffset, packetNumberLength)
  return payloadEnd + TAG_LENGTH
}

/**
 * Removes header protection in place.
 * @param end end of the packet, tag included
 * @returns length of the packet number in bytes (1 to 4), or 0 when the packet is too short for a sample.
 *   RFC 9001 section 5.4.2: "An endpoint MUST discard packets that are not long enough to contain a complete
 *   sample."
 */
export function unprotectHeader(
  keys: PacketKeys,
  buffer: Uint8Array,
  start: number,
  packetNumberOffset: number,
  end: number = buffer.length,
): number {
  const sampleOffset = packetNumberOffset + SAMPLE_OFFSET
  if (sampleOffset + SAMPLE_LENGTH > end || end > buffer.length) return 0
  keys.header.mask(buffer, sampleOffset, mask)
  maskFirstByte(buffer, start)
  const packetNumberLength = (buffer[start]! & 0x03) + 1
  maskPacketNumber(buffer, packetNumberOffset, packetNumberLength)
  return packetNumberLength
}

// RFC 9001 section 5.4.1: four bits of a long header are protected, five of a short one.
function maskFirstByte(buffer: Uint8Array, start: number): void {
  const bits = (buffer[start]! & 0x80) !== 0 ? 0x0f : 0x1f
  buffer[start]! ^= mask[0]! & bits
}

function maskPacketNumber(buffer: Uint8Array, offset: number, length: number): void {
  for (let i = 0; i < length; i++) buffer[offset + i]! ^= mask[i + 1]!
}
