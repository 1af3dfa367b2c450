// Hands out packet numbers and now and then leaves one out (RFC 9000 section 21.4): a peer that acknowledges a
// number that was never sent is inflating our congestion window. Used by SentSpace.

import type { Entropy } from '../crypto/entropy.ts'
import { type AckFrame, QuicError, RangeSet, TransportErrorCode } from '../wire/index.ts'
import { MAX_REMEMBERED_SKIPS } from './limits.ts'

// Packets between two skips: on average this many at first, then twice as many each time.
const FIRST_SKIP_PERIOD = 256
const MAX_SKIP_PERIOD = 131_072

export class PacketNumberSource {
  /** Number that the next packet must have. */
  next = 0
  /** Largest number that was really sent, -1 before the first. */
  largestSent = -1
  private readonly skipped = new RangeSet()
  private readonly random = new Uint8Array(4)
  private readonly entropy: Entropy | undefined
  private period: number
  private skipAt: number

  /**
   * @param entropy chooses the numbers to skip; undefined skips none
   * @param period average packets until the first skip
   */
  constructor(entropy: Entropy | undefined, period: number = FIRST_SKIP_PERIOD) {
    this.entropy = entropy
    this.period = period
    this.skipAt = entropy === undefined ? Number.POSITIVE_INFINITY : this.chooseSkip(entropy)
  }

  /** Moves on after a packet with this number was sent. */
  advance(sent: number): void {
    this.largestSent = sent
    this.next = sent + 1
    if (this.next < this.skipAt || this.entropy === undefined) return
    this.skipped.add(this.next, this.next + 1)
    if (this.skipped.size > MAX_REMEMBERED_SKIPS) this.skipped.removeFirst()
    this.next++
    this.period = Math.min(this.period * 2, MAX_SKIP_PERIOD)
    this.skipAt = this.chooseSkip(this.entropy)
  }

  /**
   * Checks that every acknowledged packet was sent.
   * @throws QuicError PROTOCOL_VIOLATION
   */
  verify(ack: AckFrame): void {
    // RFC 9000 section 13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not
    // send as a connection error of type PROTOCOL_VIOLATION".
    if (ack.largest > this.largestSent) throw neverSent()
    if (this.skipped.isEmpty || ack.largest < this.skipped.min) return
    for (let i = 0; i < ack.rangeCount; i++) {
      const index = this.skipped.indexAtOrAbove(ack.starts[i])
      if (index < this.skipped.size && this.skipped.startAt(index) <= ack.ends[i]) throw neverSent()
    }
  }

  private chooseSkip(entropy: Entropy): number {
    entropy.fill(this.random)
    const random = this.random
    const value = ((random[0] << 24) | (random[1] << 16) | (random[2] << 8) | random[3]) >>> 0
    return this.next + 1 + (value % (2 * this.period))
  }
}

function neverSent(): QuicError {
  return new QuicError(
    TransportErrorCode.PROTOCOL_VIOLATION,
    'acknowledged a packet that was never sent',
    0x02,
  )
}
