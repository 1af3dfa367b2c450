// One QUIC stream: identity, its machine, its two parts and its place in the send queue (RFC 9000 sections 2, 3).
// Created by the stream table, read and written by the application, driven by connection.
import {
  type ActorSubject,
  type LifeActor,
  ReceivePhase,
  SendPhase,
  StreamAction,
  StreamEvent,
} from '../../machines/index.ts'
import {
  FrameType,
  ResetStreamAtFrame,
  writeResetStream,
  writeResetStreamAt,
  writeStopSending,
  writeStreamLimit,
} from '../wire/index.ts'
import { EntryKind, type EntryTarget, type PacketEntries } from './entry-kind.ts'
import type { ReceiveCredit, SendCredit } from './flow-control.ts'
import { ReceivingPart } from './receiving-part.ts'
import { QueueEntry } from './send-queue.ts'
import { SendingPart } from './sending-part.ts'
import { StreamControl } from './stream-control.ts'

/** What the application attaches to a stream. All calls are synchronous and come from packet processing. */
export interface StreamApplication {
  /** Data or the FIN became readable; unread data stays and closes the window. */
  handleReadable(stream: QuicStream): void
  /** The buffer of a paused writer fell below the low-water mark. */
  handleWritable(stream: QuicStream): void
  /** The peer reset its sending part with `code`; unread data is gone. */
  handleReset(stream: QuicStream, code: number): void
  /** The peer asked us to stop with `code`; a RESET_STREAM with the same code is already queued. */
  handleStopSending(stream: QuicStream, code: number): void
  /** Last call: both parts are final and the stream is deregistered. */
  handleClosed(stream: QuicStream, outcome: 'closed' | 'reset'): void
}

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly sendCredit: SendCredit
  readonly receiveCredit: ReceiveCredit
  /** The peer takes RESET_STREAM_AT. */
  readonly canResetAt: boolean
  queueSend(stream: QuicStream): void
  setPriority(stream: QuicStream, urgency: number, incremental: boolean): void
  noteReadAll(stream: QuicStream): void
  handleCreditConsumed(): void
  /** Time of the current call, ms. */
  readonly now: number
  /** The stream is about to tell its limit: its window may have to grow. */
  tuneStreamWindow(credit: ReceiveCredit): void
}

/** Room a stream-related control frame may need: type and three varints of 8 bytes. */
const CONTROL_FRAME_ROOM = 25
/** Room that RESET_STREAM_AT may need: type and four varints of 8 bytes. */
const RESET_AT_ROOM = 33
const resetAtFrame = new ResetStreamAtFrame()

export class QuicStream extends QueueEntry implements ActorSubject, EntryTarget {
  readonly id: number
  readonly isLocal: boolean
  readonly host: StreamHost
  actor!: LifeActor
  application: StreamApplication | undefined
  readonly sending: SendingPart | undefined
  readonly receiving: ReceivingPart | undefined
  #control = 0

  constructor(
    id: number,
    isLocal: boolean,
    host: StreamHost,
    sendLimit: number | undefined,
    window: number | undefined,
  ) {
    super()
    this.id = id
    this.isLocal = isLocal
    this.host = host
    this.sending = sendLimit === undefined ? undefined : new SendingPart(this, sendLimit)
    this.receiving = window === undefined ? undefined : new ReceivingPart(this, window)
  }

  /** RFC 9000 section 2.1: the second least significant bit tells the kind. */
  get isBidirectional(): boolean {
    return (this.id & 2) === 0
  }

  /** Bytes accepted by write() that the peer has not acknowledged. */
  get bufferedBytes(): number {
    return this.sending?.buffer.bufferedBytes ?? 0
  }

  get canWrite(): boolean {
    return this.sending?.isOpen ?? false
  }

  /** Bytes that flow control of the stream and of the connection would let out if they were written now. */
  get sendRoom(): number {
    const { sending } = this
    if (sending === undefined || !sending.isOpen) return 0
    const { buffer, credit } = sending
    const unsent = buffer.length - buffer.next
    return Math.min(credit.max - buffer.length, this.host.sendCredit.available - unsent)
  }

