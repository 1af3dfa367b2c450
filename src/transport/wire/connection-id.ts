// Connection IDs as bytes inside packets (RFC 9000 section 5.1). Used by connection and supervisor for routing.

/** Longest connection ID of QUIC version 1 (RFC 9000 section 17.2). */
export const MAX_CONNECTION_ID_LENGTH = 20

/** Bytes of a stateless reset token (RFC 9000 section 10.3). */
export const RESET_TOKEN_LENGTH = 16

/**
 * The first six bytes as an integer below 2^48: a Map key that costs no string.
 * @param buffer packet or connection ID of at least offset + 6 bytes
 */
export function connectionIdKey(buffer: Uint8Array, offset: number): number {
  const high = (buffer[offset] << 8) | buffer[offset + 1]
  const low =
    ((buffer[offset + 2] << 24) |
      (buffer[offset + 3] << 16) |
      (buffer[offset + 4] << 8) |
      buffer[offset + 5]) >>>
    0
  return high * 0x1_0000_0000 + low
}

/** Lower-case hexadecimal text of some bytes of a buffer; for logs and string keys, not for hot paths. */
export function toHex(buffer: Uint8Array, offset = 0, length: number = buffer.length - offset): string {
  let text = ''
  for (let i = offset; i < offset + length; i++) text += buffer[i].toString(16).padStart(2, '0')
  return text
}
