// How a connection ends, RFC 9000 section 10: what is told to the peer, how often, and why it happened.
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { MAX_CLOSE_REPEATS, MAX_REASON_LENGTH } from './limits.ts'

/** Why and by whom a connection was ended. */
export interface CloseInfo {
  /** Transport error code, or the application's when `isApplication`. */
  readonly code: number
  readonly reason: string
  readonly isApplication: boolean
  readonly isLocal: boolean
  readonly cause:
    | 'close'
    | 'error'
    | 'idle'
    | 'handshakeTimeout'
    | 'statelessReset'
    | 'versionNegotiation'
    | 'noViablePath'
  /** Type of the frame that was wrong, 0 when unknown. */
  readonly frameType: number
}

/** A close that the application or the endpoint asked for. */
export function applicationClose(code: number, reason: string, isApplication: boolean): CloseInfo {
  return { code, reason, isApplication, isLocal: true, cause: 'close', frameType: 0 }
}

/** A close because of something thrown: a violation by the peer, or a defect of ours or of the application. */
export function errorClose(error: unknown): CloseInfo {
  const isProtocol = error instanceof QuicError
  return {
    code: isProtocol ? error.code : TransportErrorCode.INTERNAL_ERROR,
    reason: isProtocol ? error.reason : String(error),
    frameType: isProtocol ? error.frameType : 0,
    isApplication: false,
    isLocal: true,
    cause: 'error',
  }
}

/** An end of which the peer is not told. */
export function silentClose(cause: CloseInfo['cause'], reason: string): CloseInfo {
  return { code: 0, reason, isApplication: false, isLocal: false, cause, frameType: 0 }
}

export class Closing {
  info: CloseInfo | undefined
  reasonBytes: Uint8Array = new Uint8Array(0)
  /** A CONNECTION_CLOSE waits to be sent. */
  isPending = false
  #received = 0
  #nextRepeat = 1

  begin(info: CloseInfo): void {
    this.info = info
    // Details of a defect are for our log, not for the peer.
    const isDefect = info.cause === 'error' && info.code === TransportErrorCode.INTERNAL_ERROR
    this.reasonBytes = truncate(Buffer.from(isDefect ? 'internal error' : info.reason, 'utf8'))
    this.isPending = info.isLocal
  }

  /** A packet arrived in the closing state: repeat at the 1st, 2nd, 4th, 8th ... (section 10.2.1). */
  handlePacket(): void {
    this.#received++
    if (this.#received < this.#nextRepeat || this.#nextRepeat > 2 ** MAX_CLOSE_REPEATS) return
    this.#nextRepeat *= 2
    this.isPending = true
  }
}

/** Cuts at a character boundary. */
function truncate(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= MAX_REASON_LENGTH) return bytes
  let end = MAX_REASON_LENGTH
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
