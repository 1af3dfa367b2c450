// Memory for what this room writes: message heads and frame headers. Streams keep a reference to what they are given
// until it is acknowledged, so a piece is never reused; small pieces are cut from a shared zeroed block, which saves
// an allocation per response. Called by the message writer.

import { LARGEST_SHARED_OUTPUT, OUTPUT_BLOCK_BYTES } from './limits.ts'

/** Cuts write-once pieces out of blocks. */
export class OutputBlock {
  /** Buffer to write to, valid until `take`. */
  buffer = new Uint8Array(0)
  /** First writable offset in `buffer`. */
  start = 0

  /**
   * Makes room for a piece.
   * @param bytes upper bound of the piece
   */
  reserve(bytes: number): void {
    if (bytes <= this.buffer.length - this.start) return
    this.buffer = new Uint8Array(bytes > LARGEST_SHARED_OUTPUT ? bytes : OUTPUT_BLOCK_BYTES)
    this.start = 0
  }

  /**
   * Hands out what was written.
   * @param end offset behind the last byte written
   * @returns the piece; never written to again
   */
  take(end: number): Uint8Array {
    const piece = this.buffer.subarray(this.start, end)
    this.start = end
    return piece
  }
}
