// Worlds in which something goes wrong in the middle, at 0 to 10 % loss: requests may fail as the fault says, what
// did arrive is right, and nothing is left afterwards.
import { describe, expect, it } from 'vitest'
import { FAULTS } from './faults.ts'
import { runSeed } from './run-seed.ts'

const SEEDS = Number(process.env.SEEDS ?? 60)

describe.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s', (name, fault) => {
  it(`${SEEDS} seeds end clean`, { timeout: 120_000 }, async () => {
    const failures: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { problems } = await runSeed(seed, { requests: 20, maxLoss: 0.1, timeLimit: 300_000, fault })
      if (problems.length > 0) failures.push(`seed ${seed}, ${name}:\n  ${problems.join('\n  ')}`)
    }
    expect(failures.join('\n')).toBe('')
  })
})
