// NewReno as RFC 9002 section 7 and appendix B describe it.
import type { RttEstimator } from '../rtt.ts'
import { minimumWindow } from './controller.ts'
import { WindowController } from './window-controller.ts'

// kLossReductionFactor.
const REDUCTION = 0.5

export class NewReno extends WindowController {
  readonly name = 'newReno'

  protected override grow(bytes: number, _now: number, _rtt: RttEstimator, isUtilised: boolean): void {
    if (isUtilised) this.window += (this.maxDatagramSize * bytes) / this.window
  }

  protected override reduce(): void {
    this.ssthresh = this.window * REDUCTION
    this.window = Math.max(this.ssthresh, minimumWindow(this.maxDatagramSize))
  }
}
