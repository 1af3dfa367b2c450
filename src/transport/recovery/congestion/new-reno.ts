// NewReno as RFC 9002 section 7 and appendix B describe it.
import type { RttEstimator } from '../rtt.ts'
import { type CongestionController, initialWindow, minimumWindow } from './controller.ts'

// kLossReductionFactor.
const REDUCTION = 0.5

export class NewReno implements CongestionController {
  readonly name = 'newReno'
  window: number
  ssthresh = Number.POSITIVE_INFINITY
  private maxDatagramSize: number
  private recoveryStart = Number.NEGATIVE_INFINITY

  /** @param maxDatagramSize bytes */
  constructor(maxDatagramSize: number) {
    this.maxDatagramSize = maxDatagramSize
    this.window = initialWindow(maxDatagramSize)
  }

  get isInSlowStart(): boolean {
    return this.window < this.ssthresh
  }

  onPacketSent(_bytes: number, _now: number): void {}

  onAcked(bytes: number, timeSent: number, _now: number, _rtt: RttEstimator, isUtilised: boolean): void {
    if (!isUtilised || timeSent <= this.recoveryStart) return
    if (this.isInSlowStart) this.window += bytes
    else this.window += (this.maxDatagramSize * bytes) / this.window
  }

  onCongestionEvent(timeSent: number, now: number): boolean {
    if (timeSent <= this.recoveryStart) return false
    this.recoveryStart = now
    this.ssthresh = this.window * REDUCTION
    this.window = Math.max(this.ssthresh, minimumWindow(this.maxDatagramSize))
    return true
  }

  onPersistentCongestion(_now: number): void {
    this.window = minimumWindow(this.maxDatagramSize)
    this.recoveryStart = Number.NEGATIVE_INFINITY
  }

  setMaxDatagramSize(bytes: number): void {
    // RFC 9002 section 7.2: a smaller size restarts with the initial window of that size.
    if (bytes < this.maxDatagramSize) this.window = Math.min(this.window, initialWindow(bytes))
    else if (this.window === initialWindow(this.maxDatagramSize)) this.window = initialWindow(bytes)
    this.maxDatagramSize = bytes
  }
}
