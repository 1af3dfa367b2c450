// BBR (draft-cardwell-iccrg-bbr-congestion-control-02, with what version 3 changed where bbr-constants.ts says so):
// paces at the measured bandwidth, and keeps in flight what the path holds instead of filling its queue.
//
//   startup --> drain --> down --> cruise --> refill --> up --.      every 5 s: probeRtt, from anywhere
//                          ^------------ ProbeBW -------------'
import type { RttEstimator } from '../rtt.ts'
import type { SentPacket } from '../sent-packet.ts'
import type { AckSample } from './ack-sample.ts'
import * as constant from './bbr-constants.ts'
import { BbrModel } from './bbr-model.ts'
import { BbrRecovery } from './bbr-recovery.ts'
import { BbrState, PACING_GAIN, STATE_NAME, WINDOW_GAIN } from './bbr-states.ts'
import { BbrUpperBound, isTooMuchLost } from './bbr-upper-bound.ts'
import { type CongestionController, initialWindow, minimumWindow } from './controller.ts'

// What acknowledgements tell about the probe for bandwidth that is under way (section 4.3.3.6).
const AckPhase = { none: 0, starting: 1, feedback: 2, stopping: 3, refilling: 4 } as const

export class Bbr implements CongestionController {
  readonly name = 'bbr'
  window: number
  pacingRate = 0
  readonly model = new BbrModel()
  readonly upper = new BbrUpperBound()
  readonly #recovery = new BbrRecovery()
  #state: number = BbrState.startup
  #datagram: number
  readonly #random: () => number
  #isPipeFull = false
  #fullBandwidth = 0
  #fullRounds = 0
  #ackPhase: number = AckPhase.none
  #cycleStart = 0
  #probeWait = 0
  #probeRttDone = 0
  #isProbeRttRoundDone = false
  #isIdleRestart = false
  #lastLost = -2

  /**
   * @param maxDatagramSize bytes
   * @param random in [0, 1): spreads the probes of flows that started together
   */
  constructor(maxDatagramSize: number, random: () => number = () => 0.5) {
    this.#datagram = maxDatagramSize
    this.#random = random
    this.window = initialWindow(maxDatagramSize)
  }

  get phase(): string {
    return STATE_NAME[this.#state]
  }

  get ssthresh(): number {
    return Number.POSITIVE_INFINITY
  }

  get isInSlowStart(): boolean {
    return this.#state === BbrState.startup
  }

  get #isProbingBandwidth(): boolean {
    return this.#state === BbrState.startup || this.#state === BbrState.refill || this.#state === BbrState.up
  }

