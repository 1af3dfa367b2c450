// CUBIC (RFC 9438; section numbers below are its numbers) on the events of RFC 9002 appendix B.
//
//     window
//       |                            /
//   wMax|- - - - - - -____-----____/      concave up to wMax, convex above
//       |        __---
//       |      /                          W_cubic(t) = C * (t - K)^3 + wMax
//       +-----+--------------+--------- t
//           epoch            K
import type { RttEstimator } from '../rtt.ts'
import type { AckSample } from './ack-sample.ts'
import { type CongestionController, initialWindow, minimumWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

const BETA = 0.7
// Segments per second cubed.
const C = 0.4
// Section 4.3: makes the Reno-friendly window grow as Reno with a factor of 0.7 on average would.
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)

export class Cubic implements CongestionController {
  readonly name = 'cubic'
  window: number
  ssthresh = Number.POSITIVE_INFINITY
  /** The pacer derives the rate from the window. */
  readonly pacingRate = 0
  private maxDatagramSize: number
  private recoveryStart = Number.NEGATIVE_INFINITY
  private readonly hystart = new HyStart()
  // Start of this stretch of congestion avoidance, ms; -1 before its first acknowledgement.
  private epochStart = -1
  // Bytes: window before the last reduction, lowered by fast convergence.
  private wMax = 0
  // Bytes: window when the last reduction happened.
  private priorWindow = 0
  // Seconds from the start of the epoch until the window is wMax again.
  private k = 0
  // Bytes: the window that Reno would have.
  private wEst = 0
  // After persistent congestion the next epoch begins at its own plateau (section 4.8).
  private startsAtPlateau = false

  /** @param maxDatagramSize bytes */
  constructor(maxDatagramSize: number) {
    this.maxDatagramSize = maxDatagramSize
    this.window = initialWindow(maxDatagramSize)
  }

  get isInSlowStart(): boolean {
    return this.window < this.ssthresh
  }

  get phase(): string {
    if (!this.isInSlowStart) return 'congestionAvoidance'
    return this.hystart.isConservative && this.isFirstSlowStart ? 'conservativeSlowStart' : 'slowStart'
  }

  // HyStart++ section 4.3: only the slow start before the first loss, whose threshold is unknown, needs it.
  private get isFirstSlowStart(): boolean {
    return this.ssthresh === Number.POSITIVE_INFINITY
  }

  onPacketSent(): void {}

  onPacketLost(): void {}

  onAckEnd(sample: AckSample): void {
    if (this.isFirstSlowStart && this.hystart.onAck(sample)) this.ssthresh = this.window
  }

  onAcked(bytes: number, timeSent: number, now: number, rtt: RttEstimator, isUtilised: boolean): void {
    if (timeSent <= this.recoveryStart) return
    if (!isUtilised) {
      // Section 5.8: time during which the window was not used must not count for its growth.
      this.epochStart = -1
      return
    }
    if (this.isInSlowStart) {
      this.window += this.isFirstSlowStart ? this.hystart.growth(bytes) : bytes
      return
    }
    if (this.epochStart < 0) this.beginEpoch(now)
    this.grow(bytes, (now - this.epochStart) / 1000, rtt.smoothed / 1000)
  }

  private beginEpoch(now: number): void {
    this.epochStart = now
    this.wEst = this.window
    if (this.startsAtPlateau || this.window >= this.wMax) {
      this.wMax = this.window
      this.k = 0
      this.startsAtPlateau = false
      return
    }
    this.k = Math.cbrt((this.wMax - this.window) / this.maxDatagramSize / C)
  }

  /**
   * Congestion avoidance of sections 4.2 to 4.5.
   * @param elapsed seconds since the epoch began
   * @param rtt seconds
   */
  private grow(bytes: number, elapsed: number, rtt: number): void {
    // Section 4.3: at the height of the last reduction the Reno window grows as Reno itself does.
    const alpha = this.wEst >= this.priorWindow ? 1 : ALPHA
    this.wEst += (alpha * this.maxDatagramSize * bytes) / this.window
    if (this.cubicWindow(elapsed) < this.wEst) {
      this.window = Math.max(this.window, this.wEst)
      return
    }
    const ahead = this.cubicWindow(elapsed + rtt)
    const target = Math.min(Math.max(ahead, this.window), 1.5 * this.window)
    this.window += ((target - this.window) * bytes) / this.window
  }

  // Equation 1, in bytes.
  private cubicWindow(elapsed: number): number {
    return C * (elapsed - this.k) ** 3 * this.maxDatagramSize + this.wMax
  }

  onCongestionEvent(timeSent: number, now: number): boolean {
    if (timeSent <= this.recoveryStart) return false
    this.recoveryStart = now
    this.epochStart = -1
    this.startsAtPlateau = false
    // Section 4.7: a flow that did not reach its old plateau leaves room for others.
    this.wMax = this.window < this.wMax ? (this.window * (1 + BETA)) / 2 : this.window
    this.priorWindow = this.window
    this.ssthresh = Math.max(this.window * BETA, minimumWindow(this.maxDatagramSize))
    this.window = this.ssthresh
    return true
  }

  onPersistentCongestion(_now: number): void {
    this.window = minimumWindow(this.maxDatagramSize)
    this.recoveryStart = Number.NEGATIVE_INFINITY
    this.epochStart = -1
    this.startsAtPlateau = true
  }

  setMaxDatagramSize(bytes: number): void {
    // RFC 9002 section 7.2: a smaller size restarts with the initial window of that size.
    if (bytes < this.maxDatagramSize) this.window = Math.min(this.window, initialWindow(bytes))
    else if (this.window === initialWindow(this.maxDatagramSize)) this.window = initialWindow(bytes)
    this.maxDatagramSize = bytes
  }
}
