// Connection-level frames that wait for a packet. They are sent as current information, not as copies (RFC 9000
// section 13.3): a bit per kind, and the numbers are read when the frame is written.
import type { SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import {
  FrameType,
  newTokenLength,
  writeBareFrame,
  writeLimit,
  writeNewConnectionId,
  writeNewToken,
  writeRetireConnectionId,
} from '../wire/index.ts'
import { AckFrequency } from './ack-frequency.ts'
import type { QuicConnection } from './connection.ts'

const Bit = {
  handshakeDone: 1,
  maxData: 2,
  maxStreamsBidi: 4,
  maxStreamsUni: 8,
  dataBlocked: 16,
  streamsBlockedBidi: 32,
  streamsBlockedUni: 64,
  ping: 128,
  ackFrequency: 256,
} as const

/** The largest frame written here is NEW_CONNECTION_ID: 1 + 8 + 8 + 1 + 20 + 16. */
const FRAME_ROOM = 54

export class ControlFrames implements EntryTarget {
  readonly #connection: QuicConnection
  readonly ackFrequency: AckFrequency
  #bits = 0
  #token: Uint8Array | undefined
  #isTokenDue = false

  constructor(connection: QuicConnection) {
    this.#connection = connection
    this.ackFrequency = new AckFrequency(connection)
  }

  get hasOutput(): boolean {
    return this.#isTokenDue || this.#hasFrames
  }

  get #hasFrames(): boolean {
    const { localIds, peerIds } = this.#connection
    return this.#bits !== 0 || localIds.pending.length > 0 || peerIds.pendingRetirements.length > 0
  }

  queueHandshakeDone(): void {
    this.#queue(Bit.handshakeDone)
  }

  /** A token for the client's next connection; kept until it is acknowledged. */
  queueNewToken(token: Uint8Array): void {
    this.#token = token
    this.#isTokenDue = true
    this.#connection.wake()
  }

  queueAckFrequency(): void {
    this.#queue(Bit.ackFrequency)
  }

  queueMaxData(): void {
    this.#queue(Bit.maxData)
  }

  queueMaxStreams(kind: number): void {
    this.#queue(kind === 0 ? Bit.maxStreamsBidi : Bit.maxStreamsUni)
  }

  queueDataBlocked(): void {
    this.#queue(Bit.dataBlocked)
  }

  queueStreamsBlocked(kind: number): void {
    this.#queue(kind === 0 ? Bit.streamsBlockedBidi : Bit.streamsBlockedUni)
  }

  queuePing(): void {
    this.#queue(Bit.ping)
  }

  #queue(bit: number): void {
    this.#bits |= bit
    this.#connection.wake()
  }

  /** Writes as many frames as fit; returns the new offset. */
  writeFrames(target: Uint8Array, offset: number, end: number, packet: SentPacket): number {
    while (this.#hasFrames && end - offset >= FRAME_ROOM) {
      if (this.#bits !== 0) offset = this.#writeBit(target, offset, packet)
      else offset = this.#writeListed(target, offset, packet)
    }
    if (this.#isTokenDue) offset = this.#writeToken(target, offset, end, packet)
    return offset
  }

  #writeToken(target: Uint8Array, offset: number, end: number, packet: SentPacket): number {
    const token = this.#token!
    if (end - offset < newTokenLength(token)) return offset
    this.#isTokenDue = false
    packet.addEntry(EntryKind.newToken, this, 0, 0)
    return writeNewToken(target, offset, token)
  }

  #writeListed(target: Uint8Array, offset: number, packet: SentPacket): number {
    const { localIds, peerIds } = this.#connection
    if (peerIds.pendingRetirements.length > 0) {
      const sequence = peerIds.takeRetirement()
      packet.addEntry(EntryKind.retireConnectionId, this, sequence, 0)
      return writeRetireConnectionId(target, offset, sequence)
    }
    const sequence = localIds.pending.shift()!
    const id = localIds.find(sequence)
    if (id === undefined) return offset
    packet.addEntry(EntryKind.newConnectionId, this, sequence, 0)
    const { retirePriorTo } = localIds
    return writeNewConnectionId(target, offset, sequence, retirePriorTo, id.bytes, id.statelessResetToken)
  }

  #writeBit(target: Uint8Array, offset: number, packet: SentPacket): number {
    const { receiveCredit, sendCredit, table } = this.#connection.host
    const bit = this.#bits & -this.#bits
    this.#bits &= ~bit
    switch (bit) {
      case Bit.handshakeDone:
        packet.addEntry(EntryKind.handshakeDone, this, 0, 0)
        return writeBareFrame(target, offset, FrameType.handshakeDone)
      case Bit.maxData:
        packet.addEntry(EntryKind.maxData, this, 0, 0)
        this.#connection.host.tuneWindow()
        return writeLimit(target, offset, FrameType.maxData, receiveCredit.advertise())
      case Bit.maxStreamsBidi:
        packet.addEntry(EntryKind.maxStreamsBidi, this, 0, 0)
        return writeLimit(target, offset, FrameType.maxStreamsBidi, table.peer[0].advertise())
      case Bit.maxStreamsUni:
        packet.addEntry(EntryKind.maxStreamsUni, this, 0, 0)
        return writeLimit(target, offset, FrameType.maxStreamsUni, table.peer[1].advertise())
      case Bit.dataBlocked:
        packet.addEntry(EntryKind.dataBlocked, this, sendCredit.max, 0)
        return writeLimit(target, offset, FrameType.dataBlocked, sendCredit.max)
      case Bit.streamsBlockedBidi:
        packet.addEntry(EntryKind.streamsBlockedBidi, this, table.local[0].max, 0)
        return writeLimit(target, offset, FrameType.streamsBlockedBidi, table.local[0].max)
      case Bit.streamsBlockedUni:
        packet.addEntry(EntryKind.streamsBlockedUni, this, table.local[1].max, 0)
        return writeLimit(target, offset, FrameType.streamsBlockedUni, table.local[1].max)
      case Bit.ackFrequency:
        return this.ackFrequency.writeFrame(target, offset, packet)
      default:
        return writeBareFrame(target, offset, FrameType.ping)
    }
  }

  handleAcked(kind: number): void {
    if (kind === EntryKind.retireConnectionId) this.#connection.peerIds.handleRetirementAcked()
    else if (kind === EntryKind.newToken) {
      this.#token = undefined
      this.#isTokenDue = false
    }
  }

  handleLost(kind: number, start: number): void {
    const { localIds, peerIds, host } = this.#connection
    const { sendCredit, table } = host
    if (kind === EntryKind.handshakeDone) this.queueHandshakeDone()
    else if (kind === EntryKind.newToken) this.#isTokenDue = this.#token !== undefined
    else if (kind === EntryKind.maxData) this.queueMaxData()
    else if (kind === EntryKind.maxStreamsBidi) this.queueMaxStreams(0)
    else if (kind === EntryKind.maxStreamsUni) this.queueMaxStreams(1)
    else if (kind === EntryKind.retireConnectionId) peerIds.handleRetirementLost(start)
    else if (kind === EntryKind.newConnectionId) {
      if (localIds.find(start) !== undefined) localIds.pending.push(start)
    } else if (kind === EntryKind.dataBlocked) {
      if (sendCredit.max === start) this.queueDataBlocked()
    } else if (kind === EntryKind.streamsBlockedBidi) {
      if (table.local[0].max === start) this.queueStreamsBlocked(0)
    } else if (kind === EntryKind.streamsBlockedUni && table.local[1].max === start) {
      this.queueStreamsBlocked(1)
    }
  }
}
