// Faults on every level at once: some hundred seeds here, 1,000 in CI, all one wants with `npm run sim -- --seeds N`.
import { describe, expect, it } from 'vitest'
import { explainChaos, runChaos } from './chaos.ts'
import { Tracer } from './tracer.ts'

const SEEDS = Number(process.env.SEEDS ?? (process.env.CI === undefined ? 400 : 1_000))
const SHARD = 50

describe('faulty handlers, wild clients, bad networks and drains at once', () => {
  for (let first = 1; first <= SEEDS; first += SHARD) {
    const last = Math.min(SEEDS, first + SHARD - 1)
    it(`seeds ${first} to ${last} end clean`, { timeout: 120_000 }, async () => {
      const failures: string[] = []
      for (let seed = first; seed <= last; seed++) {
        const report = await runChaos(seed)
        if (report.problems.length > 0) failures.push(explainChaos(report))
      }
      expect(failures.join('\n')).toBe('')
    })
  }

  it('seeds repeat themselves', async () => {
    const digestOf = async (seed: number): Promise<string> => {
      const tracer = new Tracer()
      await runChaos(seed, (world) => tracer.attach(world))
      return tracer.digest()
    }
    for (const seed of [2, 7]) expect(await digestOf(seed)).toBe(await digestOf(seed))
  })
})
