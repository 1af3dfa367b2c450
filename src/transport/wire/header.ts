// Packet headers (RFC 9000 section 17, RFC 8999, packet types of version 2 in RFC 9369 section 3.2).
// parsePacketHeader is called for each packet of each datagram, before any key is known, and never throws.
import { MAX_CONNECTION_ID_LENGTH } from './connection-id.ts'
import { writePacketNumber } from './packet-number.ts'
import { varintLength, writeUint32, writeVarint, writeVarint2 } from './varint.ts'

export const QUIC_VERSION_1 = 0x0000_0001
export const QUIC_VERSION_2 = 0x6b33_43cf

/** What a packet is; `unknown` is a long header of a version that we do not speak. */
export const PacketType = {
  initial: 0,
  zeroRtt: 1,
  handshake: 2,
  retry: 3,
  versionNegotiation: 4,
  oneRtt: 5,
  unknown: 6,
} as const

// Header protection samples 16 bytes that begin 4 bytes after the packet number does.
const MIN_PROTECTED_LENGTH = 20
const RETRY_TAG_LENGTH = 16

/** Fields of a parsed header, as offsets into the datagram. One object is reused for all packets. */
export class PacketHeader {
  /** Set by the owner: packets without the fixed bit are parsed as well (RFC 9287 section 3). */
  allowsClearFixedBit = false
  /** A value of PacketType. */
  type = 0
  version = 0
  firstByte = 0
  /** Offset of the first byte of the packet. */
  start = 0
  dcidStart = 0
  dcidLength = 0
  scidStart = 0
  scidLength = 0
  /** Token of an Initial or Retry packet. */
  tokenStart = 0
  tokenLength = 0
  /** Where the (protected) packet number begins; in a Version Negotiation packet the list of versions. */
  packetNumberOffset = 0
  /** Offset after the last byte of this packet; the next coalesced packet begins here. */
  end = 0
}

/**
 * Parses the unprotected part of a packet header (RFC 9000 section 17).
 * @param buffer datagram
 * @param start offset of the packet in it
 * @param end offset after the datagram
 * @param localCidLength length in bytes of the connection IDs that we issue
 * @param out receives the fields
 * @returns false when the packet, and what follows it in the datagram, must be dropped
 */
export function parsePacketHeader(
  buffer: Uint8Array,
  start: number,
  end: number,
  localCidLength: number,
  out: PacketHeader,
): boolean {
  if (start >= end) return false
  const firstByte = buffer[start]
  out.firstByte = firstByte
  out.start = start
  out.end = end
  out.tokenStart = 0
  out.tokenLength = 0
  if (firstByte >= 0x80) return parseLongHeader(buffer, start, end, out)
  // RFC 9000 section 17.3.1: packets with a zero fixed bit "MUST be discarded", unless RFC 9287 was agreed on.
  if ((firstByte & 0x40) === 0 && !out.allowsClearFixedBit) return false
  out.type = PacketType.oneRtt
  out.version = 0
  out.dcidStart = start + 1
  out.dcidLength = localCidLength
  out.scidStart = 0
  out.scidLength = 0
  out.packetNumberOffset = start + 1 + localCidLength
  // RFC 9001 section 5.4.2: "An endpoint MUST discard packets that are not long enough to contain a complete
  // sample."
  return end - out.packetNumberOffset >= MIN_PROTECTED_LENGTH
}

function parseLongHeader(buffer: Uint8Array, start: number, end: number, out: PacketHeader): boolean {
  if (end - start < 7) return false
  out.version =
    ((buffer[start + 1] << 24) | (buffer[start + 2] << 16) | (buffer[start + 3] << 8) | buffer[start + 4]) >>>
    0
  out.dcidLength = buffer[start + 5]
  out.dcidStart = start + 6
  const scidLengthAt = out.dcidStart + out.dcidLength
  if (scidLengthAt >= end) return false
  out.scidLength = buffer[scidLengthAt]
  out.scidStart = scidLengthAt + 1
  const rest = out.scidStart + out.scidLength
  if (rest > end) return false
  out.packetNumberOffset = rest
  if (out.version === 0) {
    out.type = PacketType.versionNegotiation
    return end - rest >= 4 && (end - rest) % 4 === 0
  }
  if (out.version !== QUIC_VERSION_1 && out.version !== QUIC_VERSION_2) {
    out.type = PacketType.unknown
    return true
  }
  return parseVersionSpecific(buffer, rest, end, out)
}

