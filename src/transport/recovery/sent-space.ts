// Sent packets of one packet number space: which are outstanding, which an ACK settles, which are lost
// (RFC 9002 section 6.1, appendices A.1 and A.10). Three of them belong to LossRecovery.
import type { Entropy } from '../crypto/entropy.ts'
import { type AckFrame, RangeSet } from '../wire/index.ts'
import { MAX_REMEMBERED_LOST_RANGES, MAX_TRACKED_ACK_ONLY, PACKET_THRESHOLD } from './limits.ts'
import { PacketNumberSource } from './packet-number-source.ts'
import type { SentPacket, SentPacketPool } from './sent-packet.ts'
import { SentPacketRing, SlotState } from './sent-packet-ring.ts'

export class SentSpace {
  readonly numbers: PacketNumberSource
  readonly ring = new SentPacketRing()
  largestAcked = -1
  /** When the earliest outstanding packet below largestAcked counts as lost by time, ms. */
  lossTime = Number.POSITIVE_INFINITY
  /** When the last ack-eliciting packet was sent, ms. */
  lastAckElicitingTime = 0
  /** Outstanding ack-eliciting packets in flight. */
  ackElicitingInFlight = 0
  /** Since when frames of this space wait although none of it is in flight, ms; -1 when they do not. */
  heldBackAt = -1
  /** ms between the first and the last packet of the longest run of losses seen by the last takeLost. */
  lostPeriod = 0
  private readonly lostNumbers = new RangeSet()
  private readonly pool: SentPacketPool
  private ackOnlyCount = 0
  private ackOnlyFrom = 0
  // First lost ack-eliciting packet since a packet was acknowledged, -1 for none; ms.
  private runStart = -1

  /** @param entropy for skipped packet numbers, undefined for none */
  constructor(pool: SentPacketPool, entropy: Entropy | undefined, skipPeriod?: number) {
    this.pool = pool
    this.numbers = new PacketNumberSource(entropy, skipPeriod)
  }

  /** Takes over a packet that was just sent. The ring must have room. */
  track(packet: SentPacket): void {
    this.ring.push(packet)
    this.numbers.advance(packet.packetNumber)
    if (packet.inFlight) {
      if (packet.ackEliciting) {
        this.ackElicitingInFlight++
        this.heldBackAt = -1
        this.lastAckElicitingTime = packet.timeSent
      }
      return
    }
    this.ackOnlyCount++
    while (this.ackOnlyCount > MAX_TRACKED_ACK_ONLY) this.forgetOldestAckOnly()
    this.skipForgotten()
  }

  private forgetOldestAckOnly(): void {
    const ring = this.ring
    let number = Math.max(this.ackOnlyFrom, ring.lowest)
    while (number < ring.next) {
      const packet = ring.packetAt(number)
      if (packet !== undefined && !packet.inFlight) {
        this.pool.release(packet)
        ring.take(number, SlotState.empty)
        break
      }
      number++
    }
    this.ackOnlyFrom = number + 1
    this.ackOnlyCount--
  }

  private skipForgotten(): void {
    const ring = this.ring
    while (ring.lowest < ring.next && ring.stateOf(ring.lowest) === SlotState.empty) ring.lowest++
  }

  /**
   * Removes the lowest number to make room.
   * @returns its packet when it was outstanding; the caller declares it lost
   */
  takeLowest(): SentPacket | undefined {
    const number = this.ring.lowest++
    if (this.ring.stateOf(number) !== SlotState.outstanding) return undefined
    const packet = this.ring.take(number, SlotState.empty)
    if (packet !== undefined) this.settle(packet)
    return packet
  }

  /**
   * Takes out the packets that an ACK newly acknowledges; largest numbers first.
   * @param out receives them from index 0 on
   * @returns how many
   */
  takeAcked(ack: AckFrame, out: SentPacket[]): number {
    const ring = this.ring
    let count = 0
    if (ack.largest > this.largestAcked) this.largestAcked = ack.largest
    for (let i = 0; i < ack.rangeCount; i++) {
      const last = Math.min(ack.ends[i], ring.next - 1)
      const first = Math.max(ack.starts[i], ring.lowest)
      for (let number = last; number >= first; number--) {
        if (ring.stateOf(number) !== SlotState.outstanding) continue
        const packet = ring.take(number, SlotState.acked)
        if (packet === undefined) continue
        this.settle(packet)
        out[count++] = packet
      }
      if (ack.ends[i] < ring.lowest) break
    }
    return count
  }

