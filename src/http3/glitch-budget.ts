// A budget for traffic that is legal but useless: empty and unknown frames, requests that are reset or malformed,
// streams of unknown types. It has no clock; useful work and the owner's sweep refill it.
// One per connection, charged by its streams.

import { connectionError, H3ErrorCode } from './errors.ts'
import { GLITCH_BUDGET } from './limits.ts'

/** Points of one connection. */
export class GlitchBudget {
  /** Points left. */
  points = GLITCH_BUDGET

  /**
   * Takes points.
   * @throws H3Error H3_EXCESSIVE_LOAD (connection) when none are left
   */
  charge(points: number): void {
    this.points -= points
    if (this.points < 0) {
      throw connectionError(H3ErrorCode.H3_EXCESSIVE_LOAD, 'too much traffic without use')
    }
  }

  /** Gives points back, never above the full budget. */
  refund(points: number): void {
    this.points = Math.min(GLITCH_BUDGET, this.points + points)
  }
}
