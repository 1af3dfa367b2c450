// The sending part of a stream, RFC 9000 section 3.1: data plane beside the machine. It owns bytes and credit;
// what it may do it reads from the machine's phase, and it raises an event when a fact changes.
import { SendPhase, StreamEvent } from '../../machines/index.ts'
import { streamHeaderLength, writeStreamHeader } from '../wire/index.ts'
import { EntryKind, type PacketEntries } from './entry-kind.ts'
import { SendCredit } from './flow-control.ts'
import { SEND_HIGH_WATER_MARK, SEND_LOW_WATER_MARK } from './limits.ts'
import { SendBuffer } from './send-buffer.ts'
import type { QuicStream } from './stream.ts'

/** Takes the longest length field that a packet can need, so that the room for data is known before the data. */
const LARGEST_PACKET_DATA = 1_500

export class SendingPart {
  readonly buffer = new SendBuffer()
  readonly credit: SendCredit
  readonly #stream: QuicStream
  /** Error code for RESET_STREAM, set before the reset is raised. */
  resetCode = 0
  /** Bytes that arrive although the stream is reset (RESET_STREAM_AT); -1 without such a reset. It never grows. */
  reliableSize = -1
  /** What the newest RESET_STREAM_AT said, and what the peer has acknowledged to have heard; -1 for nothing. */
  #announcedSize = -1
  #heardSize = -1
  #isPaused = false

  constructor(stream: QuicStream, maxStreamData: number) {
    this.#stream = stream
    this.credit = new SendCredit(maxStreamData)
  }

  get phase(): number {
    return this.#stream.actor.sendPhase
  }

  get isOpen(): boolean {
    const phase = this.phase
    return (
      (phase === SendPhase.ready || phase === SendPhase.send) && !this.buffer.isEnded && this.reliableSize < 0
    )
  }

  /** Final size that a reset tells: all that was sent, and all that will be (section 4.5). */
  get resetFinalSize(): number {
    return Math.max(this.credit.used, this.reliableSize)
  }

  /**
   * A RESET_STREAM_AT has to be sent. Its final size needs credit like data: so it waits until every byte that it
   * promises has been sent once (draft-ietf-quic-reliable-stream-reset section 4).
   */
  get isResetAtDue(): boolean {
    return this.reliableSize !== this.#announcedSize && this.buffer.next >= this.reliableSize
  }

