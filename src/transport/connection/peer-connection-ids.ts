// Connection IDs that the peer issued to us, RFC 9000 sections 5.1.1, 5.1.2 and 19.15.
import { type PreferredAddress, QuicError, TransportErrorCode } from '../wire/index.ts'
import { MAX_PENDING_RETIREMENTS } from './limits.ts'

/** An ID that the peer issued, as long as it is not retired. */
export interface PeerId {
  readonly sequence: number
  readonly bytes: Uint8Array
  statelessResetToken: Uint8Array | undefined
  /** A path uses it, or has used it. */
  isUsed: boolean
  isRetired: boolean
}

export class PeerConnectionIds {
  /** The active_connection_id_limit that we advertised. */
  readonly #limit: number
  #active: PeerId[]
  #current: PeerId
  #retirePriorTo = 0
  /** RETIRE_CONNECTION_ID frames sent and not acknowledged. */
  #unacknowledged = 0
  /** Sequence numbers whose RETIRE_CONNECTION_ID waits for a packet. */
  readonly pendingRetirements: number[] = []

  constructor(first: Uint8Array, limit: number) {
    this.#limit = limit
    this.#current = firstId(first)
    this.#active = [this.#current]
  }

  /** The destination connection ID of outgoing packets. */
  get current(): Uint8Array {
    return this.#current.bytes
  }

  /** The same with its sequence number and token. */
  get currentId(): PeerId {
    return this.#current
  }

  /**
   * An ID that no path has used, for a new one (RFC 9000 section 9.5). A peer whose IDs are empty cannot give others.
   * @param sequence a certain one
   */
  takeSpare(sequence?: number): PeerId | undefined {
    if (this.#current.bytes.length === 0) return this.#current
    const spare = this.#active.find(
      (id) => !id.isUsed && (sequence === undefined || id.sequence === sequence),
    )
    if (spare !== undefined) spare.isUsed = true
    return spare
  }

  /** From now on packets go to this ID, if the peer has not withdrawn it meanwhile. */
  use(id: PeerId): void {
    if (id.isRetired) return
    id.isUsed = true
    this.#current = id
  }

  /** No path uses it any more (section 5.1.2). */
  retire(id: PeerId): void {
    if (id.isRetired || id === this.#current || id.bytes.length === 0) return
    id.isRetired = true
    this.#active = this.#active.filter((other) => other !== id)
    this.#queueRetirement(id.sequence)
  }

  /** A client learns the server's choice from its first packet, RFC 9000 section 7.2. */
  replaceFirst(bytes: Uint8Array): void {
    this.#current = firstId(bytes)
    this.#active = [this.#current]
  }

  /** stateless_reset_token transport parameter, for the ID of the handshake. */
  setFirstToken(token: Uint8Array): void {
    const first = this.#active.find((id) => id.sequence === 0)
    if (first !== undefined) first.statelessResetToken = token
  }

  /** Whether 16 bytes are a reset token of an ID in use (section 10.3.1). All are compared, in constant time. */
  isResetToken(buffer: Uint8Array, start: number): boolean {
    let found = 0
    for (const { statelessResetToken: token } of this.#active) {
      if (token === undefined) continue
      let difference = 0
      for (let i = 0; i < 16; i++) difference |= token[i] ^ buffer[start + i]
      found |= difference === 0 ? 1 : 0
    }
    return found === 1
  }

  /** The ID that comes with preferred_address: the second (section 5.1.1). */
  addPreferred({ connectionId, statelessResetToken }: PreferredAddress): void {
    this.add(1, 0, connectionId, statelessResetToken)
  }

  /** NEW_CONNECTION_ID. @throws QuicError PROTOCOL_VIOLATION or CONNECTION_ID_LIMIT_ERROR */
  add(sequence: number, retirePriorTo: number, bytes: Uint8Array, token: Uint8Array): void {
    if (this.#current.bytes.length === 0) {
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'new connection ID beside a zero-length one')
    }
    if (this.#isRepeat(sequence, bytes, token)) return
    if (sequence < this.#retirePriorTo) {
      this.#queueRetirement(sequence)
      return
    }
    const statelessResetToken = new Uint8Array(token)
    this.#active.push({
      sequence,
      bytes: new Uint8Array(bytes),
      statelessResetToken,
      isUsed: false,
      isRetired: false,
    })
    if (retirePriorTo > this.#retirePriorTo) this.#retireBelow(retirePriorTo)
    if (this.#active.length > this.#limit) {
      throw new QuicError(TransportErrorCode.CONNECTION_ID_LIMIT_ERROR, 'more connection IDs than the limit')
    }
  }

  #isRepeat(sequence: number, bytes: Uint8Array, token: Uint8Array): boolean {
    for (const known of this.#active) {
      const sameBytes = equal(known.bytes, bytes)
      if (known.sequence !== sequence && !sameBytes) continue
      // RFC 9000 section 19.15: the same sequence number with other content, or the other way round.
      const sameToken = known.statelessResetToken === undefined || equal(known.statelessResetToken, token)
      if (known.sequence === sequence && sameBytes && sameToken) return true
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'connection ID repeated with other content')
    }
    return false
  }

  #retireBelow(limit: number): void {
    this.#retirePriorTo = limit
    for (const id of this.#active) {
      if (id.sequence >= limit) continue
      id.isRetired = true
      this.#queueRetirement(id.sequence)
    }
    this.#active = this.#active.filter((id) => id.sequence >= limit)
    if (this.#current.sequence >= limit) return
    this.#current = this.#active.find((id) => !id.isUsed) ?? this.#active[0]
    this.#current.isUsed = true
  }

  /** The only place that queues a retirement, so the only place that needs the cap. */
  #queueRetirement(sequence: number): void {
    if (this.pendingRetirements.includes(sequence)) return
    if (this.pendingRetirements.length + this.#unacknowledged >= MAX_PENDING_RETIREMENTS) {
      throw new QuicError(TransportErrorCode.CONNECTION_ID_LIMIT_ERROR, 'too many retired connection IDs')
    }
    this.pendingRetirements.push(sequence)
  }

  /** The next retirement goes into a packet. */
  takeRetirement(): number {
    this.#unacknowledged++
    return this.pendingRetirements.shift()!
  }

  handleRetirementAcked(): void {
    this.#unacknowledged--
  }

  handleRetirementLost(sequence: number): void {
    this.#unacknowledged--
    this.pendingRetirements.push(sequence)
  }
}

function firstId(bytes: Uint8Array): PeerId {
  return { sequence: 0, bytes, statelessResetToken: undefined, isUsed: true, isRetired: false }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
