// npm run bench: quactor and node:http2 over TLS side by side on this machine, alternating, each server and each
// load generator in a process of its own. Options: --quick (about 15 s instead of 60), --json, --rounds N.
import { parseArgs } from 'node:util'
import { createSelfSigned } from '../src/transport/io/self-signed.ts'
import { type Contender, Lane, type Plan, type Row } from './measure.ts'
import { SMALL_BODY } from './responses.ts'

const BASELINE: Contender = {
  name: 'node:http2 (TLS)',
  server: 'server-http2.ts',
  serverArgs: [],
  load: 'load-http2.ts',
}

const CONTENDERS: readonly Contender[] = [
  BASELINE,
  { name: 'quactor, exchange', server: 'server-quactor.ts', serverArgs: ['exchange'], load: 'load-http3.ts' },
  { name: 'quactor, fetch', server: 'server-quactor.ts', serverArgs: ['fetch'], load: 'load-http3.ts' },
  { name: 'quactor, FastResponse', server: 'server-quactor.ts', serverArgs: ['fast'], load: 'load-http3.ts' },
]

const FULL: Plan = {
  rounds: 3,
  warmUpSeconds: 1.5,
  smallSeconds: 3,
  largeSeconds: 1.5,
  connections: 4,
  streams: 32,
  largeBytes: 33_554_432,
}

const QUICK: Plan = { ...FULL, rounds: 1, warmUpSeconds: 0.8, smallSeconds: 2, largeSeconds: 1 }

interface Column {
  title: string
  of: (row: Row) => number
  digits: number
}

const COLUMNS: readonly Column[] = [
  { title: 'requests/s', of: (row) => row.requestsPerSecond, digits: 0 },
  { title: 'CPU s/100k', of: (row) => row.cpuSecondsPer100kRequests, digits: 2 },
  { title: 'p50 ms', of: (row) => row.latencyP50Ms, digits: 2 },
  { title: 'p99 ms', of: (row) => row.latencyP99Ms, digits: 2 },
  { title: 'MiB/s', of: (row) => row.downloadMiBPerSecond, digits: 1 },
  { title: 'CPU s/GiB', of: (row) => row.cpuSecondsPerGiB, digits: 2 },
  { title: 'RSS MiB', of: (row) => row.rssMiB, digits: 0 },
]

async function measure(plan: Plan): Promise<Row[]> {
  const { certPem, keyPem } = await createSelfSigned({ names: ['localhost', '127.0.0.1'], days: 13 })
  const lanes = CONTENDERS.map((contender) => new Lane(contender))
  try {
    for (const lane of lanes) await lane.start({ cert: certPem, key: keyPem })
    for (const lane of lanes) await lane.warmUp(plan, SMALL_BODY.length)
    for (let round = 0; round < plan.rounds; round++) {
      // Every other round runs backwards, so that nobody always follows the same neighbour.
      const order = round % 2 === 0 ? lanes : lanes.toReversed()
      for (const lane of order) await lane.round(plan, SMALL_BODY.length)
    }
    return lanes.map((lane) => lane.row())
  } finally {
    for (const lane of lanes) lane.end()
  }
}

/** Each number of a row as a multiple of the baseline's. */
function ratiosOf(row: Row, baseline: Row): Record<string, number> {
  return Object.fromEntries(COLUMNS.map(({ title, of }) => [title, of(row) / of(baseline)]))
}

function print(rows: readonly Row[]): void {
  const baseline = rows[0]!
  const width = 22
  const line = (name: string, cells: string[]): void =>
    console.log(name.padEnd(width) + cells.map((cell) => cell.padStart(12)).join(''))
  line(
    '',
    COLUMNS.map(({ title }) => title),
  )
  for (const row of rows)
    line(
      row.name,
      COLUMNS.map(({ of, digits }) => of(row).toFixed(digits)),
    )
  for (const row of rows.slice(1)) {
    const ratios = ratiosOf(row, baseline)
    line(
      '  in terms of http2',
      COLUMNS.map(({ title }) => `x ${ratios[title]!.toFixed(2)}`),
    )
  }
  console.log('\nCPU is the server process alone (user + system); lower is better there and for ms and RSS.')
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
})
const base = values.quick ? QUICK : FULL
const plan = values.rounds === undefined ? base : { ...base, rounds: Math.max(1, Number(values.rounds)) }
try {
  const rows = await measure(plan)
  if (values.json) {
    const ratios = Object.fromEntries(rows.slice(1).map((row) => [row.name, ratiosOf(row, rows[0]!)]))
    console.log(JSON.stringify({ node: process.version, plan, rows, ratios }, undefined, 2))
  } else print(rows)
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