  get #isInProbeBandwidth(): boolean {
    return this.#state >= BbrState.down && this.#state <= BbrState.up
  }

  get #minPipe(): number {
    return constant.MIN_PIPE_PACKETS * this.#datagram
  }

  // --- Events ---

  /** Section 4.4: from idle the flow starts at the estimated rate, without a burst. */
  onPacketSent(_bytes: number, now: number, inFlight: number, isAppLimited: boolean): void {
    if (inFlight > 0 || !isAppLimited) return
    this.#isIdleRestart = true
    this.model.restartAggregation(now)
    if (this.#isInProbeBandwidth) this.#pace(1)
    else if (this.#state === BbrState.probeRtt) this.#checkProbeRttDone(now, 0)
  }

  onAcked(_bytes: number, timeSent: number): void {
    if (!this.#recovery.endsWith(timeSent)) return
    this.window = Math.max(this.window, this.#recovery.priorWindow)
  }

  onPacketLost(packet: SentPacket, totalLost: number, now: number): void {
    if (packet.packetNumber !== this.#lastLost + 1) this.model.lossEvents++
    this.#lastLost = packet.packetNumber
    if (!this.upper.isProbing) return
    const lost = totalLost - packet.lostBefore
    if (!isTooMuchLost(lost, packet.txInFlight, this.#datagram)) return
    const limit = BbrUpperBound.limitFromLoss(packet.txInFlight, packet.size, lost)
    this.#inflightTooHigh(limit, packet.isAppLimited, now)
  }

  onCongestionEvent(timeSent: number, now: number, isMark = false): boolean {
    if (!this.#recovery.isNew(timeSent)) return false
    this.#recovery.begin(now, this.#savedWindow())
    if (isMark) this.model.hasMarkInRound = true
    return true
  }

  onPersistentCongestion(): void {
    this.#recovery.priorWindow = this.#savedWindow()
    this.#recovery.abandon()
    this.window = minimumWindow(this.#datagram)
  }

  setMaxDatagramSize(bytes: number): void {
    if (this.window === initialWindow(this.#datagram)) this.window = initialWindow(bytes)
    this.#datagram = bytes
  }

  onAckEnd(sample: AckSample, rtt: RttEstimator): void {
    const { model } = this
    if (this.#cycleStart === 0) this.#begin(sample.now)
    model.update(sample, this.window, this.#datagram, this.#isProbingBandwidth)
    if (model.isRoundStart) this.#recovery.noteRound()
    this.#checkStartupDone(sample)
    // Section 4.3.2: the queue that Startup has built is gone.
    if (this.#state === BbrState.drain && sample.inFlight <= this.#inflight(1)) {
      this.#startDown(sample.now, sample.totalDelivered)
    }
    if (this.#isPipeFull) this.#updateCycle(sample)
    model.updateMinRtt(sample)
    this.#checkProbeRtt(sample)
    model.finish(sample)
    this.#pace(PACING_GAIN[this.#state], rtt)
    this.#updateWindow(sample)
  }

  #begin(now: number): void {
    this.#cycleStart = now
    this.model.probeRttStamp = now
    this.model.restartAggregation(now)
  }

  // --- Startup and Drain, sections 4.3.1 and 4.3.2 ---

  #checkStartupDone(sample: AckSample): void {
    if (this.#isPipeFull) return
    this.#checkFullBandwidth(sample)
    const { model } = this
    const isLossy =
      model.isLossRoundStart &&
      this.#recovery.isActive &&
      this.#recovery.rounds >= 1 &&
      model.lossEvents >= constant.STARTUP_LOSS_EVENTS &&
      this.#isTooMuchLost(sample)
    if (isLossy) {
      this.#isPipeFull = true
      // Version 3: the loss has shown what the path holds.
      this.upper.limit = Math.max(this.#bdp(model.maxBandwidth, 1), model.latestInflight)
    }
    if (this.#isPipeFull && this.#state === BbrState.startup) this.#state = BbrState.drain
  }

  #checkFullBandwidth(sample: AckSample): void {
    if (!this.model.isRoundStart || sample.isAppLimited) return
    const { maxBandwidth } = this.model
    if (maxBandwidth >= this.#fullBandwidth * constant.FULL_GROWTH) {
      this.#fullBandwidth = maxBandwidth
      this.#fullRounds = 0
    } else if (++this.#fullRounds >= constant.FULL_ROUNDS) this.#isPipeFull = true
  }

  // --- ProbeBW, section 4.3.3 ---

  #startDown(now: number, delivered: number): void {
    this.model.resetCongestionSignals()
    this.upper.hold()
    this.model.roundsSinceProbe = this.#random() < 0.5 ? 0 : 1
    this.#probeWait = constant.PROBE_WAIT + this.#random() * constant.PROBE_WAIT_SPREAD
    this.#cycleStart = now
    this.#ackPhase = AckPhase.stopping
    this.model.startRound(delivered)
    this.#state = BbrState.down
  }

  #startRefill(delivered: number): void {
    this.model.resetLowerBounds()
    this.upper.reset()
    this.#ackPhase = AckPhase.refilling
    this.model.startRound(delivered)
    this.#state = BbrState.refill
  }

  #startUp(now: number, delivered: number): void {
    this.upper.isProbing = true
    this.#ackPhase = AckPhase.starting
    this.model.startRound(delivered)
    this.#cycleStart = now
    this.#fullBandwidth = this.model.maxBandwidth
    this.#fullRounds = 0
    this.#state = BbrState.up
    this.upper.raiseSlope(this.window, this.#datagram)
  }

  #updateCycle(sample: AckSample): void {
    this.#adaptUpperBounds(sample)
    const { model } = this
    if (this.#state === BbrState.down || this.#state === BbrState.cruise) {
      if (this.#isTimeToProbe(sample.now)) this.#startRefill(sample.totalDelivered)
      else if (this.#state === BbrState.down && this.#isTimeToCruise(sample.inFlight)) {
        this.#state = BbrState.cruise
      }
    } else if (this.#state === BbrState.refill) {
      if (model.isRoundStart) this.#startUp(sample.now, sample.totalDelivered)
    } else if (this.#state === BbrState.up && this.#isTimeToGoDown(sample)) {
      this.#startDown(sample.now, sample.totalDelivered)
    }
  }

  #isTimeToProbe(now: number): boolean {
    if (now > this.#cycleStart + this.#probeWait) return true
    // Section 4.3.3.5.1: as often as Reno would grow by a window of this size.
    const packets = Math.min(this.#bdp(this.model.bandwidth, 1), this.window) / this.#datagram
    return this.model.roundsSinceProbe >= Math.min(packets, constant.MAX_RENO_ROUNDS)
  }

  #isTimeToCruise(inFlight: number): boolean {
    return inFlight <= this.#withHeadroom() && inFlight <= this.#inflight(1)
  }

  #isTimeToGoDown(sample: AckSample): boolean {
    const { model } = this
    if (sample.isWindowLimited && this.window >= this.upper.limit) {
      // inflight_hi holds the flow back: a plateau of the rate says nothing about the path.
      this.#fullBandwidth = sample.deliveryRate
      this.#fullRounds = 0
      return false
    }
    if (sample.now > this.#cycleStart + model.minRtt && sample.inFlight > this.#inflight(1.25)) return true
    this.#checkPlateau(sample)
    return this.#fullRounds >= constant.FULL_ROUNDS
  }

  // Version 3 leaves ProbeBW_UP also when the rate has stopped growing.
  #checkPlateau(sample: AckSample): void {
    if (!this.model.isRoundStart || sample.isAppLimited) return
    if (sample.deliveryRate >= this.#fullBandwidth * constant.FULL_GROWTH) {
      this.#fullBandwidth = sample.deliveryRate
      this.#fullRounds = 0
    } else this.#fullRounds++
  }

  #adaptUpperBounds(sample: AckSample): void {
    const { model } = this
    if (model.isRoundStart && this.#ackPhase === AckPhase.starting) this.#ackPhase = AckPhase.feedback
    else if (model.isRoundStart && this.#ackPhase === AckPhase.stopping) {
      this.#ackPhase = AckPhase.none
      this.upper.isProbing = false
      if (this.#isInProbeBandwidth && !sample.isAppLimited) model.advanceMaximum()
    }
    if (this.#isTooMuchLost(sample)) {
      if (this.upper.isProbing) this.#inflightTooHigh(sample.txInFlight, sample.isAppLimited, sample.now)
      return
    }
    if (this.upper.limit === Number.POSITIVE_INFINITY) return
    if (sample.txInFlight > this.upper.limit) this.upper.limit = sample.txInFlight
    if (this.#state === BbrState.up) this.#probeUpward(sample)
  }

  #isTooMuchLost(sample: AckSample): boolean {
    return isTooMuchLost(sample.lostSinceSent, sample.txInFlight, this.#datagram)
  }

  #inflightTooHigh(txInFlight: number, isAppLimited: boolean, now: number): void {
    this.upper.isProbing = false
    if (!isAppLimited) {
      const target = Math.min(this.#bdp(this.model.bandwidth, 1), this.window)
      this.upper.limit = Math.max(txInFlight, target * constant.BETA)
    }
    if (this.#state === BbrState.up) this.#startDown(now, this.model.delivered)
  }

  // Section 4.3.3.4: grows inflight_hi by one datagram per round at first, then by twice as many each round.
  #probeUpward(sample: AckSample): void {
    if (!sample.isWindowLimited || this.window < this.upper.limit) return
    this.upper.grow(sample.acked, this.#datagram)
    if (this.model.isRoundStart) this.upper.raiseSlope(this.window, this.#datagram)
  }

  // --- ProbeRTT, section 4.3.4 ---

  #checkProbeRtt(sample: AckSample): void {
    const { model } = this
    if (this.#state !== BbrState.probeRtt && model.isProbeRttDue && !this.#isIdleRestart) {
      this.#recovery.priorWindow = this.#savedWindow()
      this.#state = BbrState.probeRtt
      this.#probeRttDone = 0
      this.#ackPhase = AckPhase.stopping
      model.startRound(sample.totalDelivered)
    }
    if (this.#state === BbrState.probeRtt) this.#holdProbeRtt(sample)
    if (sample.acked > 0) this.#isIdleRestart = false
  }

  #holdProbeRtt(sample: AckSample): void {
    const { model } = this
    // What is sent now says nothing about the rate of the path.
    sample.marksAppLimited = true
    if (this.#probeRttDone === 0) {
      if (sample.inFlight > this.#probeRttWindow()) return
      this.#probeRttDone = sample.now + constant.PROBE_RTT_DURATION
      this.#isProbeRttRoundDone = false
      model.startRound(sample.totalDelivered)
      return
    }
    if (model.isRoundStart) this.#isProbeRttRoundDone = true
    if (this.#isProbeRttRoundDone) this.#checkProbeRttDone(sample.now, sample.totalDelivered)
  }

  #checkProbeRttDone(now: number, delivered: number): void {
    if (this.#probeRttDone === 0 || now <= this.#probeRttDone) return
    this.model.probeRttStamp = now
    this.window = Math.max(this.window, this.#recovery.priorWindow)
    this.model.resetLowerBounds()
    if (!this.#isPipeFull) {
      this.#state = BbrState.startup
      return
    }
    this.#startDown(now, delivered)
    // In flight is below the bandwidth-delay product already.
    this.#state = BbrState.cruise
  }

  // --- Control parameters, section 4.6 ---

  #bdp(bandwidth: number, gain: number): number {
    if (this.model.minRtt === Number.POSITIVE_INFINITY) return initialWindow(this.#datagram)
    return gain * bandwidth * this.model.minRtt
  }

  /** Bytes in flight that keep a path of `gain` times the estimated product busy (section 4.6.4.2). */
  #inflight(gain: number): number {
    return this.#withQuanta(this.#bdp(this.model.maxBandwidth, gain))
  }

  #withQuanta(inflight: number): number {
    const quantum = Math.max(Math.min(this.pacingRate, constant.MAX_SEND_QUANTUM), 2 * this.#datagram)
    const room = this.#state === BbrState.up ? 2 * this.#datagram : 0
    return Math.max(inflight, 3 * quantum, this.#minPipe) + room
  }

  #withHeadroom(): number {
    return this.upper.withHeadroom(this.#datagram, this.#minPipe)
  }

  #probeRttWindow(): number {
    return Math.max(this.#bdp(this.model.bandwidth, constant.PROBE_RTT_WINDOW_GAIN), this.#minPipe)
  }

  #pace(gain: number, rtt?: RttEstimator): void {
    const { bandwidth } = this.model
    if (bandwidth === 0) {
      // Section 4.6.2: the first measured round trip replaces the assumed one.
      if (rtt?.hasSample) this.pacingRate = (gain * this.window) / Math.max(rtt.smoothed, 1)
      return
    }
    const rate = gain * bandwidth * constant.PACING_MARGIN
    if (this.#isPipeFull || rate > this.pacingRate) this.pacingRate = rate
  }

  #updateWindow(sample: AckSample): void {
    this.window = this.#recovery.modulate(sample, this.window, this.#datagram)
    if (!this.#recovery.conserves) this.#growWindow(sample)
    if (this.#state === BbrState.probeRtt) this.window = Math.min(this.window, this.#probeRttWindow())
    this.#boundWindow()
  }

  // Section 4.6.4.6: grows by what was acknowledged, shrinks at once to what the model allows.
  #growWindow(sample: AckSample): void {
    const { model } = this
    const gain = WINDOW_GAIN[this.#state]
    const allowed = this.#withQuanta(this.#bdp(model.bandwidth, gain) + model.extraAcked)
    const grown = this.window + sample.acked
    if (this.#isPipeFull) this.window = Math.min(grown, allowed)
    else if (this.window < allowed || sample.totalDelivered < initialWindow(this.#datagram))
      this.window = grown
    this.window = Math.max(this.window, this.#minPipe)
  }

  #boundWindow(): void {
    let cap = Number.POSITIVE_INFINITY
    if (this.#state === BbrState.probeRtt || this.#state === BbrState.cruise) cap = this.#withHeadroom()
    else if (this.#isInProbeBandwidth) cap = this.upper.limit
    cap = Math.max(Math.min(cap, this.model.inflightLow), this.#minPipe)
    this.window = Math.min(this.window, cap)
  }

  #savedWindow(): number {
    const isModulated = this.#recovery.isActive || this.#state === BbrState.probeRtt
    return isModulated ? Math.max(this.#recovery.priorWindow, this.window) : this.window
  }
}
