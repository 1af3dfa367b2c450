// `npm run mutants [-- --all] [-- --machine NAME]`: breaks the tables of streams and connections in every small way and has
// the generated suite run on it. Prints the survivors and exits with 1 when one of them is not argued to be equivalent.
import { parseArgs } from 'node:util'
import { connectionSuite } from './connection-suite.ts'
import { whyEquivalent } from './equivalent-mutants.ts'
import { check } from './mutation-check.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { type ModelSuite, streamSuites } from './stream-suite.ts'

const { values } = parseArgs({
  options: { all: { type: 'boolean', default: false }, machine: { type: 'string' } },
})

interface Tally {
  killed: number
  equivalent: number
  readonly faults: string[]
}

async function judge(suite: ModelSuite, mutation: Mutation, tally: Tally): Promise<void> {
  const kill = await check(suite, mutation)
  const why = whyEquivalent(suite.table, mutation)
  if (kill === undefined && why === undefined)
    tally.faults.push(`survived: ${mutation.machine}: ${mutation.name}`)
  else if (kill === undefined) tally.equivalent++
  else if (why === undefined) tally.killed++
  else
    tally.faults.push(
      `is argued to be equivalent and is not: ${mutation.machine}: ${mutation.name}: ${kill.message}`,
    )
}

let faults = 0
for (const suite of [...streamSuites, connectionSuite].filter(
  ({ table }) => values.machine === undefined || table.id === values.machine,
)) {
  const started = performance.now()
  const tally: Tally = { killed: 0, equivalent: 0, faults: [] }
  const mutations = mutationsOf(suite.table, { all: values.all })
  for (const mutation of mutations) await judge(suite, mutation, tally)
  for (const fault of tally.faults) console.error(fault)
  faults += tally.faults.length
  const seconds = ((performance.now() - started) / 1_000).toFixed(0)
  const { killed, equivalent } = tally
  console.log(
    `${suite.table.id}: ${mutations.length} mutants, ${killed} killed, ${equivalent} equivalent, ` +
      `${tally.faults.length} survived; ${seconds} s`,
  )
}
process.exitCode = faults === 0 ? 0 : 1
