// BBR's states and parameters (draft-cardwell-iccrg-bbr-congestion-control-02).
import { describe, expect, it } from 'vitest'
import { Bbr, createCongestionController } from '../../../../src/transport/recovery/index.ts'
import { Bottleneck, type Flow } from './bottleneck.ts'

const PATH = { rate: 2_500, delay: 25, queue: 500_000 }

/** Phases in the order in which they were seen, every `step` ms. */
function phases(path: Bottleneck, flow: Flow, time: number, step = 5): string[] {
  const seen: string[] = []
  for (let passed = 0; passed < time; passed += step) {
    path.run(step)
    if (seen.at(-1) !== flow.congestion.phase) seen.push(flow.congestion.phase)
  }
  return seen
}

function bbr(flow: Flow): Bbr {
  return flow.congestion as Bbr
}

describe('states, section 4.3', () => {
  it('Startup, Drain, then the cycle of ProbeBW, with ProbeRTT every five seconds', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    const seen = phases(path, flow, 12_000)
    // Drain has emptied the queue already: ProbeBW_DOWN is over with the ACK that begins it.
    expect(seen.slice(0, 3)).toEqual(['startup', 'drain', 'probeBwCruise'])
    const refill = seen.indexOf('probeBwRefill')
    expect(seen.slice(refill, refill + 4)).toEqual([
      'probeBwRefill',
      'probeBwUp',
      'probeBwDown',
      'probeBwCruise',
    ])
    expect(seen).toContain('probeRtt')
    expect(seen[seen.indexOf('probeRtt') + 1]).toBe('probeBwCruise')
  })

  it('Startup doubles each round trip and measures the rate and the delay of the path', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    path.run(1_500)
    expect(flow.congestion.isInSlowStart).toBe(false)
    expect(bbr(flow).model.maxBandwidth / PATH.rate).toBeGreaterThan(0.95)
    expect(bbr(flow).model.maxBandwidth / PATH.rate).toBeLessThan(1.1)
    expect(bbr(flow).model.minRtt).toBeCloseTo(50, -1)
  })

  it('ProbeRTT halves what is in flight for at least 200 ms (section 4.3.4)', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    while (flow.congestion.phase !== 'probeRtt') path.run(5)
    const start = path.now
    const product = bbr(flow).model.bandwidth * bbr(flow).model.minRtt
    expect(flow.congestion.window).toBeLessThanOrEqual(0.51 * product)
    while (flow.congestion.phase === 'probeRtt') path.run(5)
    expect(path.now - start).toBeGreaterThan(200)
    expect(path.now - start).toBeLessThan(400)
  })
})

describe('the model, section 4.5', () => {
  it('rates of a sender with too little data do not lower the estimate', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    path.run(2_000)
    const before = bbr(flow).model.maxBandwidth
    flow.supply = (flow.sent + 100_000) / 2_000
    path.run(1_000)
    expect(bbr(flow).model.maxBandwidth).toBeGreaterThan(0.95 * before)
  })

  it('a path that has become slower is noticed within two cycles', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    path.run(3_000)
    path.options.rate = 500
    path.run(10_000)
    expect(bbr(flow).model.maxBandwidth / 500).toBeLessThan(1.3)
    path.options.rate = 2_500
    path.run(10_000)
    expect(path.measure(5_000)).toBeGreaterThan(0.85)
  })

  it('a queue that overflows during a probe sets inflight_hi, with headroom while cruising', () => {
    const path = new Bottleneck({ ...PATH, queue: 30_000 })
    const flow = path.add('bbr')
    path.run(8_000)
    const { limit } = bbr(flow).upper
    expect(limit).toBeLessThan(250_000)
    while (flow.congestion.phase !== 'probeBwCruise') path.run(5)
    expect(flow.congestion.window).toBeLessThanOrEqual(0.86 * bbr(flow).upper.limit)
    expect(path.measure(5_000)).toBeGreaterThan(0.8)
  })
})

describe('control parameters, section 4.6', () => {
  it('paces at the gain times the estimate, one percent below', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    while (flow.congestion.phase !== 'probeBwUp') path.run(1)
    path.run(5)
    expect(flow.congestion.pacingRate).toBeCloseTo(1.25 * 0.99 * bbr(flow).model.bandwidth, 6)
  })

  it('an ECN mark lowers the bandwidth of the model when nothing probes', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    while (flow.congestion.phase !== 'probeBwCruise') path.run(5)
    const before = bbr(flow).model.bandwidth
    flow.congestion.onCongestionEvent(path.now, path.now, true)
    path.run(110)
    expect(bbr(flow).model.bandwidthLow).toBeLessThanOrEqual(before)
    expect(bbr(flow).model.inflightLow).toBeLessThan(Number.POSITIVE_INFINITY)
  })

  it('one recovery period reacts once; persistent congestion leaves two datagrams', () => {
    const controller = createCongestionController('bbr', 1_200)
    expect(controller.onCongestionEvent(10, 20)).toBe(true)
    expect(controller.onCongestionEvent(20, 30)).toBe(false)
    controller.onPersistentCongestion(40)
    expect(controller.window).toBe(2_400)
  })

  it('follows the datagram size until it has measured something', () => {
    const controller = new Bbr(1_200)
    expect(controller.window).toBe(12_000)
    controller.setMaxDatagramSize(1_452)
    expect(controller.window).toBe(14_520)
  })

  it('after idling it starts at the estimated rate, not with a burst (section 4.4)', () => {
    const path = new Bottleneck(PATH)
    const flow = path.add('bbr')
    path.run(2_000)
    flow.supply = flow.sent / 1e9
    path.run(1_000)
    expect(flow.recovery.bytesInFlight).toBe(0)
    flow.supply = Number.POSITIVE_INFINITY
    path.run(1)
    expect(flow.congestion.pacingRate).toBeCloseTo(0.99 * bbr(flow).model.bandwidth, 6)
    expect(flow.recovery.bytesInFlight).toBeLessThan(20_000)
  })
})
