// From a datagram to frames: coalesced packets, header protection, packet numbers, AEAD, duplicates
// (RFC 9000 section 12, RFC 9001 section 5). Called by QuicConnection.handleDatagram.
import { ConnectionEvent } from '../../machines/index.ts'
import { type PacketKeys, unprotectHeader } from '../crypto/index.ts'
import {
  Cursor,
  connectionIdKey,
  decodePacketNumber,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  QuicError,
  readPacketNumber,
  TransportErrorCode,
  versionAt,
  versionCount,
} from '../wire/index.ts'
import { silentClose } from './closing.ts'
import type { QuicConnection } from './connection.ts'
import { dispatchFrames, ZERO_RTT_BIT } from './dispatch.ts'
import { MAX_UNDECRYPTABLE_BYTES, MAX_UNDECRYPTABLE_PACKETS, MIN_DATAGRAM_SIZE } from './limits.ts'
import { type PacketSpace, Space } from './packet-space.ts'
import type { DropTrigger } from './qlog/connection-log.ts'
import { MIN_RESET_LENGTH } from './stateless.ts'

const TAG_LENGTH = 16
const LONG_RESERVED_BITS = 0x0c
const SHORT_RESERVED_BITS = 0x18
const KEY_PHASE_BIT = 0x04

export class Receiver {
  readonly #connection: QuicConnection
  /** Header of the packet being processed. */
  readonly header = new PacketHeader()
  /** Whether the packet has carried probing frames only, so far (RFC 9000 section 9.1). */
  isProbing = false
  readonly #cursor = new Cursor()
  #undecryptable: Uint8Array[] = []
  #undecryptableBytes = 0
  /** ECN field of the datagram being processed. */
  #mark = 0
  #undecryptableMarks: number[] = []
  #keysAtReplay = 0
  #packetNumber = 0

  constructor(connection: QuicConnection) {
    this.#connection = connection
    this.header.allowsClearFixedBit = connection.settings.greaseQuicBit
  }

  get undecryptableCount(): number {
    return this.#undecryptable.length
  }

  /** Processes every packet of a datagram, then those that waited for keys which it brought. */
  receive(buffer: Uint8Array, start: number, end: number, ecn: number): void {
    this.#mark = ecn
    this.#packets(buffer, start, end)
    this.replay()
  }

  discard(): void {
    this.#undecryptable = []
    this.#undecryptableMarks = []
    this.#undecryptableBytes = 0
  }

