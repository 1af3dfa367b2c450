// BBR's model of the path (draft-cardwell-iccrg-bbr-congestion-control-02, section 4.5): bandwidth, round-trip time,
// aggregation of acknowledgements, and the short-term bounds after losses. Fed by Bbr with every ACK.
// Bytes, ms, bytes per ms.
import type { AckSample } from './ack-sample.ts'
import { BETA, EXTRA_ACKED_ROUNDS, MIN_RTT_FILTER, PROBE_RTT_INTERVAL } from './bbr-constants.ts'
import { isTooMuchLost } from './bbr-upper-bound.ts'

/** Differences below a microsecond are rounding, ms. */
const CLOCK_TICK = 0.001

export class BbrModel {
  /** Estimate that pacing uses: the maximum, lowered by recent losses. */
  bandwidth = 0
  /** Bytes delivered up to the last ACK. */
  delivered = 0
  minRtt = Number.POSITIVE_INFINITY
  /** Short-term bounds; Infinity while no loss has lowered them. */
  bandwidthLow = Number.POSITIVE_INFINITY
  inflightLow = Number.POSITIVE_INFINITY
  /** The last ACK ended a packet-timed round trip (section 4.5.1). */
  isRoundStart = false
  /** The last ACK ended the round in which losses are judged. */
  isLossRoundStart = false
  /** An ECN mark arrived in this round: bounds are lowered whatever was lost. */
  hasMarkInRound = false
  #lostInRound = 0
  /** Separate losses of this round. */
  lossEvents = 0
  roundsSinceProbe = 0
  /** It is time to look for the true minimum RTT. */
  isProbeRttDue = false
  probeRttStamp = 0
  /** Most recent maximum of delivered bytes within a round. */
  latestInflight = 0
  #latestBandwidth = 0
  // Maximum filter over the previous and the current ProbeBW cycle (section 4.5.2.4).
  #previousMaximum = 0
  #currentMaximum = 0
  #roundEnd = 0
  #lossRoundEnd = 0
  #minRttStamp = 0
  #probeRttMinimum = Number.POSITIVE_INFINITY
  #aggregationStart = 0
  #aggregated = 0
  readonly #extra = [0, 0]
  #extraSlot = 0
  #extraRounds = 0

  get maxBandwidth(): number {
    return Math.max(this.#previousMaximum, this.#currentMaximum)
  }

  /** Bytes beyond the rate that acknowledgements bring at once (section 4.5.5). */
  get extraAcked(): number {
    return Math.max(this.#extra[0], this.#extra[1])
  }

  /** A round begins: it ends with the first packet sent from now on that is acknowledged. */
  startRound(delivered: number): void {
    this.#roundEnd = delivered
  }

  /** Takes the signals of an ACK, before the state machine looks at them. */
  update(sample: AckSample, window: number, datagram: number, isProbingBandwidth: boolean): void {
    this.isLossRoundStart = false
    this.delivered = sample.totalDelivered
    if (sample.deliveryRate > this.#latestBandwidth) this.#latestBandwidth = sample.deliveryRate
    if (sample.delivered > this.latestInflight) this.latestInflight = sample.delivered
    if (sample.newestSent >= 0 && sample.priorDelivered >= this.#lossRoundEnd) {
      this.#lossRoundEnd = sample.totalDelivered
      this.isLossRoundStart = true
    }
    this.#updateMaximum(sample)
    this.#lostInRound += sample.lost
    if (this.isLossRoundStart && !isProbingBandwidth) {
      const flight = this.latestInflight + this.#lostInRound
      const isLossy = isTooMuchLost(this.#lostInRound, flight, datagram)
      if (isLossy || this.hasMarkInRound) this.#lowerBounds(window)
    }
    this.#updateAggregation(sample, window)
  }

  /** Ends the update: what belongs to the next round starts anew. */
  finish(sample: AckSample): void {
    if (this.isLossRoundStart) {
      this.#latestBandwidth = sample.deliveryRate
      this.latestInflight = sample.delivered
      this.hasMarkInRound = false
      this.#lostInRound = 0
      this.lossEvents = 0
    }
    this.bandwidth = Math.min(this.maxBandwidth, this.bandwidthLow)
  }

  #updateMaximum(sample: AckSample): void {
    this.isRoundStart = sample.newestSent >= 0 && sample.priorDelivered >= this.#roundEnd
    if (this.isRoundStart) {
      this.startRound(sample.totalDelivered)
      this.roundsSinceProbe++
    }
    if (sample.deliveryRate === 0) return
    // Section 4.5.2.3: a rate limited by the application counts only when it shows that the estimate is too low.
    if (sample.isAppLimited && sample.deliveryRate < this.maxBandwidth) return
    if (sample.deliveryRate > this.#currentMaximum) this.#currentMaximum = sample.deliveryRate
  }

  /** A ProbeBW cycle is over: its maximum is kept for one more. */
  advanceMaximum(): void {
    if (this.#currentMaximum === 0) return
    this.#previousMaximum = this.#currentMaximum
    this.#currentMaximum = 0
  }

  // Section 4.5.6.3: once per round with loss, towards what was really delivered. The draft lets a single lost packet
  // do this; a path that loses one packet in a hundred at random would lose most of its rate between two probes.
  #lowerBounds(window: number): void {
    if (this.bandwidthLow === Number.POSITIVE_INFINITY) this.bandwidthLow = this.maxBandwidth
    if (this.inflightLow === Number.POSITIVE_INFINITY) this.inflightLow = window
    this.bandwidthLow = Math.max(this.#latestBandwidth, BETA * this.bandwidthLow)
    this.inflightLow = Math.max(this.latestInflight, BETA * this.inflightLow)
  }

  resetLowerBounds(): void {
    this.bandwidthLow = Number.POSITIVE_INFINITY
    this.inflightLow = Number.POSITIVE_INFINITY
  }

  resetCongestionSignals(): void {
    this.hasMarkInRound = false
    this.#lostInRound = 0
    this.lossEvents = 0
    this.#latestBandwidth = 0
    this.latestInflight = 0
  }

  #updateAggregation(sample: AckSample, window: number): void {
    let expected = this.bandwidth * (sample.now - this.#aggregationStart)
    if (this.#aggregated <= expected) {
      this.#aggregated = 0
      this.#aggregationStart = sample.now
      expected = 0
    }
    this.#aggregated += sample.acked
    const extra = Math.min(this.#aggregated - expected, window)
    if (this.isRoundStart && ++this.#extraRounds >= EXTRA_ACKED_ROUNDS) {
      this.#extraRounds = 0
      this.#extraSlot ^= 1
      this.#extra[this.#extraSlot] = 0
    }
    if (extra > this.#extra[this.#extraSlot]) this.#extra[this.#extraSlot] = extra
  }

  restartAggregation(now: number): void {
    this.#aggregationStart = now
    this.#aggregated = 0
  }

  /** Section 4.3.4.4: the minimum, and when it must be looked for again. */
  updateMinRtt(sample: AckSample): void {
    const { now, rtt } = sample
    this.isProbeRttDue = now > this.probeRttStamp + PROBE_RTT_INTERVAL
    if (rtt >= 0 && (rtt < this.#probeRttMinimum - CLOCK_TICK || this.isProbeRttDue)) {
      this.#probeRttMinimum = rtt
      this.probeRttStamp = now
    }
    if (this.#probeRttMinimum < this.minRtt || now > this.#minRttStamp + MIN_RTT_FILTER) {
      this.minRtt = this.#probeRttMinimum
      this.#minRttStamp = this.probeRttStamp
    }
  }
}
