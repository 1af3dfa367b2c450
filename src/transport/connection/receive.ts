// From a datagram to frames: coalesced packets, header protection, packet numbers, AEAD, duplicates
// (RFC 9000 section 12, RFC 9001 section 5). Called by QuicConnection.handleDatagram.
import { type PacketKeys, unprotectHeader } from '../crypto/index.ts'
import {
  Cursor,
  decodePacketNumber,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  QuicError,
  readPacketNumber,
  TransportErrorCode,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import { dispatchFrames } from './dispatch.ts'
import { MAX_UNDECRYPTABLE_PACKETS } from './limits.ts'
import { type PacketSpace, Space } from './packet-space.ts'

const TAG_LENGTH = 16
const LONG_RESERVED_BITS = 0x0c
const SHORT_RESERVED_BITS = 0x18
const KEY_PHASE_BIT = 0x04
/** RFC 9000 section 10.3: a stateless reset has at least 21 bytes, the last 16 are the token. */
const MIN_STATELESS_RESET = 21

export class Receiver {
  readonly #connection: QuicConnection
  /** Header of the packet being processed. */
  readonly header = new PacketHeader()
  readonly #cursor = new Cursor()
  #undecryptable: Uint8Array[] = []
  #keysAtReplay = 0
  #packetNumber = 0

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  get undecryptableCount(): number {
    return this.#undecryptable.length
  }

  /** Processes every packet of a datagram, then those that waited for keys which it brought. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    this.#packets(buffer, start, end)
    if (this.#undecryptable.length > 0) this.#replay()
  }

  discard(): void {
    this.#undecryptable = []
  }

  #packets(buffer: Uint8Array, start: number, end: number): void {
    const connection = this.#connection
    const { header } = this
    const localLength = connection.localIds.length
    let dcidStart = -1
    let dcidLength = 0
    let offset = start
    while (offset < end && !connection.isEnding) {
      if (!parsePacketHeader(buffer, offset, end, localLength, header)) return
      const next = header.end
      // RFC 9000 section 12.2: "Receivers SHOULD ignore any subsequent packets with a different Destination
      // Connection ID than the first packet in the datagram."
      if (dcidStart < 0) {
        dcidStart = header.dcidStart
        dcidLength = header.dcidLength
      } else if (!sameBytes(buffer, dcidStart, dcidLength, header.dcidStart, header.dcidLength)) {
        return
      }
      this.#packet(buffer, end)
      offset = next
    }
  }

  #packet(buffer: Uint8Array, datagramEnd: number): void {
    const connection = this.#connection
    const { header } = this
    const space = this.#spaceOf(header.type)
    if (space === undefined) return
    if (header.type !== PacketType.oneRtt) {
      if (header.version !== connection.version || !this.#isExpectedSource(buffer)) return
    }
    if (space.isDiscarded) return
    const isEarly = space.index === Space.application && !connection.isHandshakeComplete
    if (space.readKeys === undefined || isEarly) {
      this.#keepUndecryptable(buffer)
      return
    }
    if (!this.#open(buffer, space, space.readKeys)) {
      connection.stats.undecryptable++
      this.#checkStatelessReset(buffer, datagramEnd)
      return
    }
    if (space.acks.isDuplicate(this.#packetNumber)) {
      connection.stats.duplicates++
      return
    }
    connection.handlePacketOpened(space, header, buffer)
    const ackEliciting = dispatchFrames(connection, this.#cursor, space)
    connection.stats.packetsReceived++
    if (space.isDiscarded) return
    space.acks.insert(this.#packetNumber, ackEliciting, connection.now)
  }

  /** Removes protection and points the cursor at the frames; false drops the packet. */
  #open(buffer: Uint8Array, space: PacketSpace, keys: PacketKeys): boolean {
    const { header } = this
    const { start, end, packetNumberOffset } = header
    const length = unprotectHeader(keys, buffer, start, packetNumberOffset, end)
    if (length === 0) return false
    const truncated = readPacketNumber(buffer, packetNumberOffset, length)
    const packetNumber = decodePacketNumber(space.acks.largest, truncated, length * 8)
    const payload = packetNumberOffset + length
    const opener = this.#keysFor(buffer[start], packetNumber, keys)
    if (opener === undefined || payload + TAG_LENGTH > end) return false
    if (!opener.aead.open(buffer, start, payload, end, packetNumber)) return false
    const reserved = header.type === PacketType.oneRtt ? SHORT_RESERVED_BITS : LONG_RESERVED_BITS
    if ((buffer[start] & reserved) !== 0) {
      // RFC 9000 section 17.2: checked only after both protections are removed.
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'reserved bits are set')
    }
    if (header.type === PacketType.oneRtt) this.#connection.handleOneRttOpened(opener, packetNumber)
    this.#packetNumber = packetNumber
    this.#cursor.reset(buffer, payload, end - TAG_LENGTH)
    return true
  }

  #keysFor(firstByte: number, packetNumber: number, keys: PacketKeys): PacketKeys | undefined {
    const { applicationKeys } = this.#connection
    if (this.header.type !== PacketType.oneRtt || applicationKeys === undefined) return keys
    return applicationKeys.readFor((firstByte & KEY_PHASE_BIT) >>> 2, packetNumber)
  }

  #spaceOf(type: number): PacketSpace | undefined {
    const { spaces } = this.#connection
    if (type === PacketType.initial) return spaces[Space.initial]
    if (type === PacketType.handshake) return spaces[Space.handshake]
    if (type === PacketType.oneRtt) return spaces[Space.application]
    return undefined
  }

  /** RFC 9000 section 7.2: after the first one, long headers must keep the peer's source connection ID. */
  #isExpectedSource(buffer: Uint8Array): boolean {
    const { scidStart, scidLength } = this.header
    if (!this.#connection.isPeerIdKnown) return true
    const known = this.#connection.handshakePeerId
    if (known.length !== scidLength) return false
    for (let i = 0; i < scidLength; i++) if (known[i] !== buffer[scidStart + i]) return false
    return true
  }

  /** RFC 9001 section 5.7: packets that outran their keys are kept, a few of them, as copies. */
  #keepUndecryptable(buffer: Uint8Array): void {
    if (this.#undecryptable.length >= MAX_UNDECRYPTABLE_PACKETS) return
    this.#undecryptable.push(new Uint8Array(buffer.subarray(this.header.start, this.header.end)))
  }

  #replay(): void {
    const installed = this.#connection.readableSpaces
    if (installed === this.#keysAtReplay) return
    this.#keysAtReplay = installed
    const waiting = this.#undecryptable
    this.#undecryptable = []
    for (const packet of waiting) this.#packets(packet, 0, packet.length)
  }

  /** RFC 9000 section 10.3.1: only a datagram that could not be opened is compared. */
  #checkStatelessReset(buffer: Uint8Array, end: number): void {
    const { header } = this
    if (header.type !== PacketType.oneRtt || end - header.start < MIN_STATELESS_RESET) return
    if (this.#connection.peerIds.isResetToken(buffer, end - TAG_LENGTH))
      this.#connection.handleStatelessReset()
  }
}

function sameBytes(buffer: Uint8Array, a: number, aLength: number, b: number, bLength: number): boolean {
  if (aLength !== bLength) return false
  for (let i = 0; i < aLength; i++) if (buffer[a + i] !== buffer[b + i]) return false
  return true
}
