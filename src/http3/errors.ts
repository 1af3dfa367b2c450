// HTTP/3 and QPACK error codes, and the error that every parser of this room throws.
// RFC 9114 section 8.1, RFC 9204 section 6. Thrown by the parsers, caught at the edge of a stream or connection.

/** Error codes of RFC 9114 section 8.1 and RFC 9204 section 6. */
export const H3ErrorCode = {
  H3_DATAGRAM_ERROR: 0x33,
  H3_NO_ERROR: 0x100,
  H3_GENERAL_PROTOCOL_ERROR: 0x101,
  H3_INTERNAL_ERROR: 0x102,
  H3_STREAM_CREATION_ERROR: 0x103,
  H3_CLOSED_CRITICAL_STREAM: 0x104,
  H3_FRAME_UNEXPECTED: 0x105,
  H3_FRAME_ERROR: 0x106,
  H3_EXCESSIVE_LOAD: 0x107,
  H3_ID_ERROR: 0x108,
  H3_SETTINGS_ERROR: 0x109,
  H3_MISSING_SETTINGS: 0x10a,
  H3_REQUEST_REJECTED: 0x10b,
  H3_REQUEST_CANCELLED: 0x10c,
  H3_REQUEST_INCOMPLETE: 0x10d,
  H3_MESSAGE_ERROR: 0x10e,
  H3_CONNECT_ERROR: 0x10f,
  H3_VERSION_FALLBACK: 0x110,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
} as const

const namesByCode = new Map<number, string>(Object.entries(H3ErrorCode).map(([name, code]) => [code, name]))

/**
 * Name of an application error code for logs and messages.
 * @param code wire value
 * @returns the RFC's name, or the number in hexadecimal when it is unknown
 */
export function h3ErrorName(code: number): string {
  return namesByCode.get(code) ?? `0x${code.toString(16)}`
}

/** What an error ends: the whole connection, or one request stream (RFC 9114 section 8). */
export type H3ErrorScope = 'connection' | 'stream'

/** A violation found while reading what the peer sent. */
export class H3Error extends Error {
  readonly code: number
  readonly scope: H3ErrorScope

  /**
   * @param code value of {@link H3ErrorCode}
   * @param reason text for logs and for the reason phrase of CONNECTION_CLOSE
   * @param scope what has to be ended
   */
  constructor(code: number, reason: string, scope: H3ErrorScope) {
    super(`${h3ErrorName(code)}: ${reason}`)
    this.name = 'H3Error'
    this.code = code
    this.scope = scope
  }
}

/** Builds a connection error (RFC 9114 section 8). */
export function connectionError(code: number, reason: string): H3Error {
  return new H3Error(code, reason, 'connection')
}

/** Builds the stream error for a malformed message (RFC 9114 section 4.1.2). */
export function malformed(reason: string): H3Error {
  return new H3Error(H3ErrorCode.H3_MESSAGE_ERROR, reason, 'stream')
}
