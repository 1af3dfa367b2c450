// Answers to datagrams that belong to no connection: Version Negotiation (RFC 9000 section 6) and stateless reset
// (section 10.3). Called by the endpoint.
import type { Entropy } from '../crypto/index.ts'
import { encodeVersionNegotiation, type PacketHeader } from '../wire/index.ts'

export const RESET_TOKEN_LENGTH = 16
/** RFC 9000 section 10.3: the smallest reset that can be told from nothing. */
const MIN_RESET_LENGTH = 21
/** Longer ones would gain nothing: a short packet with a few frames looks like this. */
const MAX_RESET_LENGTH = 42

/**
 * The Version Negotiation packet that answers a long header of an unknown version: IDs swapped.
 * @returns a buffer of its own
 */
export function buildVersionNegotiation(
  datagram: Uint8Array,
  header: PacketHeader,
  versions: readonly number[],
  entropy: Entropy,
): Uint8Array {
  const { dcidStart, dcidLength, scidStart, scidLength } = header
  const random = new Uint8Array(1)
  entropy.fill(random)
  const buffer = new Uint8Array(7 + dcidLength + scidLength + 4 * versions.length)
  const scid = datagram.subarray(dcidStart, dcidStart + dcidLength)
  const dcid = datagram.subarray(scidStart, scidStart + scidLength)
  const end = encodeVersionNegotiation(buffer, dcid, scid, versions, random[0])
  return buffer.subarray(0, end)
}

/**
 * A stateless reset, or undefined when the trigger is too small to be answered by something smaller still.
 * @param triggerLength bytes of the datagram that is answered (section 10.3.3: the reset must be shorter)
 * @param token 16 bytes that the peer knows for the connection ID it used
 */
export function buildStatelessReset(
  triggerLength: number,
  token: Uint8Array,
  entropy: Entropy,
): Uint8Array | undefined {
  const length = Math.min(triggerLength - 1, MAX_RESET_LENGTH)
  if (length < MIN_RESET_LENGTH) return undefined
  const packet = new Uint8Array(length)
  entropy.fill(packet)
  packet[0] = 0x40 | (packet[0] & 0x3f)
  packet.set(token, length - RESET_TOKEN_LENGTH)
  return packet
}
