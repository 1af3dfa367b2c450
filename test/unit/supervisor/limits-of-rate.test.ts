import { describe, expect, it } from 'vitest'
import { CrashIntensity } from '../../../src/supervisor/crash-intensity.ts'
import { TokenBucket } from '../../../src/supervisor/token-bucket.ts'

describe('CrashIntensity', () => {
  it('tolerates `limit` crashes within the window, not one more', () => {
    const crashes = new CrashIntensity(3, 1_000)
    expect([0, 100, 200].map((time) => crashes.record(time))).toEqual([false, false, false])
    expect(crashes.record(999)).toBe(true)
  })

  it('forgets what is older than the window', () => {
    const crashes = new CrashIntensity(3, 1_000)
    const verdicts = [0, 400, 800, 1_000, 1_400, 1_800, 1_801].map((time) => crashes.record(time))
    expect(verdicts).toEqual([false, false, false, false, false, false, true])
  })

  it('with a limit of none, the first is too many', () => {
    expect(new CrashIntensity(0, 1_000).record(5)).toBe(true)
  })
})

describe('TokenBucket', () => {
  it('gives the burst, then the rate', () => {
    const bucket = new TokenBucket(10, 3)
    const taken = (now: number): number => {
      let count = 0
      while (bucket.take(now)) count++
      return count
    }
    expect([taken(0), taken(99), taken(100), taken(350), taken(100_000)]).toEqual([3, 0, 1, 2, 3])
  })

  it('a clock that stands still or steps back gives nothing', () => {
    const bucket = new TokenBucket(1_000, 1)
    expect([bucket.take(5), bucket.take(5), bucket.take(-1_000)]).toEqual([true, false, false])
  })
})
