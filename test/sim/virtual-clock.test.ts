// The simulator's own parts: what they promise is what makes a seed replayable.
import { describe, expect, it } from 'vitest'
import { PatternChecker, patternBytes } from './pattern.ts'
import { Random, seededEntropy } from './random.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('virtual clock', () => {
  it('runs timers in order of time, then of arming, and immediates before any time passes', () => {
    const clock = new VirtualClock(100)
    const ran: string[] = []
    clock.setTimer(120, () => ran.push(`b@${clock.now()}`))
    clock.setTimer(110, () => {
      ran.push(`a@${clock.now()}`)
      clock.immediate(() => ran.push(`immediate@${clock.now()}`))
      clock.setTimer(50, () => ran.push(`past@${clock.now()}`))
    })
    clock.setTimer(120, () => ran.push(`c@${clock.now()}`))
    while (clock.step());
    expect(ran).toEqual(['a@110', 'immediate@110', 'past@110', 'b@120', 'c@120'])
    expect(clock.armed).toBe(0)
  })

  it('agrees with a sorted list over many random timers, cleared ones included', () => {
    const random = new Random(3)
    const clock = new VirtualClock(0)
    const ran: number[] = []
    const timers = Array.from({ length: 2_000 }, (_, id) => {
      const at = random.below(500)
      return { id, at, handle: clock.setTimer(at, () => ran.push(id)) }
    })
    const cleared = new Set(timers.filter(() => random.chance(0.3)))
    for (const timer of cleared) clock.clearTimer(timer.handle)
    const left = timers.filter((timer) => !cleared.has(timer))
    expect(clock.armed).toBe(left.length)
    while (clock.step());
    expect(ran).toEqual(left.sort((a, b) => a.at - b.at || a.id - b.id).map((timer) => timer.id))
    expect(clock.nextDue()).toBe(Number.POSITIVE_INFINITY)
  })

  it('refuses a timer that is due at no time', () => {
    expect(() => new VirtualClock().setTimer(Number.NaN, () => {})).toThrow(RangeError)
  })
})

describe('seeded randomness', () => {
  it('repeats for a seed, differs between seeds, and forks do not depend on earlier draws', () => {
    const draw = (random: Random): number[] => Array.from({ length: 8 }, () => random.bits())
    expect(draw(new Random(5))).toEqual(draw(new Random(5)))
    expect(draw(new Random(5))).not.toEqual(draw(new Random(6)))
    const used = new Random(5)
    draw(used)
    expect(draw(used.fork('network'))).toEqual(draw(new Random(5).fork('network')))
    expect(draw(used.fork('network'))).not.toEqual(draw(used.fork('workload')))
  })

  it('is even enough: each of 16 buckets gets its share within 5 %', () => {
    const random = new Random(11)
    const buckets = new Array<number>(16).fill(0)
    for (let i = 0; i < 160_000; i++) buckets[random.below(16)]!++
    for (const count of buckets) expect(Math.abs(count / 10_000 - 1)).toBeLessThan(0.05)
  })

  it('fills every byte of an array of any length', () => {
    const entropy = seededEntropy(new Random(1))
    for (const length of [0, 1, 3, 4, 5, 31]) {
      const seen = new Set<number>()
      for (let round = 0; round < 64; round++) {
        const bytes = new Uint8Array(length)
        entropy.fill(bytes)
        if (length > 0) seen.add(bytes[length - 1]!)
      }
      expect(seen.size > 16 || length === 0).toBe(true)
    }
  })
})

describe('body patterns', () => {
  it('are the same however they are cut, across the end of the table', () => {
    const whole = patternBytes(77, 0, 200_000)
    const pieces = [patternBytes(77, 0, 1), patternBytes(77, 1, 65_530), patternBytes(77, 65_531, 134_469)]
    expect(Buffer.concat(pieces).equals(whole)).toBe(true)
    const checker = new PatternChecker(77)
    for (let at = 0; at < whole.length; at += 9_973) checker.add(whole.subarray(at, at + 9_973))
    expect(checker.verdict(200_000)).toBeUndefined()
    expect(checker.verdict(200_001)).toBe('200000 bytes instead of 200001')
  })

  it('show the first wrong byte, a repeated piece and a foreign body', () => {
    const wrong = patternBytes(5, 0, 3_000)
    wrong[2_345]! ^= 1
    const checker = new PatternChecker(5)
    checker.add(wrong.subarray(0, 2_000))
    checker.add(wrong.subarray(2_000))
    expect(checker.verdict(3_000)).toBe('byte 2345 differs')
    const repeated = new PatternChecker(5)
    repeated.add(patternBytes(5, 0, 100))
    repeated.add(patternBytes(5, 0, 100))
    expect(repeated.verdict(200)).toMatch(/^byte 1\d\d differs/)
    const foreign = new PatternChecker(6)
    foreign.add(patternBytes(5, 0, 100))
    expect(foreign.verdict(100)).toMatch(/^byte \d differs/)
  })
})
