// Packet number truncation and reconstruction (RFC 9000 sections 17.1, A.2 and A.3).
// Called by header encoding and by the receiving side of a connection.

/**
 * Bytes needed to encode a packet number so that the peer reconstructs it (RFC 9000 appendix A.2).
 * @param full packet number to send
 * @param largestAcked largest number acknowledged in this space, -1 when none is
 */
export function packetNumberLength(full: number, largestAcked: number): 1 | 2 | 3 | 4 {
  const unacked = full - largestAcked
  if (unacked <= 0x80) return 1
  if (unacked <= 0x8000) return 2
  if (unacked <= 0x80_0000) return 3
  return 4
}

/**
 * Writes the low bytes of a packet number.
 * @param length 1..4
 * @returns offset after it
 */
export function writePacketNumber(
  buffer: Uint8Array,
  offset: number,
  packetNumber: number,
  length: number,
): number {
  const low = packetNumber % 0x1_0000_0000
  for (let i = 0; i < length; i++) buffer[offset + i] = low >>> (8 * (length - 1 - i))
  return offset + length
}

/** Reads a truncated packet number of 1..4 bytes. */
export function readPacketNumber(buffer: Uint8Array, offset: number, length: number): number {
  let value = buffer[offset]
  for (let i = 1; i < length; i++) value = ((value << 8) | buffer[offset + i]) >>> 0
  return value
}

/**
 * Reconstructs a packet number (RFC 9000 appendix A.3).
 * @param largest largest number received in this space, -1 when none is
 * @param truncated the bytes of the packet as integer
 * @param bits how many bits these are: 8, 16, 24 or 32
 */
export function decodePacketNumber(largest: number, truncated: number, bits: number): number {
  const expected = largest + 1
  const window = 2 ** bits
  const half = window / 2
  const candidate = expected - (expected % window) + truncated
  if (candidate <= expected - half && candidate + window <= Number.MAX_SAFE_INTEGER) return candidate + window
  if (candidate > expected + half && candidate >= window) return candidate - window
  return candidate
}
