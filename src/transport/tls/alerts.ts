// TLS alerts, RFC 8446 section 6. QUIC carries no alert records: an alert becomes a connection error of type
// CRYPTO_ERROR, 0x0100 + alert (RFC 9001 section 4.8). Everything in this room that finds a fault throws here.

import { CRYPTO_ERROR_BASE, QuicError } from '../wire/errors.ts'

export const Alert = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  illegalParameter: 47,
  unknownCa: 48,
  accessDenied: 49,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  internalError: 80,
  missingExtension: 109,
  unsupportedExtension: 110,
  unrecognizedName: 112,
  certificateRequired: 116,
  noApplicationProtocol: 120,
} as const

/** CRYPTO frame: the frame type named in the CONNECTION_CLOSE that an alert causes. */
const CRYPTO_FRAME = 0x06

/**
 * A fatal alert as the connection error that reports it.
 * @param alert alert description, RFC 8446 section 6
 * @param reason what was wrong, for people; goes into the reason phrase of CONNECTION_CLOSE
 */
export function alertError(alert: number, reason: string): QuicError {
  return new QuicError(CRYPTO_ERROR_BASE + alert, reason, CRYPTO_FRAME)
}

/** A connection error that is QUIC's own although TLS bytes caused it (RFC 9001 sections 4.1.3, 4.4, 4.6.1, 8.4). */
export function transportError(code: number, reason: string): QuicError {
  return new QuicError(code, reason, CRYPTO_FRAME)
}
