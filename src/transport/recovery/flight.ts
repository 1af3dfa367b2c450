// What is in flight on the path, and what may be added to it: congestion window, pacing, and whether the sender uses
// them at all (RFC 9002 section 7). Part of LossRecovery; the transmitter asks it before every packet.
import type { AckSample } from './congestion/ack-sample.ts'
import type { CongestionController } from './congestion/controller.ts'
import { DeliveryRate } from './delivery-rate.ts'
import { MAX_TRACKED_PACKETS, TRACKED_PACKETS_RESERVE } from './limits.ts'
import { Pacer } from './pacer.ts'
import type { RttEstimator } from './rtt.ts'
import type { SentPacket } from './sent-packet.ts'
import type { SentPacketRing } from './sent-packet-ring.ts'

export class Flight {
  /** Bytes in flight. */
  bytes = 0
  congestion: CongestionController
  delivery = new DeliveryRate()
  readonly #rtt: RttEstimator
  /** Packets of application data that are tracked. */
  readonly #ring: SentPacketRing
  #maxDatagramSize: number
  #pacer: Pacer
  #isApplicationLimited = false
  #wasPaced = false
  /** One packet may exceed the window when recovery begins (RFC 9002 section 7.3.2). */
  #hasRecoveryPacket = false

  /** @param maxDatagramSize bytes */
  constructor(
    congestion: CongestionController,
    rtt: RttEstimator,
    ring: SentPacketRing,
    maxDatagramSize: number,
  ) {
    this.congestion = congestion
    this.#rtt = rtt
    this.#ring = ring
    this.#maxDatagramSize = maxDatagramSize
    this.#pacer = new Pacer(maxDatagramSize)
  }

  /** A new path: what was learned of the old one is void (RFC 9000 section 9.4). */
  begin(congestion: CongestionController): void {
    this.congestion = congestion
    this.#pacer = new Pacer(this.#maxDatagramSize)
    this.delivery = new DeliveryRate()
  }

  /** @param bytes new maximum datagram size of the path */
  setMaxDatagramSize(bytes: number): void {
    this.#maxDatagramSize = bytes
    this.congestion.setMaxDatagramSize(bytes)
    this.#pacer.setMaxDatagramSize(bytes)
  }

  /** There was nothing more to send although the window would have allowed it (RFC 9002 section 7.8). */
  setApplicationLimited(isLimited: boolean): void {
    this.#isApplicationLimited = isLimited
    if (isLimited && this.bytes < this.congestion.window) this.delivery.markAppLimited(this.bytes)
  }

  // --- What may leave ---

  /** Whether the congestion window or the tracking of packets forbids `bytes`, whatever the time. */
  isCongestionBlocked(bytes: number): boolean {
    if (this.#ring.span >= MAX_TRACKED_PACKETS - TRACKED_PACKETS_RESERVE) return true
    return this.bytes + bytes > this.congestion.window && !this.#hasRecoveryPacket
  }

  /** Whether a packet in flight of `bytes` may leave now. Probes and ACK-only packets need not ask. */
  canSend(bytes: number, now: number): boolean {
    if (this.isCongestionBlocked(bytes)) return false
    if (this.#pacer.isAllowed(bytes, now, this.congestion, this.#rtt)) return true
    this.#wasPaced = true
    return false
  }

  /** Bytes that may leave now under window and pacing; never negative. */
  allowance(now: number): number {
    const window = this.congestion.window - this.bytes
    return Math.max(0, Math.floor(Math.min(window, this.#pacer.allowance(now, this.congestion, this.#rtt))))
  }

  /**
   * When pacing lets `bytes` leave; `now` when at once. Says nothing about the window.
   * @param bytes one full datagram when absent
   */
  nextPacedTime(now: number, bytes: number = this.#maxDatagramSize): number {
    return this.#pacer.nextTime(bytes, now, this.congestion, this.#rtt)
  }

  // --- What happens to it; called by LossRecovery ---

  onPacketSent(packet: SentPacket, now: number): void {
    this.congestion.onPacketSent(packet.size, now, this.bytes, this.delivery.isAppLimited)
    this.delivery.onPacketSent(packet, this.bytes, now)
    this.bytes += packet.size
    this.#hasRecoveryPacket = false
    this.#pacer.onPacketSent(packet.size, now)
  }

  /** A packet is acknowledged, lost or given up. */
  remove(packet: SentPacket): void {
    if (packet.isCounted) this.bytes -= packet.size
  }

  /**
   * Takes acknowledged packets out of flight and tells congestion control.
   * @param packets the first `count` are meant
   * @returns how many of them were in flight
   */
  onAcked(packets: readonly SentPacket[], count: number, sample: AckSample): number {
    const isUtilised = this.#isWindowUtilised(sample.priorInFlight)
    let counted = 0
    sample.isWindowLimited = sample.priorInFlight + 3 * this.#maxDatagramSize >= this.congestion.window
    for (let i = 0; i < count; i++) {
      const packet = packets[i]
      if (!packet.isCounted) continue
      this.remove(packet)
      counted++
      this.congestion.onAcked(packet.size, packet.timeSent, sample.now, this.#rtt, isUtilised)
    }
    this.#wasPaced = false
    sample.inFlight = this.bytes
    this.congestion.onAckEnd(sample, this.#rtt)
    if (sample.marksAppLimited) this.delivery.markAppLimited(this.bytes)
    return counted
  }

  onLost(packet: SentPacket, now: number): void {
    this.delivery.onLost(packet.size)
    this.congestion.onPacketLost(packet, this.delivery.lost, now)
  }

  /** @returns whether a recovery period begins */
  enterRecovery(timeSent: number, now: number, isMark: boolean): boolean {
    if (!this.congestion.onCongestionEvent(timeSent, now, isMark)) return false
    this.#hasRecoveryPacket = true
    return true
  }

  // RFC 9002 section 7.8: a sender held back by pacing alone does use its window.
  #isWindowUtilised(inFlight: number): boolean {
    const { window } = this.congestion
    if (inFlight + 3 * this.#maxDatagramSize >= window) return true
    if (this.#isApplicationLimited) return false
    return this.#wasPaced || (this.congestion.isInSlowStart && inFlight > window / 2)
  }
}
