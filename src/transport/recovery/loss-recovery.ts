// Loss detection and the use of congestion control for one path (RFC 9002, appendices A and B).
// connection calls it for each packet sent, each ACK frame and when lossDetectionTimer() has passed.
import type { AckFrame } from '../wire/index.ts'
import { AckSample } from './congestion/ack-sample.ts'
import type { CongestionController } from './congestion/controller.ts'
import { Cubic } from './congestion/cubic.ts'
import { EcnValidation } from './ecn.ts'
import { Flight } from './flight.ts'
import { BASE_DATAGRAM_SIZE, GRANULARITY, PERSISTENT_CONGESTION_THRESHOLD, TIME_THRESHOLD } from './limits.ts'
import { LossTimer } from './loss-timer.ts'
import {
  type ProbeRequest,
  type RecoveryCounters,
  type RecoveryEvents,
  type RecoveryOptions,
  Space,
} from './recovery-types.ts'
import { RttEstimator } from './rtt.ts'
import { type SentPacket, SentPacketPool } from './sent-packet.ts'
import { SentSpace } from './sent-space.ts'

export class LossRecovery {
  readonly pool = new SentPacketPool()
  readonly rtt: RttEstimator
  readonly flight: Flight
  readonly counters: RecoveryCounters = {
    sent: 0,
    acked: 0,
    lost: 0,
    ptos: 0,
    spurious: 0,
    persistentCongestion: 0,
  }
  readonly ecn: EcnValidation
  private readonly sample = new AckSample()
  private readonly loss: LossTimer
  private readonly events: RecoveryEvents
  private readonly spaces: readonly SentSpace[]
  private readonly probe: ProbeRequest = { space: 0, count: 0 }
  private readonly acked: SentPacket[] = []
  private readonly lost: SentPacket[] = []

  constructor(options: RecoveryOptions) {
    const size = options.maxDatagramSize ?? BASE_DATAGRAM_SIZE
    this.events = options.events
    this.rtt = new RttEstimator(options.initialRtt)
    this.ecn = new EcnValidation(options.ecn === true)
    this.spaces = [
      new SentSpace(this.pool, undefined),
      new SentSpace(this.pool, undefined),
      new SentSpace(this.pool, options.entropy, options.skipPeriod),
    ]
    const { ring } = this.spaces[Space.application]
    this.flight = new Flight(options.congestion ?? new Cubic(size), this.rtt, ring, size)
    this.loss = new LossTimer(options.role, this.rtt, this.spaces)
  }

  get bytesInFlight(): number {
    return this.flight.bytes
  }

  get congestion(): CongestionController {
    return this.flight.congestion
  }

  /** Probe timeouts in a row; each doubles the next. */
  get ptoCount(): number {
    return this.loss.ptoCount
  }

  /** The handshake is confirmed (RFC 9001 section 4.1.2): application data gets a probe timer. */
  setHandshakeConfirmed(now: number): void {
    this.loss.isHandshakeConfirmed = true
    this.loss.hasPeerValidatedAddress = true
    this.loss.set(now)
  }

  /** The server has shown that it validated our address (client only). */
  setPeerAddressValidated(now: number): void {
    this.loss.hasPeerValidatedAddress = true
    this.loss.set(now)
  }

  /** Handshake keys exist: anti-deadlock probes go out as Handshake packets from now on. */
  setHandshakeKeysAvailable(): void {
    this.loss.hasHandshakeKeys = true
  }

  /** The 3x limit of RFC 9000 section 8.1 forbids sending, or no longer does; no timer runs meanwhile. */
  setAntiAmplificationBlocked(isBlocked: boolean, now: number): void {
    if (isBlocked === this.loss.isAmplificationBlocked) return
    this.loss.isAmplificationBlocked = isBlocked
    this.loss.set(now)
  }

  /** @param delay max_ack_delay of the peer, ms */
  setPeerMaxAckDelay(delay: number): void {
    this.loss.peerMaxAckDelay = delay
  }

  /** A new path: what was measured is void, and packets of the old one do not count (RFC 9000 section 9.4). */
  beginPath(congestion: CongestionController, now: number): void {
    this.disown(0)
    this.flight.begin(congestion)
    this.rtt.reset()
    this.ecn.reset()
    this.loss.ptoCount = 0
    this.loss.set(now)
  }

