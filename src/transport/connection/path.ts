// One network path of a connection: the addresses of both ends, whether the peer's is validated, how much may be sent
// to it, and the challenges of both sides (RFC 9000 sections 8 and 14). What is true of its life is in the state of
// its actor. Owned by paths.ts.
import {
  type ActorOwner,
  createLifeActor,
  type LifeActor,
  networkPath,
  PathPhase,
} from '../../machines/index.ts'
import type { RemoteAddress } from './datagram-batch.ts'
import {
  AMPLIFICATION_FACTOR,
  MAX_OUTSTANDING_CHALLENGES,
  MAX_PENDING_PATH_RESPONSES,
  MIN_DATAGRAM_SIZE,
} from './limits.ts'
import type { PeerId } from './peer-connection-ids.ts'

interface Challenge {
  readonly data: Uint8Array
  /** Whether the 3x limit kept its datagram below the smallest allowed maximum size. */
  readonly isShort: boolean
}

export class Path {
  readonly remote: RemoteAddress
  /** The socket of ours, whatever that is to the endpoint; undefined where there is only one. */
  readonly local: object | undefined
  readonly actor: LifeActor
  bytesReceived = 0
  bytesSent = 0
  /** Largest datagram to send, bytes of UDP payload. */
  maxDatagramSize = MIN_DATAGRAM_SIZE
  /** Challenges to answer, 8 bytes each, oldest first. */
  readonly responses: Uint8Array[] = []
  /** The peer's connection ID that is sent to on this path; the active path uses the current one. */
  destination: PeerId | undefined
  /** Key of our connection ID that the peer used last on this path; -1 for none. */
  localKey = -1
  /** A challenge waits for a datagram. */
  isChallengeDue = false
  /** When the next challenge is due, and when validation has failed, ms. */
  nextChallenge = Number.POSITIVE_INFINITY
  deadline = Number.POSITIVE_INFINITY
  /** When a path that was left is forgotten, ms. */
  expiry = Number.POSITIVE_INFINITY
  /** ms from one challenge to the next. */
  interval = 0
  #challenges: Challenge[] = []

  constructor(remote: RemoteAddress, local: object | undefined, owner: ActorOwner) {
    this.remote = remote
    this.local = local
    this.actor = createLifeActor(networkPath, 'path', owner)
    this.actor.start()
  }

  get isValidated(): boolean {
    const { phase } = this.actor
    return phase === PathPhase.validated || phase === PathPhase.revalidating
  }

  get isBeingValidated(): boolean {
    const { phase } = this.actor
    return phase === PathPhase.validating || phase === PathPhase.revalidating
  }

  isBetween(remote: RemoteAddress, local: object | undefined): boolean {
    return local === this.local && (remote === this.remote || isSameAddress(remote, this.remote))
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

  /** A challenge has been sent. Each has data of its own, so that a response tells which was answered. */
  noteChallenge(data: Uint8Array, isShort: boolean): void {
    if (this.#challenges.length === MAX_OUTSTANDING_CHALLENGES) this.#challenges.shift()
    this.#challenges.push({ data, isShort })
    this.isChallengeDue = false
  }

  /** The challenge of this path that has this data; undefined for none. */
  findChallenge(data: Uint8Array): Challenge | undefined {
    return this.#challenges.find((challenge) => Buffer.compare(challenge.data, data) === 0)
  }

  /** Validation has ended, one way or the other. */
  stopValidation(): void {
    this.isChallengeDue = false
    this.nextChallenge = Number.POSITIVE_INFINITY
    this.deadline = Number.POSITIVE_INFINITY
    this.#challenges = []
  }

  /** When something is due, ms. */
  get nextTimeout(): number {
    return Math.min(this.nextChallenge, this.deadline, this.expiry)
  }
}

function isSameAddress(one: RemoteAddress, other: RemoteAddress): boolean {
  return one.port === other.port && one.address === other.address
}