function parseVersionSpecific(buffer: Uint8Array, rest: number, end: number, out: PacketHeader): boolean {
  // RFC 9000 section 17.2: the fixed bit is 1, and connection IDs over 20 bytes "MUST drop the packet".
  if ((out.firstByte & 0x40) === 0 && !out.allowsClearFixedBit) return false
  if (out.dcidLength > MAX_CONNECTION_ID_LENGTH || out.scidLength > MAX_CONNECTION_ID_LENGTH) return false
  out.type = packetTypeOf(out.firstByte, out.version)
  if (out.type === PacketType.retry) {
    out.tokenStart = rest
    out.tokenLength = end - rest - RETRY_TAG_LENGTH
    return out.tokenLength >= 0
  }
  let offset = rest
  if (out.type === PacketType.initial) {
    const tokenLength = peekVarint(buffer, offset, end)
    if (tokenLength < 0) return false
    out.tokenStart = offset + (1 << (buffer[offset] >> 6))
    out.tokenLength = tokenLength
    offset = out.tokenStart + tokenLength
  }
  const length = peekVarint(buffer, offset, end)
  if (length < MIN_PROTECTED_LENGTH) return false
  out.packetNumberOffset = offset + (1 << (buffer[offset] >> 6))
  out.end = out.packetNumberOffset + length
  return out.end <= end
}

function packetTypeOf(firstByte: number, version: number): number {
  const bits = (firstByte >> 4) & 3
  // RFC 9369 section 3.2: Retry 0, Initial 1, 0-RTT 2, Handshake 3.
  return version === QUIC_VERSION_2 ? (bits + 3) & 3 : bits
}

function typeBits(type: number, version: number): number {
  return version === QUIC_VERSION_2 ? (type + 1) & 3 : type
}

// -1 when truncated; 2^53 and more comes out as something larger than any datagram, which is all that counts.
function peekVarint(buffer: Uint8Array, offset: number, end: number): number {
  if (offset >= end) return -1
  const length = 1 << (buffer[offset] >> 6)
  if (end - offset < length) return -1
  let value = buffer[offset] & 0x3f
  for (let i = 1; i < length; i++) value = value * 256 + buffer[offset + i]
  return value
}

/**
 * Writes the header of an Initial, 0-RTT or Handshake packet. The length field is two bytes directly before
 * the packet number and must be set with patchLength once the size is known.
 * @param type initial, zeroRtt or handshake
 * @param token token of an Initial packet; undefined for none and for other types
 * @param packetNumberLength bytes 1..4
 * @returns offset after the packet number, where the payload begins
 */
export function encodeLongHeader(
  buffer: Uint8Array,
  offset: number,
  type: number,
  version: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  token: Uint8Array | undefined,
  packetNumber: number,
  packetNumberLength: number,
): number {
  buffer[offset] = 0xc0 | (typeBits(type, version) << 4) | (packetNumberLength - 1)
  let at = writeConnectionIds(buffer, writeUint32(buffer, offset + 1, version), dcid, scid)
  if (type === PacketType.initial) {
    at = writeVarint(buffer, at, token === undefined ? 0 : token.length)
    if (token !== undefined) {
      buffer.set(token, at)
      at += token.length
    }
  }
  at = writeVarint2(buffer, at, 0)
  return writePacketNumber(buffer, at, packetNumber, packetNumberLength)
}

/**
 * Bytes that encodeLongHeader writes.
 * @param tokenLength length of the token of an Initial packet in bytes
 */
