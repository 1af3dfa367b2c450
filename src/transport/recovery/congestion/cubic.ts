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
import { minimumWindow } from './controller.ts'
import { WindowController } from './window-controller.ts'

const BETA = 0.7
// Segments per second cubed.
const C = 0.4
// Section 4.3: makes the Reno-friendly window grow as Reno with a factor of 0.7 on average would.
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)

export class Cubic extends WindowController {
  readonly name = 'cubic'
  // Start of this stretch of congestion avoidance, ms; -1 before its first acknowledgement.
  #epochStart = -1
  // Bytes: window before the last reduction, lowered by fast convergence.
  #wMax = 0
  // Bytes: window when the last reduction happened.
  #priorWindow = 0
  // Seconds from the start of the epoch until the window is wMax again.
  #k = 0
  // Bytes: the window that Reno would have.
  #wEst = 0
  // After persistent congestion the next epoch begins at its own plateau (section 4.8).
  #startsAtPlateau = false

  protected override grow(bytes: number, now: number, rtt: RttEstimator, isUtilised: boolean): void {
    if (!isUtilised) {
      // Section 5.8: time during which the window was not used must not count for its growth.
      this.#epochStart = -1
      return
    }
    if (this.#epochStart < 0) this.#beginEpoch(now)
    this.#avoid(bytes, (now - this.#epochStart) / 1000, rtt.smoothed / 1000)
  }

  #beginEpoch(now: number): void {
    this.#epochStart = now
    this.#wEst = this.window
    if (this.#startsAtPlateau || this.window >= this.#wMax) {
      this.#wMax = this.window
      this.#k = 0
      this.#startsAtPlateau = false
      return
    }
    this.#k = Math.cbrt((this.#wMax - this.window) / this.maxDatagramSize / C)
  }

  /**
   * Congestion avoidance of sections 4.2 to 4.5.
   * @param elapsed seconds since the epoch began
   * @param rtt seconds
   */
  #avoid(bytes: number, elapsed: number, rtt: number): void {
    // Section 4.3: at the height of the last reduction the Reno window grows as Reno itself does.
    const alpha = this.#wEst >= this.#priorWindow ? 1 : ALPHA
    this.#wEst += (alpha * this.maxDatagramSize * bytes) / this.window
    if (this.#cubicWindow(elapsed) < this.#wEst) {
      this.window = Math.max(this.window, this.#wEst)
      return
    }
    const ahead = this.#cubicWindow(elapsed + rtt)
    const target = Math.min(Math.max(ahead, this.window), 1.5 * this.window)
    this.window += ((target - this.window) * bytes) / this.window
  }

  // Equation 1, in bytes.
  #cubicWindow(elapsed: number): number {
    return C * (elapsed - this.#k) ** 3 * this.maxDatagramSize + this.#wMax
  }

  protected override reduce(): void {
    this.#epochStart = -1
    this.#startsAtPlateau = false
    // Section 4.7: a flow that did not reach its old plateau leaves room for others.
    this.#wMax = this.window < this.#wMax ? (this.window * (1 + BETA)) / 2 : this.window
    this.#priorWindow = this.window
    this.ssthresh = Math.max(this.window * BETA, minimumWindow(this.maxDatagramSize))
    this.window = this.ssthresh
  }

  override onPersistentCongestion(now: number): void {
    super.onPersistentCongestion(now)
    this.#epochStart = -1
    this.#startsAtPlateau = true
  }
}
