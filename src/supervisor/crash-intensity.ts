// How many crashes within a window are one connection's bad luck, and from when on they are its end: the restart
// intensity of a supervision tree, for children that are never restarted. Used by connection-supervisor.ts.

/** Remembers the times of the latest crashes in a ring of `limit` places. */
export class CrashIntensity {
  readonly #times: Float64Array
  readonly #window: number
  #next = 0

  /**
   * @param limit crashes within the window that are tolerated
   * @param window ms
   */
  constructor(limit: number, window: number) {
    this.#times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY)
    this.#window = window
  }

  /** Notes a crash at `now` (ms). True when it is one more than is tolerated within the window. */
  record(now: number): boolean {
    if (this.#times.length === 0) return true
    const oldest = this.#times[this.#next]!
    this.#times[this.#next] = now
    this.#next = (this.#next + 1) % this.#times.length
    return now - oldest < this.#window
  }
}
