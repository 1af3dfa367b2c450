// `npm run sim -- --seeds 10000`: many seeds of the simulation, outside of the test runner.
//
//   --seeds N     seeds 1 to N (default 1,000) of the scenarios
//   --from N      begins with seed N
//   --seed N      one seed, with the datagrams it sent
//   --plain       only the runs of simulation.test.ts
//   --chaos       only those of chaos.test.ts
//   --runner      only the cases of the interop runner (interop-runner.test.ts), with --case NAME only that one
import { parseArgs } from 'node:util'
import { explainChaos, runChaos } from './chaos.ts'
import { RUNNER_CASES, runCase } from './interop-runner/cases.ts'
import { runSeed, STANDARD_RUN } from './run-seed.ts'
import { describeTrace, Tracer } from './tracer.ts'
import type { World } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    plain: { type: 'boolean', default: false },
    chaos: { type: 'boolean', default: false },
    runner: { type: 'boolean', default: false },
    case: { type: 'string' },
  },
})

/** Runs a seed of one scenario; the text says what was wrong, undefined = nothing. */
type Scenario = (seed: number, prepare?: (world: World) => void) => Promise<string | undefined>

const plain: Scenario = async (seed, prepare) => {
  const { problems } = await runSeed(seed, STANDARD_RUN, prepare)
  if (problems.length === 0) return undefined
  return `seed ${seed} failed:\n  ${problems.join('\n  ')}\nreplay it: npm run sim -- --plain --seed ${seed}`
}

const chaos: Scenario = async (seed, prepare) => {
  const report = await runChaos(seed, prepare)
  return report.problems.length === 0 ? undefined : explainChaos(report)
}

function chosen(): [string, Scenario][] {
  if (values.runner) {
    const names = values.case === undefined ? Object.keys(RUNNER_CASES) : [values.case]
    return names.map((name) => [name, (seed) => runCase(name, seed)])
  }
  if (values.plain) return [['plain', plain]]
  if (values.chaos) return [['chaos', chaos]]
  return [
    ['plain', plain],
    ['chaos', chaos],
  ]
}

const scenarios = chosen()

async function runOne(seed: number): Promise<void> {
  for (const [name, scenario] of scenarios) {
    const tracer = new Tracer()
    const failure = await scenario(seed, (world) => tracer.attach(world))
    console.log(describeTrace(tracer))
    console.log(failure ?? `seed ${seed} of ${name} ended clean`)
    if (failure !== undefined) process.exitCode = 1
  }
}

async function runMany(first: number, last: number): Promise<void> {
  for (const [name, scenario] of scenarios) {
    const start = performance.now()
    let failed = 0
    for (let seed = first; seed <= last; seed++) {
      const failure = await scenario(seed)
      if (failure === undefined) continue
      failed++
      console.error(failure)
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    console.log(`${name}: ${last - first + 1} seeds, ${failed} failed, ${seconds} s`)
    if (failed > 0) process.exitCode = 1
  }
}

if (values.seed !== undefined) await runOne(Number(values.seed))
else await runMany(Number(values.from), Number(values.from) + Number(values.seeds) - 1)
