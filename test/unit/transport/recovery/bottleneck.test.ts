// The congestion controllers on a path: utilisation, fairness, random loss, a blackhole (RFC 9002 section 7,
// RFC 9438, draft-cardwell-iccrg-bbr-congestion-control).
import { describe, expect, it } from 'vitest'
import { Bottleneck } from './bottleneck.ts'

/** 20 Mbit/s and 50 ms: 125,000 bytes fit on the path. */
const PATH = { rate: 2_500, delay: 25, queue: 125_000 }
const CONTROLLERS = ['newReno', 'cubic', 'bbr'] as const

describe.each(CONTROLLERS)('%s over 20 Mbit/s at 50 ms', (name) => {
  it('uses at least 80 % of the path during ten seconds, slow start included', () => {
    for (const queue of [62_500, 125_000, 500_000]) {
      const path = new Bottleneck({ ...PATH, queue })
      path.add(name)
      expect(path.measure(10_000), `queue of ${queue}`).toBeGreaterThan(0.9)
    }
  })

  it('two flows, one of them late, use the path together and leave each other a share', () => {
    const path = new Bottleneck(PATH)
    const early = path.add(name)
    const late = path.add(name, 2_000)
    path.run(10_000)
    const before = { early: early.delivered, late: late.delivered }
    expect(path.measure(30_000)).toBeGreaterThan(0.95)
    const share =
      (late.delivered - before.late) / (late.delivered - before.late + early.delivered - before.early)
    expect(share).toBeGreaterThan(0.25)
    expect(share).toBeLessThan(0.6)
  })

  it('comes back after a blackhole of three seconds and fills the path again', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add(name)
    path.run(5_000)
    path.isBlackhole = true
    path.run(3_000)
    expect(flow.recovery.counters.ptos).toBeGreaterThan(2)
    path.isBlackhole = false
    path.run(5_000)
    expect(flow.recovery.counters.persistentCongestion).toBe(1)
    expect(path.measure(5_000)).toBeGreaterThan(0.8)
  })

  it('an application with little to send gets it through, and does not inflate the window meanwhile', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add(name)
    flow.supply = 250
    expect(path.measure(10_000)).toBeGreaterThan(0.095)
    expect(flow.congestion.window).toBeLessThan(125_000)
  })
})

describe('loss at random, which is no congestion', () => {
  it.each([
    [0.01, 0.9],
    [0.02, 0.8],
  ])('BBR keeps a loss rate of %d from costing the path', (loss, least) => {
    for (const seed of [1, 2, 3]) {
      const path = new Bottleneck({ ...PATH, loss, seed })
      path.add('bbr')
      expect(path.measure(20_000), `seed ${seed}`).toBeGreaterThan(least)
    }
  })

  it('CUBIC and NewReno get what theory leaves them: less than a third', () => {
    for (const name of ['cubic', 'newReno'] as const) {
      const path = new Bottleneck({ ...PATH, loss: 0.01 })
      path.add(name)
      expect(path.measure(20_000)).toBeLessThan(0.33)
    }
  })
})

describe('queues', () => {
  it('BBR leaves a deep queue nearly empty where CUBIC fills it', () => {
    const queued = (name: 'bbr' | 'cubic') => {
      const path = new Bottleneck({ ...PATH, queue: 1_000_000 })
      path.add(name)
      path.run(8_000)
      let sum = 0
      for (let i = 0; i < 200; i++) {
        path.run(20)
        sum += path.queued
      }
      return sum / 200
    }
    expect(queued('bbr')).toBeLessThan(30_000)
    expect(queued('cubic')).toBeGreaterThan(150_000)
  })

  it('HyStart++ leaves the first slow start before a deep queue overflows', () => {
    for (const name of ['cubic', 'newReno'] as const) {
      // The five rounds of conservative slow start triple the window that was found.
      const path = new Bottleneck({ ...PATH, queue: 1_500_000 })
      const flow = path.add(name)
      path.run(2_500)
      expect(flow.congestion.phase).toBe('congestionAvoidance')
      expect(path.dropped).toBe(0)
    }
  })
})
