// Connection IDs that we issued to the peer, RFC 9000 sections 5.1.1 and 19.15.
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { MAX_ISSUED_CONNECTION_IDS } from './limits.ts'

/** An ID with the token that resets a connection which uses it. */
export interface IssuedConnectionId {
  readonly bytes: Uint8Array
  readonly statelessResetToken: Uint8Array
}

/** Makes IDs and routes them; implemented by the endpoint. */
export interface ConnectionIdSource<Connection = unknown> {
  /** Bytes of every ID from this source. */
  readonly length: number
  issue(connection: Connection): IssuedConnectionId
  retire(bytes: Uint8Array): void
}

interface LocalId extends IssuedConnectionId {
  readonly sequence: number
}

export class LocalConnectionIds<Connection> {
  readonly #connection: Connection
  readonly #source: ConnectionIdSource<Connection>
  #active: LocalId[] = []
  #nextSequence = 0
  #peerLimit = 2
  /** Sequence numbers whose NEW_CONNECTION_ID waits for a packet. */
  readonly pending: number[] = []
  /** Retire Prior To of the frames: the peer is asked to retire the IDs below (section 5.1.2). */
  retirePriorTo = 0
  #first: Uint8Array = new Uint8Array(0)

  constructor(connection: Connection, source: ConnectionIdSource<Connection>) {
    this.#connection = connection
    this.#source = source
  }

  get length(): number {
    return this.#source.length
  }

  /** The ID of the handshake: source of our long headers, also after the peer has retired it (section 7.2). */
  get first(): Uint8Array {
    return this.#first
  }

  get active(): readonly IssuedConnectionId[] {
    return this.#active
  }

  /** The first ID travels in the handshake and needs no frame. */
  issueFirst(): IssuedConnectionId {
    const id = this.#issue()
    this.#first = id.bytes
    return id
  }

  /** The peer's active_connection_id_limit is known: fill up to it. */
  setPeerLimit(limit: number): void {
    this.#peerLimit = Math.min(limit, MAX_ISSUED_CONNECTION_IDS)
    this.#fill()
  }

  /**
   * Asks the peer to go on with new IDs (section 5.1.2). The old ones lead here until it has retired them, so that
   * twice as many may be active for a moment; meanwhile the next rotation waits.
   * @returns whether a rotation has begun
   */
  rotate(): boolean {
    if (this.#active.some((id) => id.sequence < this.retirePriorTo)) return false
    this.retirePriorTo = this.#nextSequence
    this.#fill()
    return true
  }

  /** The ID for preferred_address: always the second (section 5.1.1). */
  issuePreferred(): IssuedConnectionId {
    return this.#issue()
  }

  find(sequence: number): IssuedConnectionId | undefined {
    return this.#active.find((id) => id.sequence === sequence)
  }

  isOurs(buffer: Uint8Array, start: number, length: number): boolean {
    return this.#sequenceOf(buffer, start, length) >= 0
  }

  /**
   * RETIRE_CONNECTION_ID, RFC 9000 section 19.16.
   * @param usedBy where the packet that carried the frame holds its destination connection ID
   */
  retire(sequence: number, buffer: Uint8Array, usedStart: number, usedLength: number): void {
    if (sequence >= this.#nextSequence) {
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'retires a connection ID never issued')
    }
    if (this.#sequenceOf(buffer, usedStart, usedLength) === sequence) {
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'retires the connection ID in use')
    }
    const index = this.#active.findIndex((id) => id.sequence === sequence)
    if (index < 0) return
    const [retired] = this.#active.splice(index, 1)
    const waiting = this.pending.indexOf(sequence)
    if (waiting >= 0) this.pending.splice(waiting, 1)
    this.#source.retire(retired.bytes)
    this.#fill()
  }

  retireAll(): void {
    for (const id of this.#active) this.#source.retire(id.bytes)
    this.#active = []
    this.pending.length = 0
  }

  #fill(): void {
    let wanted = this.#peerLimit
    for (const id of this.#active) if (id.sequence >= this.retirePriorTo) wanted--
    for (; wanted > 0; wanted--) this.pending.push(this.#issue().sequence)
  }

  #issue(): LocalId {
    const { bytes, statelessResetToken } = this.#source.issue(this.#connection)
    const id = { bytes, statelessResetToken, sequence: this.#nextSequence++ }
    this.#active.push(id)
    return id
  }

  #sequenceOf(buffer: Uint8Array, start: number, length: number): number {
    for (const id of this.#active) {
      if (id.bytes.length === length && matches(id.bytes, buffer, start)) return id.sequence
    }
    return -1
  }
}

function matches(bytes: Uint8Array, buffer: Uint8Array, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== buffer[start + i]) return false
  return true
}
