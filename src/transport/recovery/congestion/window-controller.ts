// What NewReno and CUBIC have in common: the window itself, slow start with HyStart++, recovery periods, and what a
// change of the datagram size does to them (RFC 9002 section 7 and appendix B). How the window grows after slow start,
// and how far it falls, is theirs.
import type { RttEstimator } from '../rtt.ts'
import type { AckSample } from './ack-sample.ts'
import { type CongestionController, initialWindow, minimumWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

export abstract class WindowController implements CongestionController {
  abstract readonly name: string
  window: number
  ssthresh = Number.POSITIVE_INFINITY
  /** The pacer derives the rate from the window. */
  readonly pacingRate = 0
  protected maxDatagramSize: number
  #recoveryStart = Number.NEGATIVE_INFINITY
  readonly #hystart = new HyStart()

  /** @param maxDatagramSize bytes */
  constructor(maxDatagramSize: number) {
    this.maxDatagramSize = maxDatagramSize
    this.window = initialWindow(maxDatagramSize)
  }

  /** Acknowledged in congestion avoidance. `isUtilised` as in onAcked. */
  protected abstract grow(bytes: number, now: number, rtt: RttEstimator, isUtilised: boolean): void

  /** A recovery period begins: sets threshold and window. */
  protected abstract reduce(): void

  get isInSlowStart(): boolean {
    return this.window < this.ssthresh
  }

  get phase(): string {
    if (!this.isInSlowStart) return 'congestionAvoidance'
    return this.#hystart.isConservative && this.#isFirstSlowStart ? 'conservativeSlowStart' : 'slowStart'
  }

  // HyStart++ section 4.3: only the slow start before the first loss, whose threshold is unknown, needs it.
  get #isFirstSlowStart(): boolean {
    return this.ssthresh === Number.POSITIVE_INFINITY
  }

  onPacketSent(): void {}

  onPacketLost(): void {}

  onAckEnd(sample: AckSample): void {
    if (this.#isFirstSlowStart && this.#hystart.onAck(sample)) this.ssthresh = this.window
  }

  onAcked(bytes: number, timeSent: number, now: number, rtt: RttEstimator, isUtilised: boolean): void {
    if (timeSent <= this.#recoveryStart) return
    if (isUtilised && this.isInSlowStart) {
      this.window += this.#isFirstSlowStart ? this.#hystart.growth(bytes) : bytes
    } else this.grow(bytes, now, rtt, isUtilised)
  }

  onCongestionEvent(timeSent: number, now: number): boolean {
    if (timeSent <= this.#recoveryStart) return false
    this.#recoveryStart = now
    this.reduce()
    return true
  }

  onPersistentCongestion(_now: number): void {
    this.window = minimumWindow(this.maxDatagramSize)
    this.#recoveryStart = Number.NEGATIVE_INFINITY
  }

  setMaxDatagramSize(bytes: number): void {
    // RFC 9002 section 7.2: a smaller size restarts with the initial window of that size.
    if (bytes < this.maxDatagramSize) this.window = Math.min(this.window, initialWindow(bytes))
    else if (this.window === initialWindow(this.maxDatagramSize)) this.window = initialWindow(bytes)
    this.maxDatagramSize = bytes
  }
}