  /** Contiguous bytes that read() can return now. */
  get readableBytes(): number {
    return this.receiving?.buffer.readableBytes ?? 0
  }

  /** The FIN has been reached and every byte before it was read. */
  get isReadComplete(): boolean {
    return this.receiving?.buffer.isReadComplete ?? true
  }

  /**
   * Queues a chunk. Keeps a reference: the caller must not change the bytes.
   * Returns false when the writer should wait for handleWritable, or when the sending part is no longer open.
   */
  write(chunk: Uint8Array): boolean {
    return this.sending?.write(chunk) ?? false
  }

  /** Queues the FIN after everything written. */
  end(): void {
    this.sending?.end()
  }

  /**
   * Says when this stream's data and its repetitions go out, compared with other streams; counts at once (RFC 9218).
   * @param urgency 0 (first) to 7, or CRITICAL_URGENCY; 3 unless it is set
   * @param incremental whether it shares with streams of its urgency, as until it is set, or waits for those with lower
   *   IDs
   * @throws RangeError for any other urgency
   */
  setPriority(urgency: number, incremental: boolean): void {
    this.host.setPriority(this, urgency, incremental)
  }

  /**
   * Abandons the sending part with an application error code (RESET_STREAM).
   * @param reliableSize bytes from the beginning of the stream that are delivered before the peer learns of the reset
   *   (RESET_STREAM_AT, draft-ietf-quic-reliable-stream-reset); at most what was written. A second call can lower it. To
   *   a peer without that extension the reset is a plain one: `connection.host.canResetAt` tells.
   */
  reset(code: number, reliableSize = 0): void {
    const { sending } = this
    if (sending === undefined) return
    const size = Math.min(reliableSize, sending.buffer.length)
    if (size > 0 && this.host.canResetAt) sending.resetAt(code, size)
    else sending.reset(StreamEvent.appReset, code)
  }

  /** Next contiguous chunk, a view that is valid until the current synchronous call returns. */
  read(): Uint8Array | undefined {
    return this.receiving?.read()
  }

  /** Tells the peer that nothing more will be read (STOP_SENDING) and drops what is held. */
  stopSending(code: number): void {
    this.receiving?.stop(code)
  }

  /** STOP_SENDING arrived, RFC 9000 section 3.5. */
  handleStopSending(code: number): void {
    if (this.sending?.reset(StreamEvent.recvStopSending, code)) {
      this.application?.handleStopSending(this, code)
    }
  }

  /** MAX_STREAM_DATA arrived, RFC 9000 section 19.10. */
  handleMaxStreamData(max: number): void {
    const sending = this.sending!
    if (sending.credit.raise(max) && sending.buffer.hasUnsent) this.host.queueSend(this)
  }

  /** Executes the machine's actions. */
  perform(action: number): void {
    if (action === StreamAction.queueResetStream) this.queueControl(StreamControl.resetStream)
    else if (action === StreamAction.queueStopSending) this.queueControl(StreamControl.stopSending)
    else if (action === StreamAction.discardSendBuffer) this.sending?.buffer.discard()
    else if (action === StreamAction.discardReceiveBuffer) this.receiving?.discard()
  }

  queueControl(bit: number): void {
    this.#control |= bit
    this.host.queueSend(this)
  }

  /** Whether this stream has anything for a packet. */
  hasOutput(connectionCredit: number): boolean {
    return this.#control !== 0 || (this.sending?.canSendData(connectionCredit) ?? false)
  }

  /** Writes control frames, then at most one STREAM frame. Returns the new offset. */
  writeFrames(target: Uint8Array, offset: number, end: number, packet: PacketEntries): number {
    while (this.#control !== 0) {
      if (end - offset < CONTROL_FRAME_ROOM) return offset
      offset = this.#writeControl(target, offset, packet)
    }
    const sending = this.sending
    if (sending === undefined) return offset
    offset = sending.writeFrame(target, offset, end, packet)
    if (sending.isResetAtDue && end - offset >= RESET_AT_ROOM) {
      offset = this.#writeResetAt(sending, target, offset, packet)
    }
    this.#noteBlocked(sending)
    return offset
  }

