// Connection IDs that the peer issued to us, RFC 9000 sections 5.1.1, 5.1.2 and 19.15.
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { MAX_PENDING_RETIREMENTS } from './limits.ts'

interface PeerId {
  readonly sequence: number
  readonly bytes: Uint8Array
  statelessResetToken: Uint8Array | undefined
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
    this.#current = { sequence: 0, bytes: first, statelessResetToken: undefined }
    this.#active = [this.#current]
  }

  /** The destination connection ID of outgoing packets. */
  get current(): Uint8Array {
    return this.#current.bytes
  }

  /** A client learns the server's choice from its first packet, RFC 9000 section 7.2. */
  replaceFirst(bytes: Uint8Array): void {
    this.#current = { sequence: 0, bytes, statelessResetToken: undefined }
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
    this.#active.push({ sequence, bytes: new Uint8Array(bytes), statelessResetToken: new Uint8Array(token) })
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
    for (const id of this.#active) if (id.sequence < limit) this.#queueRetirement(id.sequence)
    this.#active = this.#active.filter((id) => id.sequence >= limit)
    if (this.#current.sequence < limit) this.#current = this.#active[0]
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

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
