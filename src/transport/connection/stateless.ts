// Answers to datagrams that belong to no connection: Version Negotiation (RFC 9000 section 6), Retry (section 17.2.5),
// the close of a connection that never began, and stateless reset (section 10.3). Called by the endpoint.
import {
  type BackendSet,
  type Entropy,
  initialKeys,
  protectPacket,
  retryIntegrityTag,
  TAG_LENGTH,
} from '../crypto/index.ts'
import {
  encodeLongHeader,
  encodeRetry,
  encodeVersionNegotiation,
  type PacketHeader,
  PacketType,
  patchLength,
  RESET_TOKEN_LENGTH,
  writeConnectionClose,
} from '../wire/index.ts'

/** RFC 9000 section 10.3: the smallest reset that can be told from nothing. */
export const MIN_RESET_LENGTH = 21
/** Longer ones would gain nothing: a short packet with a few frames looks like this. */
export const MAX_RESET_LENGTH = 43

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

/**
 * The Retry packet that answers an Initial packet (RFC 9000 section 17.2.5, RFC 9001 section 5.8).
 * @param connectionId source connection ID of the Retry, to which the client will send from then on
 * @returns a buffer of its own
 */
export function buildRetry(
  datagram: Uint8Array,
  header: PacketHeader,
  connectionId: Uint8Array,
  token: Uint8Array,
  entropy: Entropy,
): Uint8Array {
  const { dcidStart, dcidLength, scidStart, scidLength, version } = header
  const random = new Uint8Array(1)
  entropy.fill(random)
  // The tag covers a pseudo-packet that begins with the client's first destination ID (RFC 9001 figure 8).
  const pseudo = new Uint8Array(
    1 + dcidLength + 7 + scidLength + connectionId.length + token.length + TAG_LENGTH,
  )
  pseudo[0] = dcidLength
  pseudo.set(datagram.subarray(dcidStart, dcidStart + dcidLength), 1)
  const start = 1 + dcidLength
  const dcid = datagram.subarray(scidStart, scidStart + scidLength)
  const end = encodeRetry(pseudo, start, version, dcid, connectionId, token, random[0])
  pseudo.set(retryIntegrityTag(version, pseudo.subarray(0, end)), end)
  return pseudo.subarray(start)
}

/**
 * An Initial packet that closes a connection before it begins; the client's packet is answered without being opened.
 * @param code a transport error
 * @returns a buffer of its own
 */
export function buildInitialClose(
  datagram: Uint8Array,
  header: PacketHeader,
  code: number,
  backends: BackendSet,
): Uint8Array {
  const { dcidStart, dcidLength, scidStart, scidLength, version } = header
  const ours = datagram.subarray(dcidStart, dcidStart + dcidLength)
  const theirs = datagram.subarray(scidStart, scidStart + scidLength)
  const { server } = initialKeys(backends, version, ours)
  const packet = new Uint8Array(64 + dcidLength + scidLength)
  const payload = encodeLongHeader(packet, 0, PacketType.initial, version, theirs, ours, undefined, 0, 1)
  const end = writeConnectionClose(packet, payload, false, code, 0, NO_REASON)
  patchLength(packet, payload - 3, end - payload + 1 + TAG_LENGTH)
  return packet.subarray(0, protectPacket(server, packet, 0, payload - 1, 1, end, 0))
}

const NO_REASON = new Uint8Array(0)
