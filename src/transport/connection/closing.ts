// How a connection ends, RFC 9000 section 10: what is told to the peer, how often, and why it happened.
import { MAX_CLOSE_REPEATS, MAX_REASON_LENGTH } from './limits.ts'

/** Why and by whom a connection was ended. */
export interface CloseInfo {
  /** Transport error code, or the application's when `isApplication`. */
  readonly code: number
  readonly reason: string
  readonly isApplication: boolean
  readonly isLocal: boolean
  readonly cause: 'close' | 'error' | 'idle' | 'handshakeTimeout' | 'statelessReset' | 'versionNegotiation'
  /** Type of the frame that was wrong, 0 when unknown. */
  readonly frameType: number
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
    this.reasonBytes = truncate(Buffer.from(info.reason, 'utf8'))
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
