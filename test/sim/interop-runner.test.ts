// The scenarios of the QUIC interop runner at its parameters (file sizes, 15 ms, 10 Mbit/s, 25 datagrams of queue), on
// both sides our own endpoints in virtual time. Cases that throw dice run with several seeds; SEEDS=100 runs more, and
// `npm run sim -- --runner --seeds 1000` as many as one likes.
import { describe, expect, it } from 'vitest'
import { RUNNER_CASES, runCase } from './interop-runner/cases.ts'

/** Cases whose outcome depends on the seed. */
const DICE = new Set(['handshakeloss', 'transferloss', 'handshakecorruption', 'transfercorruption'])
const SEEDS = Number(process.env.SEEDS ?? 3)

describe('the interop runner', () => {
  it.each(Object.keys(RUNNER_CASES))('%s', { timeout: 120_000 }, async (name) => {
    const failures: string[] = []
    for (let seed = 1; seed <= (DICE.has(name) ? SEEDS : 1); seed++) {
      const failure = await runCase(name, seed)
      if (failure !== undefined) failures.push(failure)
    }
    expect(failures).toEqual([])
  })
})
