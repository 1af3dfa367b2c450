// HyStart++ (draft-ietf-tcpm-hystartplusplus-04): alone, and inside the two controllers that use it.
import { describe, expect, it } from 'vitest'
import {
  AckSample,
  type Cubic,
  createCongestionController,
  HyStart,
  RttEstimator,
} from '../../../../src/transport/recovery/index.ts'

/** Feeds rounds of samples: a round has `count` ACKs, each of a packet sent since the round began. */
class Rounds {
  now = 0
  readonly sample = new AckSample()
  readonly take: (sample: AckSample) => unknown

  constructor(take: (sample: AckSample) => unknown) {
    this.take = take
  }

  /** Returns what the last ACK of the round, which ends it, gave. */
  round(rtt: number, count = 10): unknown {
    let result: unknown
    const sentFrom = this.now
    this.now += rtt
    for (let i = 0; i < count; i++) {
      this.sample.begin(this.now, 0)
      this.sample.rtt = rtt
      this.sample.newestSent = i === count - 1 ? sentFrom : sentFrom - 1
      result = this.take(this.sample)
    }
    return result
  }
}

describe('HyStart++ section 4.2', () => {
  it('goes on while round-trip times stay, and slows down when they grow by an eighth', () => {
    const hystart = new HyStart()
    const rounds = new Rounds((sample) => hystart.onAck(sample))
    for (let i = 0; i < 5; i++) expect(rounds.round(80)).toBe(false)
    rounds.round(89)
    expect(hystart.isConservative).toBe(false)
    rounds.round(101)
    expect(hystart.isConservative).toBe(true)
    expect(hystart.growth(1200)).toBe(300)
  })

  it('the threshold is an eighth of the round-trip time, at least 4 and at most 16 ms (section 4.3)', () => {
    for (const [base, below, above] of [
      [10, 13.9, 14],
      [80, 89.9, 90],
      [400, 415.9, 416],
    ]) {
      for (const [next, isOver] of [
        [below, false],
        [above, true],
      ] as const) {
        const hystart = new HyStart()
        const rounds = new Rounds((sample) => hystart.onAck(sample))
        rounds.round(base)
        rounds.round(base)
        rounds.round(next)
        expect(hystart.isConservative, `${base} to ${next}`).toBe(isOver)
      }
    }
  })

  it('a round with fewer than eight samples decides nothing', () => {
    const hystart = new HyStart()
    const rounds = new Rounds((sample) => hystart.onAck(sample))
    rounds.round(50)
    rounds.round(500, 7)
    expect(hystart.isConservative).toBe(false)
  })

  it('a spurious exit is taken back when the round-trip time falls below the baseline', () => {
    const hystart = new HyStart()
    const rounds = new Rounds((sample) => hystart.onAck(sample))
    rounds.round(50)
    rounds.round(50)
    rounds.round(80)
    expect(hystart.isConservative).toBe(true)
    rounds.round(50)
    expect(hystart.isConservative).toBe(false)
    expect(hystart.growth(1200)).toBe(1200)
  })

  it('conservative slow start ends after five rounds, the one it began in included', () => {
    const hystart = new HyStart()
    const rounds = new Rounds((sample) => hystart.onAck(sample))
    rounds.round(50)
    rounds.round(50)
    const ends = [90, 90, 90, 90, 90].map((rtt) => rounds.round(rtt))
    expect(ends).toEqual([false, false, false, false, true])
  })
})

describe.each(['cubic', 'newReno'] as const)('%s with HyStart++', (name) => {
  const rtt = new RttEstimator()
  rtt.update(50, 0, 0)

  function controllerWithRounds() {
    const controller = createCongestionController(name, 1200) as Cubic
    const rounds = new Rounds((sample) => {
      if (controller.isInSlowStart) controller.onAcked(1200, sample.newestSent, sample.now, rtt, true)
      controller.onAckEnd(sample)
    })
    return { controller, rounds }
  }

  it('grows by a quarter in conservative slow start, then sets the threshold to the window', () => {
    const { controller, rounds } = controllerWithRounds()
    rounds.round(50)
    rounds.round(50)
    expect(controller.phase).toBe('slowStart')
    rounds.round(90)
    expect(controller.phase).toBe('conservativeSlowStart')
    const before = controller.window
    rounds.round(90)
    expect(controller.window).toBeCloseTo(before + 10 * 300, 6)
    for (let i = 0; i < 4; i++) rounds.round(90)
    expect(controller.ssthresh).toBe(controller.window)
    expect(controller.phase).toBe('congestionAvoidance')
  })

  it('a loss ends it, and later slow starts are the plain ones (section 4.3)', () => {
    const { controller, rounds } = controllerWithRounds()
    rounds.round(50)
    controller.onCongestionEvent(1_000, 1_001)
    expect(controller.phase).toBe('congestionAvoidance')
    controller.onPersistentCongestion(1_002)
    expect(controller.phase).toBe('slowStart')
    const before = controller.window
    controller.onAcked(1200, 2_000, 2_050, rtt, true)
    expect(controller.window).toBe(before + 1200)
  })
})
