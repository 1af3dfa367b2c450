import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/transport/io/clock.ts'

const pass = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time))

describe('the system clock', () => {
  it('never runs a timer early, and runs timers in order', async () => {
    const clock = systemClock()
    const begin = clock.now()
    const runs: [string, number][] = []
    const note = (name: string) => (): void => void runs.push([name, clock.now() - begin])
    clock.setTimer(begin + 30, note('late'))
    clock.setTimer(begin + 10, note('early'))
    clock.setTimer(begin - 5, note('past'))
    await pass(80)
    expect(runs.map(([name]) => name)).toEqual(['past', 'early', 'late'])
    expect(runs[1][1]).toBeGreaterThanOrEqual(10)
    expect(runs[2][1]).toBeGreaterThanOrEqual(30)
    expect(clock.armed).toBe(0)
  })

  it('a cleared timer does not run; clearing twice, or after it ran, is nothing', async () => {
    const clock = systemClock()
    let runs = 0
    const count = (): void => void runs++
    const cleared = clock.setTimer(clock.now() + 5, count)
    const kept = clock.setTimer(clock.now() + 5, count)
    clock.clearTimer(cleared)
    clock.clearTimer(cleared)
    await pass(30)
    clock.clearTimer(kept)
    expect(runs).toBe(1)
    expect(clock.armed).toBe(0)
  })

  it('a callback may arm and clear timers', async () => {
    const clock = systemClock()
    const runs: string[] = []
    const doomed = clock.setTimer(clock.now() + 6, () => runs.push('doomed'))
    clock.setTimer(clock.now() + 5, () => {
      runs.push('first')
      clock.clearTimer(doomed)
      clock.setTimer(clock.now(), () => runs.push('second'))
    })
    await pass(40)
    expect(runs).toEqual(['first', 'second'])
  })

  it('a later timer survives a throw in an earlier one', async () => {
    const clock = systemClock()
    const thrown: unknown[] = []
    const keep = (error: unknown): void => void thrown.push(error)
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', keep)
    try {
      let ran = false
      clock.setTimer(clock.now() + 5, () => {
        throw new Error('callback')
      })
      clock.setTimer(clock.now() + 10, () => {
        ran = true
      })
      await pass(40)
      expect(thrown).toHaveLength(1)
      expect(ran).toBe(true)
    } finally {
      process.removeListener('uncaughtException', keep)
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  it('refuses NaN', () => {
    expect(() => systemClock().setTimer(Number.NaN, () => {})).toThrow(RangeError)
  })
})
