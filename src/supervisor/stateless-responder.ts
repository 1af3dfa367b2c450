// Answers that need no connection: version negotiation (RFC 9000 section 6), Retry (section 17.2.5), the refusal of a
// token or a connection (sections 8.1.2, 5.2.2) and stateless reset (section 10.3). All are limited in rate and size, because they go to
// addresses that nobody has validated. Used by arrivals.ts.
import {
  buildInitialClose,
  buildRetry,
  buildStatelessReset,
  buildVersionNegotiation,
  DatagramBatch,
  MIN_RESET_LENGTH,
  type RemoteAddress,
} from '../transport/connection/index.ts'
import type { BackendSet, Entropy } from '../transport/crypto/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { type PacketHeader, reservedVersion } from '../transport/wire/index.ts'
import type { ResetTokens } from './connection-ids.ts'
import type { Counters } from './counters.ts'
import {
  CONNECTION_ID_LENGTH,
  MIN_INITIAL_DATAGRAM,
  RETRY_BURST,
  RETRY_RATE,
  STATELESS_BURST,
  STATELESS_RATE,
} from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

export class StatelessResponder {
  readonly #versions: readonly number[]
  readonly #entropy: Entropy
  readonly #tokens: ResetTokens
  readonly #counters: Counters
  readonly #budget = new TokenBucket(STATELESS_RATE, STATELESS_BURST)
  readonly #retryBudget = new TokenBucket(RETRY_RATE, RETRY_BURST)
  readonly #batch = new DatagramBatch()
  readonly #backends: BackendSet

  constructor(
    versions: readonly number[],
    backends: BackendSet,
    entropy: Entropy,
    tokens: ResetTokens,
    counters: Counters,
  ) {
    this.#versions = versions
    this.#backends = backends
    this.#entropy = entropy
    this.#tokens = tokens
    this.#counters = counters
  }

  /**
   * RFC 9000 section 6.1: tells a client which versions there are, unless its datagram is too small to be a first
   * one of any version (section 5.2.2).
   * @param received size of the datagram, bytes
   */
  negotiateVersion(
    header: PacketHeader,
    buffer: Uint8Array,
    received: number,
    socket: DatagramSocket,
    remote: RemoteAddress,
    now: number,
  ): boolean {
    if (received < MIN_INITIAL_DATAGRAM || !this.#budget.take(now)) return false
    const random = new Uint8Array(5)
    this.#entropy.fill(random)
    // RFC 9000 section 6.3: a reserved version among ours, anywhere, so that clients learn to ignore what they do not
    // know.
    const versions = this.#versions.toSpliced(
      random[0] % (this.#versions.length + 1),
      0,
      reservedVersion(random.subarray(1)),
    )
    this.#sendPacket(buildVersionNegotiation(buffer, header, versions, this.#entropy), socket, remote)
    this.#counters.versionNegotiations++
    return true
  }

  /**
   * RFC 9000 section 10.3: tells a peer that its connection is unknown here. Always smaller than what it answers,
   * so that two endpoints cannot keep each other busy (section 10.3.3).
   * @param start of the datagram; its connection ID follows the first byte
   * @param received size of the datagram, bytes
   */
  reset(
    buffer: Uint8Array,
    start: number,
    received: number,
    socket: DatagramSocket,
    remote: RemoteAddress,
    now: number,
  ): boolean {
    if (received <= MIN_RESET_LENGTH || !this.#budget.take(now)) return false
    const connectionId = buffer.subarray(start + 1, start + 1 + CONNECTION_ID_LENGTH)
    const packet = buildStatelessReset(received, this.#tokens.tokenFor(connectionId), this.#entropy)
    if (packet === undefined) return false
    this.#sendPacket(packet, socket, remote)
    this.#counters.statelessResets++
    return true
  }

  /**
   * RFC 9000 section 17.2.5: asks a client to come back with a token. Smaller than the datagram it answers.
   * @param connectionId source connection ID of the Retry packet
   */
  retry(
    header: PacketHeader,
    buffer: Uint8Array,
    proof: { readonly connectionId: Uint8Array; readonly token: Uint8Array },
    socket: DatagramSocket,
    remote: RemoteAddress,
    now: number,
  ): boolean {
    if (!this.#retryBudget.take(now)) return false
    const packet = buildRetry(buffer, header, proof.connectionId, proof.token, this.#entropy)
    this.#sendPacket(packet, socket, remote)
    this.#counters.retries++
    return true
  }

  /**
   * Turns a first packet away with CONNECTION_CLOSE in an Initial packet: INVALID_TOKEN (RFC 9000 section 8.1.2) or
   * CONNECTION_REFUSED (section 5.2.2).
   */
  refuse(
    header: PacketHeader,
    buffer: Uint8Array,
    code: number,
    socket: DatagramSocket,
    remote: RemoteAddress,
    now: number,
  ): boolean {
    if (!this.#budget.take(now)) return false
    this.#sendPacket(buildInitialClose(buffer, header, code, this.#backends), socket, remote)
    return true
  }

  #sendPacket(packet: Uint8Array, socket: DatagramSocket, remote: RemoteAddress): void {
    this.#batch.buffer.set(packet)
    this.#send(packet.length, socket, remote)
  }

  #send(size: number, socket: DatagramSocket, remote: RemoteAddress): void {
    this.#batch.commit(size, remote)
    socket.send(this.#batch)
    this.#batch.reset()
  }
}
