// The payload of HTTP datagrams in CONNECT-UDP: a context ID, and for context 0 a UDP payload (RFC 9298 sections 4, 5).
// Used by the server's relay and by the client.

/** Largest UDP payload; a longer one in context 0 ends the stream (RFC 9298 section 5). */
export const MAX_UDP_PAYLOAD = 65_527

/**
 * The UDP payload of a datagram, a view of it.
 * @returns `unknown` for another context than 0, which is dropped; `malformed` for what ends the stream
 */
export function readContextId(datagram: Uint8Array): Uint8Array | 'unknown' | 'malformed' {
  if (datagram.length === 0) return 'malformed'
  const length = 1 << (datagram[0] >>> 6)
  if (datagram.length < length) return 'malformed'
  if ((datagram[0] & 0x3f) !== 0) return 'unknown'
  for (let index = 1; index < length; index++) if (datagram[index] !== 0) return 'unknown'
  return datagram.length - length > MAX_UDP_PAYLOAD ? 'malformed' : datagram.subarray(length)
}

/** A UDP payload in context 0. */
export function withContextId(payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(payload.length + 1)
  datagram.set(payload, 1)
  return datagram
}
