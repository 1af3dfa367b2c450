// Latencies of a load run in buckets of constant relative width (log-linear, under 2 % error), so that a
// million samples cost a few kilobytes and no sorting. Used by the bench command and bench/.

/** Steps per doubling: 2^(1/32) is 2.2 % wide, so the middle of a bucket is within 1.1 %. */
const STEPS = 32
/** Smallest value told apart, ms. */
const FLOOR = 0.001
/** 2^30 x 1 us is about 18 minutes: later ones share the last bucket. */
const DOUBLINGS = 30

/** What is printed of a distribution, all in ms. */
export interface LatencySummary {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export class LatencyHistogram {
  count = 0
  readonly #buckets = new Float64Array(DOUBLINGS * STEPS + 1)
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  /** @param latency ms */
  add(latency: number): void {
    this.count++
    this.#sum += latency
    if (latency < this.#min) this.#min = latency
    if (latency > this.#max) this.#max = latency
    const index = latency <= FLOOR ? 0 : Math.ceil(Math.log2(latency / FLOOR) * STEPS)
    this.#buckets[Math.min(index, this.#buckets.length - 1)]!++
  }

  /** The latency that `share` (0 to 1) of the samples do not exceed, ms; 0 when there are none. */
  quantile(share: number): number {
    if (this.count === 0) return 0
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (let index = 0; index < this.#buckets.length; index++) {
      seen += this.#buckets[index]!
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, middleOf(index)))
    }
    return this.#max
  }

  summary(): LatencySummary {
    const { count } = this
    return {
      count,
      min: count === 0 ? 0 : this.#min,
      mean: count === 0 ? 0 : this.#sum / count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.#max,
    }
  }

  /** Lines of a bar chart, one per doubling that holds samples: `  0.51 ms  ######  1234`. */
  chart(width = 40): string[] {
    const totals = new Map<number, number>()
    this.#buckets.forEach((samples, index) => {
      if (samples === 0) return
      const doubling = Math.ceil(index / STEPS)
      totals.set(doubling, (totals.get(doubling) ?? 0) + samples)
    })
    const peak = Math.max(1, ...totals.values())
    return [...totals].map(([doubling, samples]) => {
      const limit = (FLOOR * 2 ** doubling).toFixed(doubling < 14 ? 3 : 0)
      return `  <= ${limit.padStart(9)} ms  ${'#'.repeat(Math.ceil((samples / peak) * width)).padEnd(width)}  ${samples}`
    })
  }
}

function middleOf(index: number): number {
  return FLOOR * 2 ** ((index - 0.5) / STEPS)
}
