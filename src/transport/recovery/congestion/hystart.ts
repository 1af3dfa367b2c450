// HyStart++ (draft-ietf-tcpm-hystartplusplus-04, section 4.2): leaves the first slow start when round-trip times grow,
// before the queue overflows. Growth is first slowed (conservative slow start) to see whether the growth of the
// round-trip time was real. Used by NewReno and CUBIC.
//
//   slow start --[min RTT of this round >= last round's + threshold]--> CSS --[5 rounds]--> congestion avoidance
//        ^------------------[min RTT falls below the baseline]-----------'
import type { AckSample } from './ack-sample.ts'

// Section 4.3, ms.
const MIN_RTT_THRESHOLD = 4
const MAX_RTT_THRESHOLD = 16
/** RTT samples that a round needs before it is judged. */
const RTT_SAMPLES = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class HyStart {
  /** In conservative slow start. */
  isConservative = false
  /** A round ends when a packet sent at or after this time is acknowledged, ms. */
  #roundStart = Number.NEGATIVE_INFINITY
  #lastMinimum = Number.POSITIVE_INFINITY
  #minimum = Number.POSITIVE_INFINITY
  #samples = 0
  #baseline = Number.POSITIVE_INFINITY
  #rounds = 0

  /** Window growth that `bytes` acknowledged allow in slow start. Pacing stands in for the limit L. */
  growth(bytes: number): number {
    return this.isConservative ? bytes / CSS_GROWTH_DIVISOR : bytes
  }

  /**
   * Takes an ACK during the first slow start.
   * @returns true when slow start is over: the threshold becomes the window
   */
  onAck(sample: AckSample): boolean {
    const endsRound = sample.newestSent >= this.#roundStart
    if (sample.rtt >= 0) {
      this.#minimum = Math.min(this.#minimum, sample.rtt)
      this.#samples++
    }
    if (this.#samples >= RTT_SAMPLES) this.#judge()
    if (!endsRound || sample.newestSent < 0) return false
    const isOver = this.isConservative && ++this.#rounds >= CSS_ROUNDS
    this.#roundStart = sample.now
    this.#lastMinimum = this.#minimum
    this.#minimum = Number.POSITIVE_INFINITY
    this.#samples = 0
    return isOver
  }

  #judge(): void {
    if (this.isConservative) {
      if (this.#minimum >= this.#baseline) return
      this.isConservative = false
      this.#baseline = Number.POSITIVE_INFINITY
      return
    }
    if (this.#lastMinimum === Number.POSITIVE_INFINITY) return
    const threshold = Math.min(Math.max(this.#lastMinimum / 8, MIN_RTT_THRESHOLD), MAX_RTT_THRESHOLD)
    if (this.#minimum < this.#lastMinimum + threshold) return
    this.#baseline = this.#minimum
    this.isConservative = true
    this.#rounds = 0
  }
}