  /** Packets from this number on went to another path: congestion control and RTT do not count them. */
  disown(first: number): void {
    this.flight.bytes -= this.spaces[Space.application].disown(first)
  }

  // --- Sending ---

  /** Packet number of the next packet; unchanged until onPacketSent. */
  nextPacketNumber(space: number): number {
    return this.spaces[space].numbers.next
  }

  /** Largest packet number that the peer has acknowledged, -1 for none. */
  largestAcked(space: number): number {
    return this.spaces[space].largestAcked
  }

  /**
   * Takes over a packet from the pool that was just sent (OnPacketSent of RFC 9002 appendix A.5). Packets of a
   * coalesced datagram are told one by one.
   */
  onPacketSent(space: number, packet: SentPacket, now: number): void {
    const state = this.spaces[space]
    packet.timeSent = now
    while (!state.ring.hasRoomFor(packet.packetNumber)) this.evict(space, now)
    state.track(packet)
    this.ecn.onPacketSent(space, packet)
    if (!packet.inFlight) return
    this.counters.sent++
    this.flight.onPacketSent(packet, now)
    this.loss.set(now)
  }

  /**
   * The window has no room for Initial or Handshake frames that wait. What fills it may be application data that nobody
   * can acknowledge before those frames have arrived, and that has no probe timer until then: so a probe sends them.
   */
  holdBack(space: number, now: number): void {
    const state = this.spaces[space]
    if (state.heldBackAt >= 0 || state.ackElicitingInFlight > 0) return
    state.heldBackAt = now
    this.loss.set(now)
  }

  // The ring is full: the oldest packet is given up so that what it carried is sent again.
  private evict(space: number, now: number): void {
    const packet = this.spaces[space].takeLowest()
    if (packet === undefined) return
    this.flight.remove(packet)
    if (packet.inFlight) this.counters.lost++
    this.events.handleLost(space, packet, now)
    this.pool.release(packet)
  }

  // --- Acknowledgements ---

  /**
   * Handles an ACK frame (OnAckReceived of RFC 9002 appendix A.7).
   * @param ackDelayMs ACK Delay field in ms
   * @throws QuicError PROTOCOL_VIOLATION for a packet never sent
   */
  handleAck(space: number, ack: AckFrame, ackDelayMs: number, now: number): void {
    const state = this.spaces[space]
    state.numbers.verify(ack)
    this.counters.spurious += state.countSpurious(ack)
    const isNewest = ack.largest > state.largestAcked
    const count = state.takeAcked(ack, this.acked)
    if (count === 0) return
    const { sample, flight } = this
    sample.begin(now, flight.bytes)
    this.sampleRtt(space, ack, ackDelayMs, count, now)
    flight.delivery.onAcked(this.acked, count, this.rtt.min, sample)
    // ProcessECN of RFC 9002 appendix B.7.
    if (this.ecn.onAck(space, ack, isNewest, this.acked, count)) {
      this.enterRecovery(this.acked[0].timeSent, now, true)
    }
    const lostBefore = flight.delivery.lost
    const lostCount = this.detectLost(space, now)
    sample.lost = flight.delivery.lost - lostBefore
    this.counters.acked += flight.onAcked(this.acked, count, sample)
    if (space === Space.handshake) this.loss.hasPeerValidatedAddress = true
    if (this.loss.hasPeerValidatedAddress) this.loss.ptoCount = 0
    this.loss.set(now)
    for (let i = 0; i < count; i++) {
      this.events.handleAcked(space, this.acked[i])
      this.pool.release(this.acked[i])
    }
    this.reportLost(space, lostCount, now)
  }

  private sampleRtt(space: number, ack: AckFrame, ackDelay: number, count: number, now: number): void {
    // RFC 9002 section 5.1: only when the largest acknowledged is new and something ack-eliciting is.
    if (this.acked[0].packetNumber !== ack.largest || this.acked[0].isOffPath) return
    let isAckEliciting = false
    for (let i = 0; i < count && !isAckEliciting; i++) isAckEliciting = this.acked[i].ackEliciting
    if (!isAckEliciting) return
    // Section 5.3: the delay is ignored for Initial packets, and limited once the handshake is confirmed.
    let delay = space === Space.initial ? 0 : ackDelay
    if (this.loss.isHandshakeConfirmed) delay = Math.min(delay, this.loss.peerMaxAckDelay)
    this.rtt.update(now - this.acked[0].timeSent, delay, now)
    this.sample.rtt = this.rtt.latest
  }

