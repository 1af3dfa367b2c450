// The receiving part of a stream, RFC 9000 section 3.2: data plane beside the machine. It reassembles, keeps the
// credit, checks the final size, and raises an event when a fact changes.
import { ReceivePhase, StreamEvent } from '../../machines/index.ts'
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { ReceiveCredit } from './flow-control.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import type { QuicStream } from './stream.ts'
import { StreamControl } from './stream-control.ts'

export class ReceivingPart {
  readonly buffer = new ReceiveBuffer()
  readonly credit: ReceiveCredit
  readonly #stream: QuicStream
  /** Error code for STOP_SENDING, set before the stop is raised. */
  stopCode = 0
  /** Error code of the peer's reset; -1 before one. */
  #resetCode = -1

  constructor(stream: QuicStream, window: number) {
    this.#stream = stream
    this.credit = new ReceiveCredit(window, stream.host.now)
  }

  get phase(): number {
    return this.#stream.actor.receivePhase
  }

  /** A STREAM frame. `data` is a view of the datagram and is not kept. */
  handleStream(offset: number, data: Uint8Array, fin: boolean): void {
    const phase = this.phase
    this.#checkFinalSize(offset + data.length, fin)
    this.#countReceived(offset + data.length)
    if (phase === ReceivePhase.stopped) {
      this.#discardStopped(offset + data.length, fin)
      return
    }
    if (phase !== ReceivePhase.recv && phase !== ReceivePhase.sizeKnown) return
    const buffer = this.buffer
    const readable = buffer.readableBytes
    buffer.insert(offset, data)
    if (fin && phase === ReceivePhase.recv) {
      buffer.finalSize = offset + data.length
      this.#stream.actor.raise(StreamEvent.recvFin)
    }
    const isAllReceived = buffer.isAllReceived
    if (isAllReceived) this.#stream.actor.raise(StreamEvent.recvAllData)
    if (buffer.readableBytes > readable || isAllReceived) {
      this.#stream.application?.handleReadable(this.#stream)
      buffer.settle()
      if (isAllReceived && buffer.isReadComplete) this.#stream.host.noteReadAll(this.#stream)
    }
  }

  /** RESET_STREAM, section 19.4. Bytes never received count as received and consumed (section 4.5). */
  handleReset(code: number, finalSize: number): void {
    if (this.buffer.reliableSize >= 0) this.#checkResetCode(code)
    this.#resetCode = code
    this.#checkFinalSize(finalSize, true)
    this.#countReceived(finalSize)
    const before = this.phase
    if (
      before === ReceivePhase.recv ||
      before === ReceivePhase.sizeKnown ||
      before === ReceivePhase.stopped
    ) {
      this.buffer.finalSize = finalSize
      this.buffer.highest = finalSize
    }
    this.#stream.actor.raise(StreamEvent.recvResetStream)
    if (this.phase !== ReceivePhase.resetRecvd || before === ReceivePhase.resetRecvd) return
    // The application learns of the reset in this very call, which is what "Reset Read" means.
    this.#stream.application?.handleReset(this.#stream, code)
    if (this.phase === ReceivePhase.resetRecvd) this.#stream.actor.raise(StreamEvent.appReadReset)
  }

  /**
   * RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset): a final size as a FIN tells it, and a reset that the
   * application learns of when it has read `reliableSize` bytes.
   */
  handleResetAt(code: number, finalSize: number, reliableSize: number): void {
    this.#checkResetCode(code)
    const { phase, buffer } = this
    const isOpen = phase === ReceivePhase.recv || phase === ReceivePhase.sizeKnown
    if (phase === ReceivePhase.stopped || (isOpen && reliableSize <= buffer.readOffset)) {
      this.handleReset(code, finalSize)
      return
    }
    this.#checkFinalSize(finalSize, true)
    this.#countReceived(finalSize)
    const known = buffer.reliableSize
    if (!isOpen && (phase !== ReceivePhase.dataRecvd || known < 0)) return
    this.#resetCode = code
    // Section 5.2: "MUST ignore any RESET_STREAM_AT frame that increases the Reliable Size".
    if (known >= 0 && reliableSize >= known) return
    buffer.finalSize = finalSize
    buffer.highest = finalSize
    buffer.reliableSize = reliableSize
    if (phase === ReceivePhase.recv) this.#stream.actor.raise(StreamEvent.recvFin)
    if (isOpen && buffer.isAllReceived) this.#stream.actor.raise(StreamEvent.recvAllData)
    if (buffer.isReliableRead) this.#stream.host.noteReadAll(this.#stream)
  }

  /** Called outside of the reader's call, when it has read the last byte that is to be delivered. */
  finishReading(): void {
    if (this.phase !== ReceivePhase.dataRecvd) return
    if (!this.buffer.isReliableRead) {
      this.#stream.actor.raise(StreamEvent.appReadAll)
      return
    }
    this.discard()
    this.#stream.application?.handleReset(this.#stream, this.#resetCode)
    if (this.phase === ReceivePhase.dataRecvd) this.#stream.actor.raise(StreamEvent.appReadReset)
  }

  read(): Uint8Array | undefined {
    const chunk = this.buffer.read()
    if (chunk === undefined) return undefined
    this.#consume(chunk.length)
    if (this.buffer.isReadComplete || this.buffer.isReliableRead) this.#stream.host.noteReadAll(this.#stream)
    return chunk
  }

  stop(code: number): void {
    this.stopCode = code
    this.#stream.actor.raise(StreamEvent.appStop)
  }

  /** Drops what is held and gives its credit back to the connection. Called by the machine's action. */
  discard(): void {
    const skipped = this.buffer.discard()
    if (skipped > 0) this.#consume(skipped)
  }

  /** RFC 9000 section 4.5: the final size never changes and nothing lies beyond it. */
  #checkFinalSize(end: number, isFinal: boolean): void {
    const finalSize = this.buffer.finalSize
    if (finalSize >= 0) {
      if (end > finalSize || (isFinal && end !== finalSize)) throw finalSizeError('final size changed')
    } else if (isFinal && end < this.buffer.highest) {
      throw finalSizeError('final size below data received')
    }
  }

  /** Section 5.2 of the draft: a code that changes is a STREAM_STATE_ERROR. */
  #checkResetCode(code: number): void {
    if (this.#resetCode < 0 || this.#resetCode === code) return
    throw new QuicError(TransportErrorCode.STREAM_STATE_ERROR, 'error code of a reset changed')
  }

  #countReceived(end: number): void {
    const fresh = end - this.credit.received
    if (fresh <= 0) return
    this.credit.receive(fresh)
    this.#stream.host.receiveCredit.receive(fresh)
  }

  #discardStopped(end: number, fin: boolean): void {
    const buffer = this.buffer
    if (end > buffer.highest) buffer.highest = end
    this.discard()
    if (!fin) return
    buffer.finalSize = end
    this.#stream.actor.raise(StreamEvent.recvFin)
  }

  #consume(bytes: number): void {
    const host = this.#stream.host
    host.receiveCredit.consume(bytes)
    host.handleCreditConsumed()
    this.credit.consume(bytes)
    if (this.phase === ReceivePhase.recv && this.credit.isUpdateDue) {
      this.#stream.queueControl(StreamControl.maxStreamData)
    }
  }
}

function finalSizeError(reason: string): QuicError {
  return new QuicError(TransportErrorCode.FINAL_SIZE_ERROR, reason)
}
