// Limits how often something may happen. Used by stateless-responder.ts.

export class TokenBucket {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #refilledAt = Number.NEGATIVE_INFINITY

  /**
   * @param rate tokens that come back per second
   * @param burst most tokens at a time
   */
  constructor(rate: number, burst: number) {
    this.#rate = rate
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes a token at `now` (ms); false = none left. */
  take(now: number): boolean {
    const elapsed = now - this.#refilledAt
    if (elapsed > 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#rate) / 1_000)
      this.#refilledAt = now
    }
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
