// How late the event loop is. Read by /status and /metrics of serve(); simulations have no event loop to measure.
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Between two samples, ms. The histogram records whole intervals, so this much is taken off again. */
const RESOLUTION = 10

/** Samples older than this no longer count, ms: the number answers "now", not "since the start". */
const WINDOW = 60_000

export class EventLoopLag {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>
  #since = performance.now()
  #previous = 0

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
    this.#histogram.enable()
  }

  /** 99th percentile of the last one to two minutes, ms. */
  p99(): number {
    const current = Math.max(0, this.#histogram.percentile(99) / 1e6 - RESOLUTION)
    const worst = Math.max(current, this.#previous)
    if (performance.now() - this.#since > WINDOW) {
      this.#previous = current
      this.#since = performance.now()
      this.#histogram.reset()
    }
    return Math.round(worst * 100) / 100
  }

  stop(): void {
    this.#histogram.disable()
  }
}
