// Round-trip time estimate (RFC 9002 section 5 and appendix A.7). Fed by LossRecovery.
import { GRANULARITY, INITIAL_RTT } from './limits.ts'

/** All values in ms. */
export class RttEstimator {
  latest = 0
  smoothed: number
  variance: number
  min = 0
  hasSample = false
  /** When the first sample was taken; Infinity before. */
  firstSampleTime = Number.POSITIVE_INFINITY

  readonly #initial: number

  /** @param initial estimate before the first sample, ms */
  constructor(initial: number = INITIAL_RTT) {
    this.#initial = initial
    this.smoothed = initial
    this.variance = initial / 2
  }

  /**
   * Takes a sample.
   * @param latest time from sending to acknowledgement, ms
   * @param ackDelay delay at the peer, already limited by the rules of RFC 9002 section 5.3, ms
   */
  update(latest: number, ackDelay: number, now: number): void {
    this.latest = latest
    if (!this.hasSample) {
      this.hasSample = true
      this.firstSampleTime = now
      this.min = latest
      this.smoothed = latest
      this.variance = latest / 2
      return
    }
    if (latest < this.min) this.min = latest
    // RFC 9002 section 5.3: the delay is not subtracted where the result would be smaller than min_rtt.
    const adjusted = latest >= this.min + ackDelay ? latest - ackDelay : latest
    this.variance = (3 * this.variance + Math.abs(this.smoothed - adjusted)) / 4
    this.smoothed = (7 * this.smoothed + adjusted) / 8
  }

  /** Another path: nothing is known (RFC 9000 section 9.4). */
  reset(): void {
    this.smoothed = this.#initial
    this.variance = this.#initial / 2
    this.latest = 0
    this.min = 0
    this.hasSample = false
    this.firstSampleTime = Number.POSITIVE_INFINITY
  }

  /** Makes the newest sample the minimum (RFC 9002 section 5.2, after persistent congestion). */
  resetMinimum(): void {
    this.min = this.latest
  }

  /** smoothed_rtt + max(4 * rttvar, kGranularity): the probe timeout without peer delay and backoff. */
  get timeoutBase(): number {
    return this.smoothed + Math.max(4 * this.variance, GRANULARITY)
  }
}
