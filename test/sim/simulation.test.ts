// A thousand simulated worlds: a handshake and 20 mixed requests over paths that lose up to 20 % in each direction,
// delay, reorder, duplicate and corrupt. Each has to end with every byte right and every registry at zero.
//
//   SEED=1234 npx vitest run test/sim      replays one seed, with a trace of every datagram
//   SEEDS=10000 npx vitest run test/sim    runs more of them
import { describe, expect, it } from 'vitest'
import { type RunReport, runSeed, STANDARD_RUN } from './run-seed.ts'
import { describeTrace, Tracer } from './tracer.ts'

const SEEDS = Number(process.env.SEEDS ?? 1_000)
/** Seeds per test, so that a failure does not hide those after it. */
const SHARD = 125
/** What the thousand seeds may cost, s of CPU. */
const CPU_BUDGET = 60

function explain(report: RunReport): string {
  const { seed, problems, toServer, toClient } = report
  return [
    `seed ${seed} (loss ${toServer.loss.toFixed(2)} / ${toClient.loss.toFixed(2)}) failed:`,
    ...problems.map((problem) => `  ${problem}`),
    `replay it: SEED=${seed} npx vitest run test/sim/simulation.test.ts`,
  ].join('\n')
}

const replayed = process.env.SEED

if (replayed === undefined) describe('simulated handshakes and requests at 0 to 20 % loss', defineRuns)
else it(`seed ${replayed} runs clean`, () => replay(Number(replayed)))

async function replay(seed: number): Promise<void> {
  const tracer = new Tracer()
  const report = await runSeed(seed, undefined, (world) => tracer.attach(world))
  console.log(describeTrace(tracer))
  if (report.problems.length > 0) throw new Error(explain(report))
}

function defineRuns(): void {
  let cpuSeconds = 0

  for (let first = 1; first <= SEEDS; first += SHARD) {
    const last = Math.min(SEEDS, first + SHARD - 1)
    it(`seeds ${first} to ${last} end with every byte right and nothing left`, {
      timeout: 120_000,
    }, async () => {
      const before = process.cpuUsage()
      const failures: string[] = []
      for (let seed = first; seed <= last; seed++) {
        const report = await runSeed(seed)
        if (report.problems.length > 0) failures.push(explain(report))
      }
      const { user, system } = process.cpuUsage(before)
      cpuSeconds += (user + system) / 1e6
      expect(failures.join('\n')).toBe('')
    })
  }

  it(`cost less than ${CPU_BUDGET} s of CPU per 1,000 seeds`, () => {
    expect(cpuSeconds / (SEEDS / 1_000)).toBeLessThan(CPU_BUDGET)
  })

  it('repeat themselves to the last datagram, so that a seed can be replayed', async () => {
    for (const seed of [3, 14, 159]) expect(await digestOf(seed)).toBe(await digestOf(seed))
    expect(await digestOf(3)).not.toBe(await digestOf(14))
  })

  it("send the same datagrams when XState's own interpreter runs every stream", {
    timeout: 60_000,
  }, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      expect(await digestOf(seed, 'xstate'), `seed ${seed}`).toBe(await digestOf(seed, 'compiled'))
    }
  })
}

async function digestOf(seed: number, interpreter: 'compiled' | 'xstate' = 'compiled'): Promise<string> {
  const tracer = new Tracer()
  const { problems } = await runSeed(seed, { ...STANDARD_RUN, interpreter }, (world) => tracer.attach(world))
  expect(problems).toEqual([])
  return tracer.digest()
}