  // --- Loss ---

  // Finds lost packets into this.lost and tells congestion control (RFC 9002 appendices A.10 and B.8).
  private detectLost(space: number, now: number): number {
    const state = this.spaces[space]
    const delay = Math.max(TIME_THRESHOLD * Math.max(this.rtt.latest, this.rtt.smoothed), GRANULARITY)
    const count = state.takeLost(now, delay, this.rtt.firstSampleTime, this.lost)
    let lastTime = -1
    for (let i = 0; i < count; i++) {
      const packet = this.lost[i]
      if (!packet.isCounted) continue
      this.flight.remove(packet)
      this.ecn.onPacketLost(packet)
      // RFC 9000 section 14.4: the loss of a probe for a larger MTU is no sign of congestion.
      if (packet.isMtuProbe) continue
      this.counters.lost++
      this.flight.onLost(packet, now)
      lastTime = packet.timeSent
    }
    if (lastTime >= 0) this.enterRecovery(lastTime, now)
    // RFC 9002 section 7.6.1: max_ack_delay counts in every space.
    const period = (this.rtt.timeoutBase + this.loss.peerMaxAckDelay) * PERSISTENT_CONGESTION_THRESHOLD
    if (state.lostPeriod > period) this.declarePersistentCongestion(state, now)
    return count
  }

  private enterRecovery(timeSent: number, now: number, isMark = false): void {
    if (!this.flight.enterRecovery(timeSent, now, isMark)) return
    this.events.handleCongestion?.(false)
  }

  private declarePersistentCongestion(state: SentSpace, now: number): void {
    state.endLossRun()
    this.counters.persistentCongestion++
    this.congestion.onPersistentCongestion(now)
    this.rtt.resetMinimum()
    this.events.handleCongestion?.(true)
  }

  private reportLost(space: number, count: number, now: number): void {
    for (let i = 0; i < count; i++) {
      this.events.handleLost(space, this.lost[i], now)
      this.pool.release(this.lost[i])
    }
  }

  /**
   * Keys of a space are gone: its packets are neither acknowledged nor lost any more (RFC 9002 section 6.4).
   * Packet numbers go on, so a client also calls this for Initial packets after a Retry.
   */
  discardSpace(space: number, now: number): void {
    this.flight.bytes -= this.spaces[space].discard()
    this.loss.ptoCount = 0
    this.loss.set(now)
  }

  // --- Timer ---

  /** When handleTimeout is due, ms; Infinity for never. */
  lossDetectionTimer(): number {
    return this.loss.time
  }

  /**
   * Probe timeout without backoff, ms: the PTO that closing, key discard and path validation count in.
   * @param space max_ack_delay is part of it for application data only
   */
  ptoInterval(space: number): number {
    return this.loss.ptoInterval(space)
  }

  /**
   * An outstanding ack-eliciting packet whose content a probe may repeat.
   * @param index 0 for the oldest
   */
  outstandingAt(space: number, index: number): SentPacket | undefined {
    return this.spaces[space].outstandingAt(index)
  }

  /** Whether ack-eliciting packets are outstanding in a space. */
  hasAckElicitingInFlight(space: number): boolean {
    return this.spaces[space].ackElicitingInFlight > 0
  }

  /**
   * The timer has fired (OnLossDetectionTimeout of RFC 9002 appendix A.9).
   * @returns probes to send, or undefined; one object is reused
   */
  handleTimeout(now: number): ProbeRequest | undefined {
    if (now < this.loss.time) return undefined
    const lossSpace = this.loss.earliestLossSpace()
    if (lossSpace >= 0) {
      const count = this.detectLost(lossSpace, now)
      this.loss.set(now)
      this.reportLost(lossSpace, count, now)
      return undefined
    }
    const space = this.loss.ptoSpace()
    this.probe.space = space >= 0 ? space : this.loss.antiDeadlockSpace()
    this.probe.count = space >= 0 ? 2 : 1
    this.loss.ptoCount++
    this.ecn.onProbeTimeout()
    this.counters.ptos++
    this.loss.set(now)
    return this.probe
  }
}
