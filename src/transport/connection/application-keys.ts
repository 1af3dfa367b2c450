// Keys of the 1-RTT level and their updates, RFC 9001 section 6. When an update may happen is decided in
// key-updates.ts; here is what it does to the keys.
//
//   our own update    initiate() ........ first packet of the peer in the new phase ... + 3 PTO
//   the peer's        the same packet ................................................ + 3 PTO
//                     previous read keys are kept for what comes late
import { type BackendSet, nextPacketKeys, type PacketKeys } from '../crypto/index.ts'
import { QuicError, TransportErrorCode } from '../wire/index.ts'

const NONE = Number.POSITIVE_INFINITY

export class ApplicationKeys {
  readonly #backends: BackendSet
  readonly #version: number
  #read: PacketKeys
  #nextRead: PacketKeys | undefined
  #previousRead: PacketKeys | undefined
  #write: PacketKeys | undefined
  #nextWrite: PacketKeys | undefined
  /** The key phase bit of both directions. */
  phase = 0
  /** Packets sealed with the write keys of this phase. */
  sealed = 0
  /** Lowest packet number received in the current phase; none before the peer has followed an update of ours. */
  #phaseStart = 0
  /** Lowest packet number sent in the current phase. */
  #firstSent = NONE
  /** The peer may know that its last update was seen: it has been acknowledged in packets of the new phase. */
  #isUpdateAcknowledged = true
  /** The packet at hand was opened with the previous keys. */
  #isLate = false
  /** A packet of ours of the current phase has been acknowledged; the first phase needs no proof. */
  isConfirmed = true
  /** Key updates so far. */
  updates = 0

  constructor(backends: BackendSet, version: number, read: PacketKeys) {
    this.#backends = backends
    this.#version = version
    this.#read = read
  }

  get read(): PacketKeys {
    return this.#read
  }

  get write(): PacketKeys | undefined {
    return this.#write
  }

  setWrite(keys: PacketKeys): void {
    this.#write = keys
  }

  get hasPrevious(): boolean {
    return this.#previousRead !== undefined
  }

  /** Derives the next keys, so that an update takes no time that could be seen from outside (section 9.5). */
  prepare(): void {
    this.#nextRead ??= nextPacketKeys(this.#backends, this.#read, this.#version)
    if (this.#write !== undefined) {
      this.#nextWrite ??= nextPacketKeys(this.#backends, this.#write, this.#version)
    }
  }

  /**
   * The keys to open a packet with this key phase bit and number with (section 6.5). There always are some: a packet
   * whose keys are gone fails like a forged one, and takes as long (section 9.5).
   */
  readFor(phase: number, packetNumber: number): PacketKeys {
    if (phase === this.phase) return this.#read
    if (packetNumber < this.#phaseStart && this.#previousRead !== undefined) return this.#previousRead
    if (this.#nextRead === undefined) this.prepare()
    return this.#nextRead!
  }

  /**
   * A packet was opened.
   * @returns whether it was the first one of a new phase: one that the peer began, or answered
   * @throws QuicError KEY_UPDATE_ERROR when the peer cannot know yet that its last update was seen (section 6.2), or
   *   has protected a packet with newer keys than a later one (section 6.4)
   */
  handleOpened(keys: PacketKeys, packetNumber: number): boolean {
    this.#isLate = keys === this.#previousRead
    if (this.#isLate) return false
    if (keys === this.#read) {
      const isAnswer = this.#phaseStart === NONE
      if (packetNumber < this.#phaseStart) this.#phaseStart = packetNumber
      if (isAnswer) this.#isUpdateAcknowledged = false
      return isAnswer
    }
    if (!this.#isUpdateAcknowledged || packetNumber < this.#phaseStart) {
      throw updateError('key update before the last one was acknowledged')
    }
    this.#rotate()
    this.#phaseStart = packetNumber
    this.#isUpdateAcknowledged = false
    return true
  }

  /** An update of our own; the peer follows with its next packet (section 6.1). */
  initiate(): void {
    this.#rotate()
    this.#phaseStart = NONE
  }

  #rotate(): void {
    this.prepare()
    this.#previousRead = this.#read
    this.#read = this.#nextRead!
    this.#write = this.#nextWrite
    this.#nextRead = undefined
    this.#nextWrite = undefined
    this.phase ^= 1
    this.sealed = 0
    this.#firstSent = NONE
    this.isConfirmed = false
    this.updates++
  }

  /** A 1-RTT packet was sealed with the write keys. */
  noteSealed(packetNumber: number): void {
    this.sealed++
    if (this.#firstSent === NONE) this.#firstSent = packetNumber
  }

  /** An ACK frame is on its way in a packet of the current phase. */
  noteAckSent(): void {
    this.#isUpdateAcknowledged = true
  }

  /**
   * The packet at hand acknowledges packets up to this number.
   * @throws QuicError KEY_UPDATE_ERROR when it was itself protected with older keys than what it acknowledges, so that
   *   the peer has seen our update and not followed (section 6.2)
   */
  handleAck(largest: number): void {
    if (largest < this.#firstSent) return
    if (this.#isLate) throw updateError('acknowledges a key update with old keys')
    this.isConfirmed = true
  }

  /** Three PTOs after an update, section 6.5. */
  discardPrevious(): void {
    this.#previousRead = undefined
  }
}

function updateError(reason: string): QuicError {
  return new QuicError(TransportErrorCode.KEY_UPDATE_ERROR, reason)
}