  /** How many packets declared lost earlier this ACK shows to have arrived. */
  countSpurious(ack: AckFrame): number {
    if (this.lostNumbers.isEmpty) return 0
    let count = 0
    for (let i = 0; i < ack.rangeCount; i++) count += this.lostNumbers.remove(ack.starts[i], ack.ends[i] + 1)
    return count
  }

  /**
   * Takes out lost packets in order and sets lossTime (DetectAndRemoveLostPackets of RFC 9002 appendix A.10).
   * The send time grows with the number, so the first packet that is not lost ends the search.
   * @param lossDelay ms
   * @param firstSampleTime when the RTT was first measured, ms: earlier losses do not count for persistent
   *   congestion (RFC 9002 section 7.6.2)
   * @param out receives the packets from index 0 on
   * @returns how many
   */
  takeLost(now: number, lossDelay: number, firstSampleTime: number, out: SentPacket[]): number {
    const ring = this.ring
    const end = Math.min(this.largestAcked + 1, ring.next)
    let count = 0
    let isSettled = true
    this.lossTime = Number.POSITIVE_INFINITY
    this.lostPeriod = 0
    for (let number = ring.lowest; number < end; number++) {
      const state = ring.stateOf(number)
      if (state === SlotState.outstanding) {
        const packet = ring.packetAt(number)!
        if (packet.timeSent + lossDelay <= now || this.largestAcked >= number + PACKET_THRESHOLD) {
          this.markLost(packet, firstSampleTime)
          out[count++] = packet
        } else {
          isSettled = false
          if (packet.inFlight) {
            this.lossTime = packet.timeSent + lossDelay
            break
          }
        }
      } else if (state === SlotState.acked && isSettled) {
        this.runStart = -1
      }
      if (isSettled) ring.lowest = number + 1
    }
    return count
  }

  private markLost(packet: SentPacket, firstSampleTime: number): void {
    const number = packet.packetNumber
    this.ring.take(number, SlotState.empty)
    this.settle(packet)
    this.lostNumbers.add(number, number + 1)
    if (this.lostNumbers.size > MAX_REMEMBERED_LOST_RANGES) this.lostNumbers.removeFirst()
    if (!packet.ackEliciting || packet.isMtuProbe || packet.isOffPath || packet.timeSent <= firstSampleTime)
      return
    if (this.runStart < 0) this.runStart = packet.timeSent
    this.lostPeriod = Math.max(this.lostPeriod, packet.timeSent - this.runStart)
  }

  /** Begins a new run of losses, after persistent congestion was declared for the last one. */
  endLossRun(): void {
    this.runStart = -1
  }

  private settle(packet: SentPacket): void {
    if (!packet.inFlight) this.ackOnlyCount--
    else if (packet.ackEliciting) this.ackElicitingInFlight--
  }

  /**
   * An outstanding ack-eliciting packet, counted from the oldest.
   * @param index 0 for the oldest
   */
  outstandingAt(index: number): SentPacket | undefined {
    let left = index
    for (let number = this.ring.lowest; number < this.ring.next; number++) {
      const packet = this.ring.packetAt(number)
      if (packet?.ackEliciting && left-- === 0) return packet
    }
    return undefined
  }

  /**
   * Outstanding packets from this number on went to another path: no longer counted, but still to be acknowledged.
   * @returns bytes that counted as in flight
   */
  disown(first: number): number {
    let bytes = 0
    for (let number = Math.max(first, this.ring.lowest); number < this.ring.next; number++) {
      const packet = this.ring.packetAt(number)
      if (packet === undefined) continue
      if (packet.isCounted) bytes += packet.size
      packet.isOffPath = true
    }
    return bytes
  }

  /**
   * Releases every packet; numbers go on where they were.
   * @returns bytes that were in flight
   */
  discard(): number {
    const ring = this.ring
    let bytes = 0
    for (let number = ring.lowest; number < ring.next; number++) {
      const packet = ring.take(number, SlotState.empty)
      if (packet === undefined) continue
      if (packet.isCounted) bytes += packet.size
      this.pool.release(packet)
    }
    ring.lowest = ring.next
    this.ackOnlyCount = 0
    this.ackElicitingInFlight = 0
    this.lastAckElicitingTime = 0
    this.heldBackAt = -1
    this.lossTime = Number.POSITIVE_INFINITY
    this.runStart = -1
    this.lostNumbers.clear()
    return bytes
  }
}