export function longHeaderLength(
  type: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  tokenLength: number,
  packetNumberLength: number,
): number {
  const token = type === PacketType.initial ? varintLength(tokenLength) + tokenLength : 0
  return 1 + 4 + 1 + dcid.length + 1 + scid.length + token + 2 + packetNumberLength
}

/**
 * Sets the length field of a long header.
 * @param lengthOffset offset of the field: two bytes before the packet number
 * @param value bytes of packet number, payload and tag; at most 16383
 */
export function patchLength(buffer: Uint8Array, lengthOffset: number, value: number): void {
  writeVarint2(buffer, lengthOffset, value)
}

/**
 * Writes the header of a 1-RTT packet (RFC 9000 section 17.3.1).
 * @param packetNumberLength bytes 1..4
 * @param keyPhase 0 or 1
 * @param spin 0 or 1
 * @returns offset after the packet number, where the payload begins
 */
export function encodeShortHeader(
  buffer: Uint8Array,
  offset: number,
  dcid: Uint8Array,
  packetNumber: number,
  packetNumberLength: number,
  keyPhase: number,
  spin: number,
): number {
  buffer[offset] = 0x40 | (spin << 5) | (keyPhase << 2) | (packetNumberLength - 1)
  buffer.set(dcid, offset + 1)
  return writePacketNumber(buffer, offset + 1 + dcid.length, packetNumber, packetNumberLength)
}

/**
 * Writes a Version Negotiation packet at the beginning of a buffer (RFC 9000 section 17.2.1).
 * @param dcid source connection ID of the packet that is answered
 * @param scid its destination connection ID; both may have up to 255 bytes (RFC 8999 section 6)
 * @param entropyByte fills the unused bits of the first byte
 * @returns size in bytes
 */
export function encodeVersionNegotiation(
  buffer: Uint8Array,
  dcid: Uint8Array,
  scid: Uint8Array,
  versions: readonly number[],
  entropyByte: number,
): number {
  // RFC 9000 section 17.2.1: the fixed bit SHOULD be 1 so that it can share a port with other protocols.
  buffer[0] = 0xc0 | (entropyByte & 0x3f)
  let at = writeConnectionIds(buffer, writeUint32(buffer, 1, 0), dcid, scid)
  for (const version of versions) at = writeUint32(buffer, at, version)
  return at
}

/**
 * Reads one version of a parsed Version Negotiation packet.
 * @param index 0..versionCount-1
 */
export function versionAt(buffer: Uint8Array, header: PacketHeader, index: number): number {
  const at = header.packetNumberOffset + 4 * index
  return ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0
}

/**
 * A version that no one will ever speak (RFC 9000 section 15), for lists that must not become a habit.
 * @param random 4 random bytes
 */
export function reservedVersion(random: Uint8Array): number {
  const value = (random[0] << 24) | (random[1] << 16) | (random[2] << 8) | random[3]
  return ((value & 0xf0f0f0f0) | 0x0a0a0a0a) >>> 0
}

/** How many versions a parsed Version Negotiation packet lists. */
export function versionCount(header: PacketHeader): number {
  return (header.end - header.packetNumberOffset) >> 2
}

/**
 * Writes a Retry packet up to its integrity tag (RFC 9000 section 17.2.5), which the caller appends.
 * @param entropyByte fills the unused bits of the first byte
 * @returns offset where the 16-byte integrity tag goes
 */
export function encodeRetry(
  buffer: Uint8Array,
  offset: number,
  version: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  token: Uint8Array,
  entropyByte: number,
): number {
  buffer[offset] = 0xc0 | (typeBits(PacketType.retry, version) << 4) | (entropyByte & 0x0f)
  const at = writeConnectionIds(buffer, writeUint32(buffer, offset + 1, version), dcid, scid)
  buffer.set(token, at)
  return at + token.length
}

function writeConnectionIds(buffer: Uint8Array, offset: number, dcid: Uint8Array, scid: Uint8Array): number {
  buffer[offset] = dcid.length
  buffer.set(dcid, offset + 1)
  const at = offset + 1 + dcid.length
  buffer[at] = scid.length
  buffer.set(scid, at + 1)
  return at + 1 + scid.length
}
