// Keys of the 1-RTT level and their updates, RFC 9001 section 6. The next receive keys exist before they are needed,
// so that the time an update takes is not seen from outside (section 9.5).
import { type BackendSet, nextPacketKeys, type PacketKeys } from '../crypto/index.ts'
import { QuicError, TransportErrorCode } from '../wire/index.ts'

export class ApplicationKeys {
  readonly #backends: BackendSet
  readonly #version: number
  #read: PacketKeys
  #nextRead: PacketKeys
  #previousRead: PacketKeys | undefined
  #write: PacketKeys | undefined
  /** The key phase bit of both directions. */
  phase = 0
  /** Lowest packet number received in the current phase. */
  #phaseStart = 0
  /** The peer may know that its last update was seen: it has been acknowledged in packets of the new phase. */
  #isUpdateAcknowledged = true
  /** Key updates so far. */
  updates = 0

  constructor(backends: BackendSet, version: number, read: PacketKeys) {
    this.#backends = backends
    this.#version = version
    this.#read = read
    this.#nextRead = nextPacketKeys(backends, read, version)
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

  /** The keys for a packet with this key phase bit and number (section 6.5); undefined when they are gone. */
  readFor(phase: number, packetNumber: number): PacketKeys | undefined {
    if (phase === this.phase) return this.#read
    return packetNumber < this.#phaseStart ? this.#previousRead : this.#nextRead
  }

  /**
   * A packet was opened. Returns whether it carried out an update by the peer, which we answer at once (6.2).
   * @throws QuicError KEY_UPDATE_ERROR when the peer cannot know yet that its last update was seen
   */
  handleOpened(keys: PacketKeys, packetNumber: number): boolean {
    if (keys === this.#read && packetNumber < this.#phaseStart) this.#phaseStart = packetNumber
    if (keys !== this.#nextRead) return false
    // RFC 9001 section 6.2: two updates without an acknowledgement between "MAY" be treated as KEY_UPDATE_ERROR;
    // every update costs two key derivations.
    if (!this.#isUpdateAcknowledged) {
      throw new QuicError(
        TransportErrorCode.KEY_UPDATE_ERROR,
        'key update before the last one was acknowledged',
      )
    }
    this.#isUpdateAcknowledged = false
    this.#previousRead = this.#read
    this.#read = keys
    this.#nextRead = nextPacketKeys(this.#backends, keys, this.#version)
    if (this.#write !== undefined) this.#write = nextPacketKeys(this.#backends, this.#write, this.#version)
    this.phase ^= 1
    this.#phaseStart = packetNumber
    this.updates++
    return true
  }

  /** An ACK frame is on its way in a packet of the current phase. */
  noteAckSent(): void {
    this.#isUpdateAcknowledged = true
  }

  get hasPrevious(): boolean {
    return this.#previousRead !== undefined
  }

  /** Three PTOs after an update, section 6.5. */
  discardPrevious(): void {
    this.#previousRead = undefined
  }
}
