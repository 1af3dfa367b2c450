// Why a connection has ended, in words and as a kind of ClientError (RFC 9000 section 20.1). Used by session.ts.
import { h3ErrorName } from '../http3/index.ts'
import type { CloseInfo } from '../transport/connection/index.ts'
import { transportErrorName } from '../transport/wire/index.ts'
import { ClientError } from './client-error.ts'

/** Code of TLS alert 0. */
const CRYPTO_ERROR = 0x100

/** @param wasOpen the handshake had been completed */
export function closeError(close: CloseInfo, wasOpen: boolean): ClientError {
  const kind = wasOpen ? 'closed' : 'connect'
  if (close.cause === 'idle' || close.cause === 'handshakeTimeout') {
    return new ClientError(
      'timeout',
      wasOpen ? 'the server fell silent' : 'the server did not answer in time',
    )
  }
  if (close.cause === 'statelessReset')
    return new ClientError(kind, 'the server has forgotten the connection')
  const name = close.isApplication ? h3ErrorName(close.code) : nameOf(close.code)
  const reason = close.reason === '' ? '' : `: ${close.reason}`
  const who = close.isLocal ? 'the connection was closed' : 'the server closed the connection'
  return new ClientError(kind, `${who} (${name}${reason})`, close.code)
}

/** RFC 9000 section 20.1; from 0x100 on it is a TLS alert (RFC 9001 section 4.8). */
function nameOf(code: number): string {
  const isAlert = code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256
  return isAlert ? `TLS alert ${code - CRYPTO_ERROR}` : transportErrorName(code)
}