  write(chunk: Uint8Array): boolean {
    if (!this.isOpen) return false
    if (this.phase === SendPhase.ready) this.#stream.actor.raise(StreamEvent.sendStream)
    this.buffer.append(chunk)
    this.#stream.host.queueSend(this.#stream)
    if (this.#unsentBytes < SEND_HIGH_WATER_MARK) return true
    this.#isPaused = true
    return false
  }

  end(): void {
    if (!this.isOpen) return
    this.buffer.end()
    this.#stream.host.queueSend(this.#stream)
  }

  /** Application reset, or the answer to STOP_SENDING (section 3.5). Returns whether the machine took it. */
  reset(event: number, code: number): boolean {
    const phase = this.phase
    if (phase === SendPhase.ready || phase === SendPhase.send || phase === SendPhase.dataSent) {
      // The draft's section 5.2: the code of an earlier RESET_STREAM_AT stays.
      if (this.reliableSize < 0) this.resetCode = code
      this.reliableSize = -1
      this.#announcedSize = -1
    }
    const before = this.phase
    this.#stream.actor.raise(event)
    return this.phase !== before
  }

  /**
   * Resets the stream, but delivers what comes before `size`. Again with a smaller size: delivers less.
   * @param size bytes, more than 0 and at most those written
   */
  resetAt(code: number, size: number): void {
    const { phase } = this
    if (phase !== SendPhase.send && phase !== SendPhase.dataSent) return
    if (this.reliableSize < 0) this.resetCode = code
    else if (size >= this.reliableSize) return
    this.reliableSize = size
    this.buffer.cut(size)
    this.#stream.host.queueSend(this.#stream)
  }

  /** The frame that was due is in a packet now. */
  noteResetAtSent(): void {
    this.#announcedSize = this.reliableSize
    if (this.phase === SendPhase.send) this.#stream.actor.raise(StreamEvent.sendFin)
  }

  handleResetAtAcked(size: number): void {
    this.#heardSize = size
    // A copy that was thought lost is not needed again.
    if (size === this.reliableSize) this.#announcedSize = size
    this.#settleResetAt()
  }

  handleResetAtLost(size: number): void {
    if (size !== this.reliableSize || this.#heardSize === size || this.phase !== SendPhase.dataSent) return
    this.#announcedSize = -1
    this.#stream.host.queueSend(this.#stream)
  }

  /** The peer has everything that was promised, and knows of the smallest promise. */
  #settleResetAt(): void {
    const { reliableSize } = this
    if (reliableSize < 0 || this.#heardSize !== reliableSize || this.buffer.base < reliableSize) return
    if (this.phase === SendPhase.dataSent) this.#stream.actor.raise(StreamEvent.sendResetAcked)
  }

  /** Early data was rejected (RFC 9001 section 4.6.2): the peer knows nothing of it, and new limits will follow. */
  rewind(): void {
    const { phase, credit } = this
    credit.max = 0
    credit.used = 0
    credit.reportedAt = -1
    if (phase === SendPhase.ready || phase === SendPhase.send || phase === SendPhase.dataSent) {
      this.buffer.rewind()
      this.#announcedSize = -1
    }
  }

  /** Whether a packet could carry something of this stream's data now. */
  canSendData(connectionCredit: number): boolean {
    const buffer = this.buffer
    if (buffer.hasLost || this.isResetAtDue) return true
    if (!buffer.hasUnsent) return false
    if (buffer.next >= buffer.length) return true
    return Math.min(this.credit.max - buffer.next, connectionCredit) > 0
  }

  /**
   * Writes one STREAM frame of lost or new data into [offset, end) and records it in `packet`.
   * Returns the new offset, or `offset` when nothing fits or may be sent.
   */
  writeFrame(target: Uint8Array, offset: number, end: number, packet: PacketEntries): number {
    const buffer = this.buffer
    const isRepeat = buffer.hasLost
    const start = isRepeat ? buffer.lostStart : buffer.next
    const stop = isRepeat ? buffer.lostEnd : this.#newDataEnd()
    if (start >= stop) return offset
    const id = this.#stream.id
    const room = end - offset - streamHeaderLength(id, start, LARGEST_PACKET_DATA, true)
    const wanted = Math.min(stop, buffer.length) - start
    if (room < 0 || (room < 1 && wanted > 0)) return offset
    const length = Math.min(wanted, room)
    const dataEnd = start + length
    const hasFin = stop > buffer.length && dataEnd === buffer.length
    const dataOffset = writeStreamHeader(target, offset, id, start, length, hasFin, true)
    if (length > 0) buffer.copyTo(target, dataOffset, start, dataEnd)
    const entryEnd = hasFin ? dataEnd + 1 : dataEnd
    packet.addEntry(EntryKind.stream, this.#stream, start, entryEnd)
    if (isRepeat) buffer.takeLost(start, entryEnd)
    else this.#advance(dataEnd, entryEnd)
    if (hasFin && this.phase < SendPhase.dataSent) this.#stream.actor.raise(StreamEvent.sendFin)
    return dataOffset + length
  }

  /** What still has to leave for the first time: what is in flight is bounded by the congestion window instead. */
  get #unsentBytes(): number {
    return this.buffer.length - Math.min(this.buffer.next, this.buffer.length)
  }

  #newDataEnd(): number {
    const buffer = this.buffer
    const connection = this.#stream.host.sendCredit
    const allowed = Math.min(this.credit.max, buffer.next + connection.available)
    // RFC 9000 section 4.1: a FIN without data needs no credit.
    return allowed >= buffer.length ? buffer.limit : allowed
  }

  #advance(dataEnd: number, entryEnd: number): void {
    this.buffer.next = entryEnd
    const fresh = dataEnd - this.credit.used
    if (fresh <= 0) return
    this.credit.used = dataEnd
    this.#stream.host.sendCredit.used += fresh
  }

  handleAcked(start: number, end: number): void {
    const phase = this.phase
    if (phase !== SendPhase.send && phase !== SendPhase.dataSent) return
    this.buffer.acknowledge(start, end)
    if (this.reliableSize >= 0) {
      this.#settleResetAt()
      return
    }
    if (phase === SendPhase.dataSent && this.buffer.isComplete) {
      this.#stream.actor.raise(StreamEvent.sendAllAcked)
      return
    }
    if (this.#isPaused && this.#unsentBytes <= SEND_LOW_WATER_MARK) {
      this.#isPaused = false
      if (!this.buffer.isEnded) this.#stream.application?.handleWritable(this.#stream)
    }
  }

  handleLost(start: number, end: number): void {
    const phase = this.phase
    if (phase !== SendPhase.send && phase !== SendPhase.dataSent) return
    this.buffer.lose(start, end)
    if (this.buffer.hasLost) this.#stream.host.queueSend(this.#stream)
  }
}