  #packets(buffer: Uint8Array, start: number, end: number): void {
    const connection = this.#connection
    const { header } = this
    const localLength = connection.localIds.length
    let dcidStart = -1
    let dcidLength = 0
    let offset = start
    while (offset < end && !connection.isEnding) {
      if (!parsePacketHeader(buffer, offset, end, localLength, header)) {
        // A short stateless reset is no whole packet.
        if (offset === start && buffer[start] < 0x80) this.#checkStatelessReset(buffer, start, end)
        return
      }
      const next = header.end
      // RFC 9000 section 12.2: "Receivers SHOULD ignore any subsequent packets with a different Destination
      // Connection ID than the first packet in the datagram."
      if (dcidStart < 0) {
        dcidStart = header.dcidStart
        dcidLength = header.dcidLength
      } else if (!sameBytes(buffer, dcidStart, dcidLength, buffer, header.dcidStart, header.dcidLength)) {
        return
      }
      this.#packet(buffer, start, end)
      offset = next
    }
  }

  #packet(buffer: Uint8Array, datagramStart: number, datagramEnd: number): void {
    const connection = this.#connection
    const { header } = this
    const space = this.#spaceOf(header.type)
    if (space === undefined) {
      this.#plainPacket(buffer)
      return
    }
    const refusal = this.#refusal(space, buffer, datagramEnd - datagramStart)
    if (refusal !== undefined) {
      this.#drop(buffer, refusal)
      return
    }
    const keys = this.#readKeys(space)
    if (keys === undefined) {
      if (this.#mayGetKeys()) this.#keepUndecryptable(buffer)
      else this.#drop(buffer, 'key_unavailable')
      return
    }
    if (!this.#open(buffer, space, keys)) {
      connection.stats.undecryptable++
      this.#drop(buffer, 'decryption_failure')
      if (header.type === PacketType.oneRtt) this.#checkStatelessReset(buffer, datagramStart, datagramEnd)
      return
    }
    if (space.acks.isDuplicate(this.#packetNumber)) {
      connection.stats.duplicates++
      this.#drop(buffer, 'duplicate')
      return
    }
    connection.log?.packetReceived(header, this.#packetNumber, this.#cursor)
    if (header.type === PacketType.initial)
      connection.versions.handleInitialOpened(connection, header.version)
    connection.handlePacketOpened(space, header, buffer)
    const isOneRtt = header.type === PacketType.oneRtt
    const isNewest = this.#packetNumber > space.acks.largest
    if (isOneRtt) connection.paths.beginPacket(connectionIdKey(buffer, header.dcidStart))
    this.isProbing = true
    const bit = header.type === PacketType.zeroRtt ? ZERO_RTT_BIT : 1 << space.index
    const ackEliciting = dispatchFrames(connection, this.#cursor, space, bit)
    connection.stats.packetsReceived++
    if (isOneRtt) connection.paths.endPacket(isNewest, this.isProbing)
    if (space.isDiscarded) return
    space.acks.insert(this.#packetNumber, ackEliciting, connection.now, this.#mark)
  }

  /** A packet without protection, or of a version of which only the invariants are known (RFC 8999). */
  #plainPacket(buffer: Uint8Array): void {
    const connection = this.#connection
    const { header } = this
    const isRetry = header.type === PacketType.retry
    if (!isRetry && header.type !== PacketType.versionNegotiation) {
      this.#drop(buffer, 'unsupported')
      return
    }
    connection.log?.plainPacketReceived(header, buffer)
    if (isRetry) connection.retry.handlePacket(connection, header, buffer)
    else this.#versionNegotiation(buffer)
  }

  /** Why a packet is not even opened. */
  #refusal(space: PacketSpace, buffer: Uint8Array, datagramLength: number): DropTrigger | undefined {
    const { header } = this
    if (header.type !== PacketType.oneRtt) {
      if (!this.#connection.versions.accepts(header, this.#connection)) return 'unsupported'
      if (!this.#isExpectedSource(buffer)) return 'invalid'
      if (header.type === PacketType.initial && !this.#isProperInitial(datagramLength)) return 'invalid'
    }
    return space.isDiscarded ? 'key_unavailable' : undefined
  }

  #drop(buffer: Uint8Array, trigger: DropTrigger): void {
    this.#connection.log?.packetDropped(this.header, buffer, trigger)
  }

  /** Keys that open the packet now. RFC 9001 section 5.7: 1-RTT packets wait for the end of the handshake. */
  #readKeys(space: PacketSpace): PacketKeys | undefined {
    const connection = this.#connection
    if (this.header.type === PacketType.zeroRtt) return connection.handshake.early.readKeys
    if (space.index === Space.application && !connection.isHandshakeComplete) return undefined
    return connection.versions.readKeys(connection, space.index, this.header.version)
  }

  /** 0-RTT packets come to servers only, and their keys with the answer to the ClientHello or never. */
  #mayGetKeys(): boolean {
    if (this.header.type !== PacketType.zeroRtt) return true
    const { isServer, isHandshakeComplete, spaces } = this.#connection
    return isServer && !isHandshakeComplete && spaces[Space.handshake].writeKeys === undefined
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
    if (!opener.aead.open(buffer, start, payload, end, packetNumber)) {
      this.#connection.keyUpdates.handleForgery(opener)
      return false
    }
    const reserved = header.type === PacketType.oneRtt ? SHORT_RESERVED_BITS : LONG_RESERVED_BITS
    if ((buffer[start] & reserved) !== 0) {
      // RFC 9000 section 17.2: checked only after both protections are removed.
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'reserved bits are set')
    }
    if (header.type === PacketType.oneRtt) {
      const { keyUpdates, headerBits, now } = this.#connection
      keyUpdates.handleOpened(opener, packetNumber, now)
      headerBits.handleOpened(buffer[start], packetNumber)
    }
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
    // RFC 9000 section 12.3: 0-RTT and 1-RTT share a packet number space.
    if (type === PacketType.oneRtt || type === PacketType.zeroRtt) return spaces[Space.application]
    return undefined
  }

  /** RFC 9000 section 7.2: after the first one, long headers must keep the peer's source connection ID. */
  #isExpectedSource(buffer: Uint8Array): boolean {
    const { scidStart, scidLength } = this.header
    if (!this.#connection.isPeerIdKnown) return true
    const known = this.#connection.handshakePeerId
    return sameBytes(buffer, scidStart, scidLength, known, 0, known.length)
  }

  #isProperInitial(datagramLength: number): boolean {
    // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a
    // payload that is smaller than the smallest allowed maximum datagram size of 1200 bytes."
    if (this.#connection.isServer) return datagramLength >= MIN_DATAGRAM_SIZE
    // RFC 9000 section 17.2.2: servers send no token; a client discards an Initial packet that has one.
    return this.header.tokenLength === 0
  }

  /** RFC 9000 section 6.2: the answer to the first flight of a client that speaks no version of the server. */
  #versionNegotiation(buffer: Uint8Array): void {
    const connection = this.#connection
    const { header } = this
    const { dcidStart, dcidLength, scidStart, scidLength } = header
    const original = connection.originalDestinationConnectionId
    if (connection.isServer || connection.isPeerIdKnown) return
    if (connection.retry.sourceConnectionId !== undefined || connection.versions.isReaction) return
    if (!connection.localIds.isOurs(buffer, dcidStart, dcidLength)) return
    if (!sameBytes(buffer, scidStart, scidLength, original, 0, original.length)) return
    const offered: number[] = []
    for (let i = 0; i < versionCount(header); i++) offered.push(versionAt(buffer, header, i))
    // "A client MUST discard a Version Negotiation packet that lists the QUIC version selected by the client."
    if (offered.includes(connection.version)) return
    connection.versions.offered = offered
    const info = silentClose('versionNegotiation', 'the server does not speak this version')
    connection.end(ConnectionEvent.recvVersionNegotiation, info)
  }

  /** RFC 9001 section 5.7: packets that outran their keys are kept, a few of them, as copies. */
  #keepUndecryptable(buffer: Uint8Array): void {
    const { start, end } = this.header
    const bytes = this.#undecryptableBytes + end - start
    if (this.#undecryptable.length >= MAX_UNDECRYPTABLE_PACKETS || bytes > MAX_UNDECRYPTABLE_BYTES) {
      this.#drop(buffer, 'rejected')
      return
    }
    this.#connection.log?.packetBuffered(this.header, buffer)
    this.#undecryptable.push(new Uint8Array(buffer.subarray(start, end)))
    this.#undecryptableMarks.push(this.#mark)
    this.#undecryptableBytes = bytes
  }

  /** Bits of the spaces whose packets can be opened now. */
  get #readableSpaces(): number {
    const { isHandshakeComplete, spaces } = this.#connection
    let bits = 0
    for (const space of spaces) if (space.readKeys !== undefined) bits |= 1 << space.index
    if (this.#connection.handshake.early.readKeys !== undefined) bits |= ZERO_RTT_BIT
    return isHandshakeComplete ? bits : bits & ~(1 << Space.application)
  }

  /** Processes packets that waited for keys, if keys have come since. */
  replay(): void {
    if (this.#undecryptable.length === 0) return
    const installed = this.#readableSpaces
    if (installed === this.#keysAtReplay) return
    this.#keysAtReplay = installed
    const waiting = this.#undecryptable
    const marks = this.#undecryptableMarks
    this.discard()
    this.#connection.log?.markReplay(true)
    for (let i = 0; i < waiting.length; i++) {
      this.#mark = marks[i]
      this.#packets(waiting[i], 0, waiting[i].length)
    }
    this.#connection.log?.markReplay(false)
  }

  /** RFC 9000 section 10.3.1: only a datagram that could not be opened is compared. */
  #checkStatelessReset(buffer: Uint8Array, start: number, end: number): void {
    if (end - start < MIN_RESET_LENGTH) return
    if (this.#connection.peerIds.isResetToken(buffer, end - TAG_LENGTH)) {
      const info = silentClose('statelessReset', 'stateless reset')
      this.#connection.end(ConnectionEvent.recvStatelessReset, info)
    }
  }
}

function sameBytes(
  one: Uint8Array,
  oneStart: number,
  oneLength: number,
  other: Uint8Array,
  otherStart: number,
  otherLength: number,
): boolean {
  if (oneLength !== otherLength) return false
  for (let i = 0; i < oneLength; i++) if (one[oneStart + i] !== other[otherStart + i]) return false
  return true
}
