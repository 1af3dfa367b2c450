// Transport errors and the one exception that bad input raises (RFC 9000 section 20).
// Thrown by every room of transport; caught once, where a connection handles a datagram.

/** Transport error codes of RFC 9000 section 20.1, RFC 9001 and RFC 9368. */
export const TransportErrorCode = {
  NO_ERROR: 0x00,
  INTERNAL_ERROR: 0x01,
  CONNECTION_REFUSED: 0x02,
  FLOW_CONTROL_ERROR: 0x03,
  STREAM_LIMIT_ERROR: 0x04,
  STREAM_STATE_ERROR: 0x05,
  FINAL_SIZE_ERROR: 0x06,
  FRAME_ENCODING_ERROR: 0x07,
  TRANSPORT_PARAMETER_ERROR: 0x08,
  CONNECTION_ID_LIMIT_ERROR: 0x09,
  PROTOCOL_VIOLATION: 0x0a,
  INVALID_TOKEN: 0x0b,
  APPLICATION_ERROR: 0x0c,
  CRYPTO_BUFFER_EXCEEDED: 0x0d,
  KEY_UPDATE_ERROR: 0x0e,
  AEAD_LIMIT_REACHED: 0x0f,
  NO_VIABLE_PATH: 0x10,
  VERSION_NEGOTIATION_ERROR: 0x11,
} as const

/** First code of the CRYPTO_ERROR range; the TLS alert is added to it (RFC 9001 section 4.8). */
export const CRYPTO_ERROR_BASE = 0x100

const codeNames = new Map<number, string>(
  Object.entries(TransportErrorCode).map(([name, code]) => [code as number, name]),
)

/**
 * Name of a transport error code for logs and messages.
 * @param code transport error code
 */
export function transportErrorName(code: number): string {
  if (code >= CRYPTO_ERROR_BASE && code <= CRYPTO_ERROR_BASE + 0xff) {
    return `CRYPTO_ERROR(${code - CRYPTO_ERROR_BASE})`
  }
  return codeNames.get(code) ?? `0x${code.toString(16)}`
}

/** A violation by the peer that closes the connection with CONNECTION_CLOSE of type 0x1c. */
export class QuicError extends Error {
  readonly code: number
  /** Frame type that caused the error, 0 when unknown (RFC 9000 section 19.19). */
  frameType: number
  /** Text for the reason phrase: ours, never data of the peer. */
  readonly reason: string

  /**
   * @param code transport error code, or CRYPTO_ERROR_BASE + TLS alert
   * @param reason short text, sent to the peer as reason phrase
   * @param frameType type of the offending frame
   */
  constructor(code: number, reason: string, frameType = 0) {
    super(`${transportErrorName(code)}: ${reason}`)
    this.name = 'QuicError'
    this.code = code
    this.reason = reason
    this.frameType = frameType
  }
}