  #noteBlocked(sending: SendingPart): void {
    const { buffer, credit } = sending
    if (buffer.next < buffer.length && buffer.next >= credit.max && credit.reportedAt !== credit.max) {
      credit.reportedAt = credit.max
      this.#control |= StreamControl.streamDataBlocked
    }
  }

  #writeResetAt(sending: SendingPart, target: Uint8Array, offset: number, packet: PacketEntries): number {
    resetAtFrame.streamId = this.id
    resetAtFrame.code = sending.resetCode
    resetAtFrame.finalSize = sending.resetFinalSize
    resetAtFrame.reliableSize = sending.reliableSize
    packet.addEntry(EntryKind.resetStreamAt, this, sending.reliableSize, 0)
    sending.noteResetAtSent()
    return writeResetStreamAt(target, offset, resetAtFrame)
  }

  #writeControl(target: Uint8Array, offset: number, packet: PacketEntries): number {
    const bit = this.#control & -this.#control
    this.#control &= ~bit
    if (bit === StreamControl.resetStream) {
      const { resetCode, resetFinalSize } = this.sending!
      const phase = this.actor.sendPhase
      // One that was queued again as lost may have been acknowledged meanwhile.
      if (phase !== SendPhase.resetQueued && phase !== SendPhase.resetSent) return offset
      packet.addEntry(EntryKind.resetStream, this, 0, 0)
      if (phase === SendPhase.resetQueued) this.actor.raise(StreamEvent.sendResetStream)
      return writeResetStream(target, offset, this.id, resetCode, resetFinalSize)
    }
    if (bit === StreamControl.stopSending) {
      if (this.actor.receivePhase !== ReceivePhase.stopped) return offset
      packet.addEntry(EntryKind.stopSending, this, 0, 0)
      return writeStopSending(target, offset, this.id, this.receiving!.stopCode)
    }
    if (bit === StreamControl.maxStreamData) {
      if (this.actor.receivePhase !== ReceivePhase.recv) return offset
      packet.addEntry(EntryKind.maxStreamData, this, 0, 0)
      this.host.tuneStreamWindow(this.receiving!.credit)
      return writeStreamLimit(
        target,
        offset,
        FrameType.maxStreamData,
        this.id,
        this.receiving!.credit.advertise(),
      )
    }
    if (this.actor.sendPhase !== SendPhase.send) return offset
    packet.addEntry(EntryKind.streamDataBlocked, this, this.sending!.credit.max, 0)
    return writeStreamLimit(target, offset, FrameType.streamDataBlocked, this.id, this.sending!.credit.max)
  }

  handleAcked(kind: number, start: number, end: number): void {
    if (kind === EntryKind.stream) this.sending!.handleAcked(start, end)
    else if (kind === EntryKind.resetStream && this.actor.sendPhase === SendPhase.resetSent) {
      this.actor.raise(StreamEvent.sendResetAcked)
    } else if (kind === EntryKind.resetStreamAt) this.sending!.handleResetAtAcked(start)
  }

  handleLost(kind: number, start: number, end: number): void {
    if (kind === EntryKind.stream) this.sending!.handleLost(start, end)
    else if (kind === EntryKind.resetStreamAt) this.sending!.handleResetAtLost(start)
    else if (kind === EntryKind.resetStream) {
      if (this.actor.sendPhase === SendPhase.resetSent) this.queueControl(StreamControl.resetStream)
    } else if (kind === EntryKind.stopSending) {
      if (this.actor.receivePhase === ReceivePhase.stopped) this.queueControl(StreamControl.stopSending)
    } else if (kind === EntryKind.maxStreamData) {
      if (this.actor.receivePhase === ReceivePhase.recv) this.queueControl(StreamControl.maxStreamData)
    } else if (this.actor.sendPhase === SendPhase.send && this.sending!.credit.max === start) {
      this.queueControl(StreamControl.streamDataBlocked)
    }
  }
}
