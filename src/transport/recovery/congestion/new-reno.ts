// NewReno as RFC 9002 section 7 and appendix B describe it.
import type { RttEstimator } from '../rtt.ts'
import type { AckSample } from './ack-sample.ts'
import { type CongestionController, initialWindow, minimumWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

// kLossReductionFactor.
const REDUCTION = 0.5

export class NewReno implements CongestionController {
  readonly name = 'newReno'
  window: number
  ssthresh = Number.POSITIVE_INFINITY
  /** The pacer derives the rate from the window. */
  readonly pacingRate = 0
  private maxDatagramSize: number
  private recoveryStart = Number.NEGATIVE_INFINITY
  private readonly hystart = new HyStart()

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

  onAcked(bytes: number, timeSent: number, _now: number, _rtt: RttEstimator, isUtilised: boolean): void {
    if (!isUtilised || timeSent <= this.recoveryStart) return
    if (this.isInSlowStart) this.window += this.isFirstSlowStart ? this.hystart.growth(bytes) : bytes
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
