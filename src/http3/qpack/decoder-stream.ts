// Reads the peer's decoder stream at any split, RFC 9204 section 4.4; nothing is ever buffered.
// Fed by the unidirectional stream that carries it; what it says is judged by QpackEncoder.
import { connectionError, H3ErrorCode } from '../errors.ts'
import { IntegerProgress, PrefixIntegerReader } from './prefix-integer.ts'

/** Who is told what the peer's decoder has done; throws for what cannot be. */
export interface DecoderStreamOwner {
  /** RFC 9204 section 4.4.1 */
  handleAcknowledgment(streamId: number): void
  /** RFC 9204 section 4.4.2 */
  handleCancellation(streamId: number): void
  /** RFC 9204 section 4.4.3 */
  handleIncrement(count: number): void
}

export class DecoderStreamReader {
  readonly #owner: DecoderStreamOwner
  readonly #integer = new PrefixIntegerReader()
  #first = -1

  constructor(owner: DecoderStreamOwner) {
    this.#owner = owner
  }

  /**
   * Takes bytes of the stream.
   * @throws H3Error QPACK_DECODER_STREAM_ERROR (connection)
   */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const progress = this.#first < 0 ? this.#begin(byte) : this.#integer.push(byte)
      if (progress === IntegerProgress.overflow) {
        throw connectionError(H3ErrorCode.QPACK_DECODER_STREAM_ERROR, 'integer too large')
      }
      if (progress === IntegerProgress.done) this.#apply()
    }
  }

  #begin(byte: number): number {
    this.#first = byte
    return this.#integer.begin(byte, byte >= 0x80 ? 7 : 6)
  }

  #apply(): void {
    const first = this.#first
    const { value } = this.#integer
    this.#first = -1
    if (first >= 0x80) this.#owner.handleAcknowledgment(value)
    else if (first >= 0x40) this.#owner.handleCancellation(value)
    else this.#owner.handleIncrement(value)
  }
}
