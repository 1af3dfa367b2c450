// Received packet numbers of one space and when to acknowledge them (RFC 9000 section 13.2).
// connection owns one per space: insert for each packet processed, writeAck when building a packet.
import { type EcnCounts, RangeSet, writeAck } from '../wire/index.ts'
import { MAX_RECEIVED_RANGES } from './limits.ts'

/** ECN field of the IP header. */
export const EcnMark = { notEct: 0, ect1: 1, ect0: 2, ce: 3 } as const

// RFC 9000 section 13.2.2: an ACK after at least two ack-eliciting packets.
const ACK_ELICITING_THRESHOLD = 2

export class AckTracker {
  /** Largest packet number received, -1 before the first. */
  largest = -1
  private readonly ranges = new RangeSet()
  private readonly isImmediate: boolean
  private maxAckDelay: number
  // Ack-eliciting packets that call for an ACK, and the distance from which a missing packet does.
  private packetsPerAck = ACK_ELICITING_THRESHOLD
  private reorderingThreshold = 1
  private largestSent = -1
  private wasMarked = false
  private readonly ecn: EcnCounts = { ect0: 0, ect1: 0, ce: 0 }
  private hasEcn = false
  private largestTime = 0
  private largestAckEliciting = -1
  // Numbers below are settled: acknowledged and known to be, or given up. A packet among them is a duplicate.
  private floor = 0
  private pending = 0
  private deadline = Number.POSITIVE_INFINITY

  /**
   * @param isImmediate true for Initial and Handshake, acknowledged at once (RFC 9000 section 13.2.1)
   * @param maxAckDelay our max_ack_delay, ms
   */
  constructor(isImmediate: boolean, maxAckDelay = 25) {
    this.isImmediate = isImmediate
    this.maxAckDelay = maxAckDelay
  }

  /** Whether a packet was processed already, or is so old that this is unknown. */
  isDuplicate(packetNumber: number): boolean {
    return packetNumber < this.floor || this.ranges.contains(packetNumber)
  }

  /**
   * Notes a packet that was processed.
   * @param ecn a value of EcnMark
   * @returns false when it was a duplicate
   */
  insert(packetNumber: number, ackEliciting: boolean, now: number, ecn: number = EcnMark.notEct): boolean {
    if (packetNumber < this.floor || this.ranges.add(packetNumber, packetNumber + 1) === 0) return false
    if (this.ranges.size > MAX_RECEIVED_RANGES) {
      this.floor = this.ranges.endAt(0)
      this.ranges.removeFirst()
    }
    if (packetNumber > this.largest) {
      this.largest = packetNumber
      this.largestTime = now
    }
    if (ecn !== EcnMark.notEct) this.countMark(ecn)
    if (ackEliciting) this.schedule(packetNumber, now, ecn)
    return true
  }

  private countMark(ecn: number): void {
    this.hasEcn = true
    if (ecn === EcnMark.ect0) this.ecn.ect0++
    else if (ecn === EcnMark.ect1) this.ecn.ect1++
    else this.ecn.ce++
  }

  /**
   * The peer asks for rarer or more frequent acknowledgements (ACK_FREQUENCY, draft-ietf-quic-ack-frequency).
   * @param threshold ack-eliciting packets that may arrive without an acknowledgement
   * @param maxAckDelay ms
   * @param reorderingThreshold packets; 0 takes no notice of the order
   */
  setFrequency(threshold: number, maxAckDelay: number, reorderingThreshold: number): void {
    this.packetsPerAck = threshold + 1
    this.maxAckDelay = maxAckDelay
    this.reorderingThreshold = reorderingThreshold
  }

  /** IMMEDIATE_ACK: an acknowledgement is due now. */
  acknowledgeAt(now: number): void {
    this.deadline = Math.min(this.deadline, now)
  }

  private schedule(packetNumber: number, now: number, ecn: number): void {
    this.pending++
    const isUrgent =
      this.isImmediate ||
      this.pending >= this.packetsPerAck ||
      this.isMarkUrgent(ecn) ||
      this.isOutOfOrder(packetNumber)
    if (packetNumber > this.largestAckEliciting) this.largestAckEliciting = packetNumber
    this.deadline = isUrgent ? Math.min(this.deadline, now) : Math.min(this.deadline, now + this.maxAckDelay)
  }

  // RFC 9000 section 13.2.1: at once. Where ACKs are rare, only the first of a row of marks (draft, section 6.4).
  private isMarkUrgent(ecn: number): boolean {
    const isMarked = ecn === EcnMark.ce
    const isNew = isMarked !== this.wasMarked
    this.wasMarked = isMarked
    return isMarked && (isNew || this.packetsPerAck <= ACK_ELICITING_THRESHOLD)
  }

  // RFC 9000 section 13.2.1: below another ack-eliciting packet, or above it with packets missing between.
  private isOutOfOrder(packetNumber: number): boolean {
    if (this.reorderingThreshold !== 1) return this.isBeyondReordering(packetNumber)
    if (packetNumber < this.largestAckEliciting) return true
    const index = this.ranges.indexAtOrAbove(packetNumber)
    return this.ranges.startAt(index) > Math.max(this.largestAckEliciting + 1, this.floor)
  }

  // The draft's section 6.2: the sender could now declare a packet lost that no ACK has reported missing, or has
  // declared this one lost already.
  private isBeyondReordering(packetNumber: number): boolean {
    const threshold = this.reorderingThreshold
    if (threshold === 0) return false
    const reported = this.largestSent - threshold
    if (this.largestSent >= 0 && packetNumber <= reported) return true
    const from = Math.max(reported + 1, this.floor, 0)
    const index = this.ranges.indexAtOrAbove(from)
    if (index >= this.ranges.size) return false
    const missing = this.ranges.startAt(index) <= from ? this.ranges.endAt(index) : from
    return Math.max(packetNumber, this.largestAckEliciting) - missing >= threshold
  }

  /** When an ACK must be sent, ms: Infinity when none is owed, not later than now when at once. */
  get ackDeadline(): number {
    return this.deadline
  }

  /** Whether ack-eliciting packets are not acknowledged yet: a packet sent anyway should carry an ACK. */
  get hasPendingAck(): boolean {
    return this.pending > 0
  }

  shouldAckNow(now: number): boolean {
    return now >= this.deadline
  }

  /**
   * Writes an ACK frame with the newest ranges that fit, and considers it sent.
   * @param end offset after the last byte that may be written
   * @param ackDelayExponent our ack_delay_exponent
   * @returns offset after the frame; `offset` itself when nothing was received or nothing fits
   */
  writeAck(buffer: Uint8Array, offset: number, end: number, now: number, ackDelayExponent: number): number {
    const microseconds = Math.max(0, now - this.largestTime) * 1000
    const delay = Math.floor(microseconds / 2 ** ackDelayExponent)
    const after = writeAck(buffer, offset, end, this.ranges, delay, this.hasEcn ? this.ecn : undefined)
    if (after === offset) return offset
    this.pending = 0
    this.deadline = Number.POSITIVE_INFINITY
    this.largestSent = this.largest
    return after
  }

  /**
   * The peer has received an ACK of ours: what it covered need not be repeated (RFC 9000 section 13.2.4).
   * @param largestSentAck Largest Acknowledged of that ACK
   */
  handleAckOfAck(largestSentAck: number): void {
    if (largestSentAck < this.floor) return
    this.ranges.remove(0, largestSentAck + 1)
    this.floor = largestSentAck + 1
  }
}
