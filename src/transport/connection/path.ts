// The network path of a connection: the peer's address, whether it is validated, and how much may be sent to it
// (RFC 9000 sections 8 and 14).
import type { RemoteAddress } from './datagram-batch.ts'
import { AMPLIFICATION_FACTOR, MAX_PENDING_PATH_RESPONSES, MIN_DATAGRAM_SIZE } from './limits.ts'

export class Path {
  readonly remote: RemoteAddress
  bytesReceived = 0
  bytesSent = 0
  isValidated: boolean
  /** Largest datagram to send, bytes of UDP payload. */
  maxDatagramSize = MIN_DATAGRAM_SIZE
  /** Challenges to answer, 8 bytes each, oldest first. */
  readonly responses: Uint8Array[] = []

  constructor(remote: RemoteAddress, isValidated: boolean) {
    this.remote = remote
    this.isValidated = isValidated
  }

  isFrom(remote: RemoteAddress): boolean {
    return (
      remote === this.remote || (remote.port === this.remote.port && remote.address === this.remote.address)
    )
  }

  /** Bytes that may be sent now, RFC 9000 section 8.1. */
  get sendAllowance(): number {
    if (this.isValidated) return Number.POSITIVE_INFINITY
    return AMPLIFICATION_FACTOR * this.bytesReceived - this.bytesSent
  }

  /** Whether the 3x limit leaves room for a full datagram. */
  get canSend(): boolean {
    return this.sendAllowance >= this.maxDatagramSize
  }

  /** RFC 9000 section 8.2.2; the oldest is dropped when a peer floods. */
  queueResponse(data: Uint8Array): void {
    if (this.responses.length === MAX_PENDING_PATH_RESPONSES) this.responses.shift()
    this.responses.push(new Uint8Array(data))
  }
}
