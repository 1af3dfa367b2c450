// Spreads packets over the round trip: a token bucket (RFC 9002 section 7.7). Used by LossRecovery.
import type { CongestionController } from './congestion/controller.ts'
import { BURST_PACKETS } from './limits.ts'
import type { RttEstimator } from './rtt.ts'

// The N of RFC 9002 section 7.7. Slow start doubles per round trip, so it must not be held back to 1.25.
const GAIN_SLOW_START = 2
const GAIN_AVOIDANCE = 1.25

// A timer may be this late, ms; what could have been sent meanwhile may follow at once.
const TIMER_SLACK = 2

// Rounding in the refill must not leave a due packet short of a fraction of a byte.
const TOLERANCE = 0.5

export class Pacer {
  private tokens: number
  private updated = Number.NEGATIVE_INFINITY
  private maxDatagramSize: number

  /** @param maxDatagramSize bytes */
  constructor(maxDatagramSize: number) {
    this.maxDatagramSize = maxDatagramSize
    this.tokens = BURST_PACKETS * maxDatagramSize
  }

  setMaxDatagramSize(bytes: number): void {
    this.maxDatagramSize = bytes
  }

  /**
   * Bytes that may leave now.
   * @param now ms
   */
  allowance(now: number, congestion: CongestionController, rtt: RttEstimator): number {
    const rate = pacingRate(congestion, rtt)
    const burst = Math.max(BURST_PACKETS * this.maxDatagramSize, rate * TIMER_SLACK)
    const refill = this.updated === Number.NEGATIVE_INFINITY ? 0 : (now - this.updated) * rate
    if (refill > 0) this.tokens = Math.min(burst, this.tokens + refill)
    if (now > this.updated) this.updated = now
    return this.tokens
  }

  isAllowed(bytes: number, now: number, congestion: CongestionController, rtt: RttEstimator): boolean {
    return this.allowance(now, congestion, rtt) + TOLERANCE >= bytes
  }

  /** When `bytes` may leave, ms; `now` when at once. */
  nextTime(bytes: number, now: number, congestion: CongestionController, rtt: RttEstimator): number {
    const missing = bytes - this.allowance(now, congestion, rtt)
    return missing <= TOLERANCE ? now : now + missing / pacingRate(congestion, rtt)
  }

  /** Packets that are exempt (probes) may overdraw by one burst at most. */
  onPacketSent(bytes: number, now: number): void {
    if (this.updated === Number.NEGATIVE_INFINITY) this.updated = now
    this.tokens = Math.max(this.tokens - bytes, -BURST_PACKETS * this.maxDatagramSize)
  }
}

// Bytes per ms.
function pacingRate(congestion: CongestionController, rtt: RttEstimator): number {
  if (congestion.pacingRate > 0) return congestion.pacingRate
  const gain = congestion.isInSlowStart ? GAIN_SLOW_START : GAIN_AVOIDANCE
  return (gain * congestion.window) / Math.max(rtt.smoothed, 0.01)
}
