// One packet under construction, RFC 9000 section 17: header, frames, padding, protection. Reused for every packet
// of its space; writes straight into the datagram buffer.
//
//   headerStart   packetNumberOffset   payloadStart        offset        end
//   | header ...  | packet number      | frames so far ... | room ...    | room for the tag |
import { type PacketKeys, protectPacket } from '../crypto/index.ts'
import type { SentPacket } from '../recovery/index.ts'
import {
  encodeLongHeader,
  encodeShortHeader,
  PacketType,
  packetNumberLength,
  patchLength,
  writePadding,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import { type PacketSpace, Space } from './packet-space.ts'

const TAG_LENGTH = 16
/** RFC 9001 section 5.4.2: packet number and payload together must reach the header-protection sample. */
const MIN_PROTECTED = 4
const LENGTH_FIELD = 2
const PACKET_TYPES = [PacketType.initial, PacketType.handshake] as const

export class PacketWriter {
  readonly #connection: QuicConnection
  readonly space: PacketSpace
  packet!: SentPacket
  buffer!: Uint8Array
  offset = 0
  /** Frames may be written up to here. */
  end = 0
  /** Whether a frame that elicits an acknowledgement was written. */
  ackEliciting = false
  /** Whether PADDING was written: such packets count as in flight. */
  #isPadded = false
  #keys!: PacketKeys
  #headerStart = 0
  #packetNumberOffset = 0
  #packetNumberLength = 0
  #payloadStart = 0
  #packetNumber = 0
  #isLong = false

  constructor(connection: QuicConnection, space: PacketSpace) {
    this.#connection = connection
    this.space = space
  }

  get isEmpty(): boolean {
    return this.offset === this.#payloadStart
  }

  /** Where the packet will end when it is sealed as it is. */
  get sealedEnd(): number {
    return Math.max(this.offset, this.#packetNumberOffset + MIN_PROTECTED) + TAG_LENGTH
  }

  /** Writes the header at `start`; the datagram ends at `limit` at the latest. */
  begin(
    keys: PacketKeys,
    buffer: Uint8Array,
    start: number,
    limit: number,
    packet: SentPacket,
    destination: Uint8Array = this.#connection.peerIds.current,
  ): void {
    const { recovery, localIds, versions, retry, headerBits } = this.#connection
    const { index } = this.space
    const number = recovery.nextPacketNumber(index)
    const length = packetNumberLength(number, recovery.largestAcked(index))
    this.#keys = keys
    this.buffer = buffer
    this.packet = packet
    this.#headerStart = start
    this.#packetNumber = number
    this.#packetNumberLength = length
    const isEarly = keys === this.#connection.handshake.early.writeKeys
    this.#isLong = index !== Space.application || isEarly
    if (!this.#isLong) {
      const phase = this.#connection.applicationKeys?.phase ?? 0
      this.offset = encodeShortHeader(buffer, start, destination, number, length, phase, headerBits.spin)
    } else {
      const scid = localIds.first
      this.offset = encodeLongHeader(
        buffer,
        start,
        isEarly ? PacketType.zeroRtt : PACKET_TYPES[index],
        // RFC 9369 section 4.1: 0-RTT packets keep the version in which the connection began.
        isEarly ? versions.original : versions.current,
        destination,
        scid,
        retry.token,
        number,
        length,
      )
    }
    headerBits.grease(buffer, start)
    this.#payloadStart = this.offset
    this.#packetNumberOffset = this.offset - length
    this.end = limit - TAG_LENGTH
    this.ackEliciting = false
    this.#isPadded = false
  }

  /** Pads so that the sealed packet ends at `end`. */
  padTo(end: number): void {
    const target = Math.min(end - TAG_LENGTH, this.end)
    if (this.offset >= target) return
    this.offset = writePadding(this.buffer, this.offset, target)
    this.#isPadded = true
  }

  /** Protects the packet and hands its record to recovery. Returns where the packet ends. */
  seal(now: number): number {
    this.padTo(this.#packetNumberOffset + MIN_PROTECTED + TAG_LENGTH)
    const { index } = this.space
    if (this.#isLong) {
      const length = this.offset - this.#packetNumberOffset + TAG_LENGTH
      patchLength(this.buffer, this.#packetNumberOffset - LENGTH_FIELD, length)
    }
    const { log } = this.#connection
    if (log !== undefined) {
      log.packetSent(
        this.buffer,
        this.#headerStart,
        this.#payloadStart,
        this.offset,
        this.packet,
        this.#packetNumber,
      )
    }
    const end = protectPacket(
      this.#keys,
      this.buffer,
      this.#headerStart,
      this.#packetNumberOffset,
      this.#packetNumberLength,
      this.offset,
      this.#packetNumber,
    )
    const { packet } = this
    packet.packetNumber = this.#packetNumber
    packet.size = end - this.#headerStart
    packet.ackEliciting = this.ackEliciting
    packet.inFlight = !packet.isOffPath && (this.ackEliciting || this.#isPadded)
    if (!this.#isLong) this.#connection.applicationKeys?.noteSealed(this.#packetNumber)
    this.#connection.recovery.onPacketSent(index, packet, now)
    return end
  }
}
