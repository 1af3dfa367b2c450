// The latency histogram against exact order statistics of the same samples.
import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from '../../../src/cli/latency-histogram.ts'
import { Random } from '../../sim/random.ts'

describe('latency histogram', () => {
  it('keeps every quantile within 2 % of the exact one over six orders of magnitude', () => {
    const random = new Random(7)
    const histogram = new LatencyHistogram()
    const samples = Array.from({ length: 20_000 }, () => 0.002 * 2 ** (random.float() * 20))
    for (const sample of samples) histogram.add(sample)
    samples.sort((a, b) => a - b)
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
      const exact = samples[Math.max(1, Math.ceil(share * samples.length)) - 1]!
      expect(Math.abs(histogram.quantile(share) / exact - 1)).toBeLessThan(0.02)
    }
  })

  it('reports minimum, mean and maximum exactly and zeros when empty', () => {
    const histogram = new LatencyHistogram()
    expect(histogram.summary()).toEqual({
      count: 0,
      min: 0,
      mean: 0,
      p50: 0,
      p90: 0,
      p99: 0,
      p999: 0,
      max: 0,
    })
    for (const sample of [1, 2, 6]) histogram.add(sample)
    expect(histogram.summary()).toMatchObject({ count: 3, min: 1, mean: 3, max: 6 })
  })

  it('counts every sample in exactly one line of the chart, however extreme', () => {
    const histogram = new LatencyHistogram()
    for (const sample of [0, 0.0005, 0.4, 0.4, 17, 1e12]) histogram.add(sample)
    const total = histogram.chart().reduce((sum, line) => sum + Number(line.trim().split(/\s+/).at(-1)), 0)
    expect(total).toBe(6)
  })
})
