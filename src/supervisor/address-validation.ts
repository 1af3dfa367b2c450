// Decides about the first packet of a connection: accept it, make the client prove its address first by a Retry, or
// turn it away (RFC 9000 section 8.1). Used by arrivals.ts, which has stateless-responder.ts send what it decides.
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { Entropy } from '../transport/crypto/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { type PacketHeader, TransportErrorCode } from '../transport/wire/index.ts'
import { AddressTokens } from './address-tokens.ts'
import type { Counters } from './counters.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import { CONNECTION_ID_LENGTH, RETRY_THRESHOLD } from './limits.ts'
import type { StatelessResponder } from './stateless-responder.ts'

/**
 * When clients must prove their address before anything is computed for them: `always`, `never`, or (`auto`) while
 * more than RETRY_THRESHOLD handshakes are under way.
 */
export type RetryMode = 'always' | 'never' | 'auto'

/** A connection that may be accepted. */
export interface Admission {
  /** The client has proved that it receives at its address: the 3x limit does not hold for it. */
  readonly isAddressValidated: boolean
  /** After a Retry: the destination connection ID of the client's very first packet. */
  readonly firstConnectionId?: Uint8Array
}

/** The same, with the means to make a token for the client's next connection. */
export interface AdmittedClient extends Admission {
  readonly newToken: (remote: RemoteAddress, version: number) => Uint8Array
}

const UNPROVED: Admission = { isAddressValidated: false }
const PROVED: Admission = { isAddressValidated: true }

export class AddressValidation {
  readonly #mode: RetryMode
  readonly #clock: Clock
  readonly #connectionIds: Entropy
  readonly #tokens: AddressTokens
  readonly #responder: StatelessResponder
  readonly #counters: Counters

  /** @param connectionIds fills in IDs of ours */
  constructor(
    { retry = 'auto', clock, entropy, worker }: EndpointOptions,
    secret: Uint8Array,
    responder: StatelessResponder,
    counters: Counters,
    connectionIds: Entropy,
  ) {
    this.#mode = retry
    this.#clock = clock
    this.#connectionIds = connectionIds
    this.#tokens = new AddressTokens(secret, entropy, worker)
    this.#responder = responder
    this.#counters = counters
  }

  /**
   * Judges the Initial packet that would begin a connection; answers it when it may not.
   * @param halfOpen handshakes under way
   * @returns undefined when the packet was answered or dropped
   */
  admit(
    header: PacketHeader,
    buffer: Uint8Array,
    socket: DatagramSocket,
    remote: RemoteAddress,
    halfOpen: number,
    now: number,
  ): AdmittedClient | undefined {
    const { dcidStart, dcidLength, tokenStart, tokenLength } = header
    const token = buffer.subarray(tokenStart, tokenStart + tokenLength)
    const destination = buffer.subarray(dcidStart, dcidStart + dcidLength)
    const admission = this.#judge(token, destination, remote, header.version)
    if (admission === undefined) {
      // RFC 9000 section 8.1.2: a client with a bad Retry token takes no other Retry, so it learns of it at once.
      const { INVALID_TOKEN } = TransportErrorCode
      const isTold = this.#responder.refuse(header, buffer, INVALID_TOKEN, socket, remote, now)
      if (!isTold) this.#counters.refused++
      return undefined
    }
    if (!admission.isAddressValidated && (this.#mode === 'always' || this.isCrowded(halfOpen))) {
      const proof = this.#prepareRetry(destination, remote)
      if (!this.#responder.retry(header, buffer, proof, socket, remote, now)) this.#counters.refused++
      return undefined
    }
    return { ...admission, newToken: (address, version) => this.#newToken(address, version) }
  }

  /** What a token proves; undefined for one that came from a Retry and is not right. */
  #judge(
    token: Uint8Array,
    destination: Uint8Array,
    remote: RemoteAddress,
    version: number,
  ): Admission | undefined {
    if (token.length === 0) return UNPROVED
    const now = this.#clock.wallTime()
    if (this.#tokens.isRetry(token)) {
      const firstConnectionId = this.#tokens.claimRetry(token, remote, destination, now)
      this.#count(firstConnectionId !== undefined)
      return firstConnectionId === undefined ? undefined : { isAddressValidated: true, firstConnectionId }
    }
    const isProved = this.#tokens.claimNewToken(token, remote, now, version)
    this.#count(isProved)
    // RFC 9000 section 8.1.3: one that cannot be used is treated as if there were none.
    return isProved ? PROVED : UNPROVED
  }

  #count(isAccepted: boolean): void {
    if (isAccepted) this.#counters.tokensAccepted++
    else this.#counters.tokensRejected++
  }

  /** Whether `halfOpen` handshakes are so many that it matters how many exactly. */
  isCrowded(halfOpen: number): boolean {
    return this.#mode === 'auto' && halfOpen > RETRY_THRESHOLD
  }

  #prepareRetry(
    first: Uint8Array,
    remote: RemoteAddress,
  ): { readonly connectionId: Uint8Array; readonly token: Uint8Array } {
    const connectionId = new Uint8Array(CONNECTION_ID_LENGTH)
    // RFC 9000 section 17.2.5.1: the new ID "MUST NOT be equal to the Destination Connection ID" of the client.
    do this.#connectionIds.fill(connectionId)
    while (Buffer.compare(connectionId, first) === 0)
    return {
      connectionId,
      token: this.#tokens.sealRetry(remote, first, connectionId, this.#clock.wallTime()),
    }
  }

  #newToken(remote: RemoteAddress, version: number): Uint8Array {
    return this.#tokens.sealNewToken(remote, this.#clock.wallTime(), version)
  }
}
