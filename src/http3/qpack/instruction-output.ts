// Our encoder or decoder stream: instructions on their way to the peer, RFC 9204 section 4.2. Until the peer allows the
// stream they wait here, within a cap. Used by QpackEncoder and QpackDecoder; attached by H3Connection.
import type { QuicStream } from '../../transport/streams/index.ts'

const INSTRUCTION_BLOCK_BYTES = 512

export class InstructionOutput {
  #stream: QuicStream | undefined
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #block = new Uint8Array(0)
  #used = 0

  /** Asks for the stream when it is first needed; set by H3Connection. */
  want: (() => void) | undefined

  /** Bytes that were written and not acknowledged by the transport, or still wait for the stream. */
  get bufferedBytes(): number {
    return this.#waitingBytes + (this.#stream?.bufferedBytes ?? 0)
  }

  /** Bytes that flow control lets out now. */
  get room(): number {
    if (this.#stream === undefined) this.want?.()
    return this.#stream?.sendRoom ?? 0
  }

  /** The stream exists from now on. */
  attach(stream: QuicStream): void {
    this.#stream = stream
    for (const piece of this.#waiting) stream.write(piece)
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /**
   * Memory for an instruction; it goes out with `commit`.
   * @param bytes upper bound
   * @returns the buffer; write from `start` on
   */
  reserve(bytes: number): Uint8Array {
    if (this.#block.length - this.#used < bytes) {
      this.#block = new Uint8Array(Math.max(bytes, INSTRUCTION_BLOCK_BYTES))
      this.#used = 0
    }
    return this.#block
  }

  /** First offset to write to after `reserve`. */
  get start(): number {
    return this.#used
  }

  /** Sends what was written up to `end`; returns how many bytes that were. */
  commit(end: number): number {
    if (this.#stream === undefined) this.want?.()
    const piece = this.#block.subarray(this.#used, end)
    this.#used = end
    if (this.#stream !== undefined) this.#stream.write(piece)
    else {
      this.#waiting.push(piece)
      this.#waitingBytes += piece.length
    }
    return piece.length
  }
}
