// quactor bench URL: how many requests per second a server of HTTP/3 answers, and how fast. Dispatched by
// cli/main.ts.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connect } from '../client/connect.ts'
import { flattenHeaders } from '../client/fields.ts'
import { parseTarget } from '../client/request-target.ts'
import type { ClientSession } from '../client/session.ts'
import { type LoadOutcome, type LoadPlan, LoadRun } from './load-run.ts'
import { positiveInteger, positiveNumber, UsageError } from './usage-error.ts'

const HELP = `Usage: quactor bench URL [options]

  -c, --connections N   connections, default 1
  -m, --streams N       requests in flight on each, default 10
  -n, --requests N      requests in all, default 1000
  -t, --time SECONDS    instead of -n: as many as possible in that time
  -X, --method METHOD   default GET, or POST with -d
  -d, --data TEXT       request body
      --json            one line of JSON instead of text
      --insecure        accept any certificate
      --ca FILE         trust this certificate (PEM) instead of the system's
`

const OPTIONS = {
  connections: { type: 'string', short: 'c', default: '1' },
  streams: { type: 'string', short: 'm', default: '10' },
  requests: { type: 'string', short: 'n' },
  time: { type: 'string', short: 't' },
  method: { type: 'string', short: 'X' },
  data: { type: 'string', short: 'd' },
  json: { type: 'boolean' },
  insecure: { type: 'boolean' },
  ca: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type BenchOptions = ReturnType<typeof parseBenchArgs>['values']

/** Handshakes begun at the same time: more would only wait for one another. */
const CONNECTING_AT_ONCE = 32

/**
 * Runs the command.
 * @param args what follows `bench` on the command line
 * @returns exit code: 0 when every request succeeded, 1 when any failed, 2 for wrong usage
 */
export async function runBench(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseBenchArgs(args)
    if (values.help === true) {
      process.stdout.write(HELP)
      return 0
    }
    const url = positionals[0]
    if (url === undefined || positionals.length > 1)
      throw new UsageError('quactor bench needs exactly one URL')
    return await bench(url, values)
  } catch (error) {
    process.stderr.write(`quactor bench: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

function parseBenchArgs(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function bench(url: string, options: BenchOptions): Promise<number> {
  const plan = loadPlan(url, options)
  const count = positiveInteger('--connections', options.connections)
  const began = performance.now()
  const sessions = await openSessions(url, count, options)
  const connectMs = performance.now() - began
  const cpuBefore = process.cpuUsage()
  const outcome = await new LoadRun(plan, () => performance.now()).start(sessions)
  const cpu = process.cpuUsage(cpuBefore)
  await Promise.all(sessions.map((session) => session.end()))
  const run = {
    url,
    connections: count,
    streams: plan.streams,
    connectMs,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  }
  const report = { ...run, ...summarise(outcome) }
  process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : formatReport(report, outcome))
  return outcome.failed === 0 ? 0 : 1
}

function loadPlan(url: string, options: BenchOptions): LoadPlan {
  let target: ReturnType<typeof parseTarget>
  try {
    target = parseTarget(url)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (options.requests !== undefined && options.time !== undefined) {
    throw new UsageError('--requests and --time exclude each other')
  }
  const body = options.data === undefined ? undefined : new TextEncoder().encode(options.data)
  const method = options.method ?? (body === undefined ? 'GET' : 'POST')
  const fields = [':method', method, ':scheme', 'https', ':authority', target.authority, ':path', target.path]
  if (body !== undefined) fields.push(...flattenHeaders({ 'content-length': String(body.length) }))
  const isTimed = options.time !== undefined
  return {
    fields,
    body,
    streams: positiveInteger('--streams', options.streams),
    requests: isTimed ? Number.POSITIVE_INFINITY : positiveInteger('--requests', options.requests ?? '1000'),
    duration: isTimed ? positiveNumber('--time', options.time!) * 1000 : Number.POSITIVE_INFINITY,
  }
}

async function openSessions(url: string, count: number, options: BenchOptions): Promise<ClientSession[]> {
  const ca = options.ca === undefined ? undefined : readFileSync(options.ca, 'utf8')
  const sessions: ClientSession[] = []
  while (sessions.length < count) {
    const next = Math.min(CONNECTING_AT_ONCE, count - sessions.length)
    const opening = Array.from({ length: next }, () => connect(url, { insecure: options.insecure, ca }))
    sessions.push(...(await Promise.all(opening)))
  }
  return sessions
}

function summarise(outcome: LoadOutcome) {
  const seconds = outcome.elapsed / 1000
  return {
    requests: outcome.succeeded + outcome.failed,
    failed: outcome.failed,
    errors: outcome.errors,
    statuses: outcome.statuses,
    bodyBytes: outcome.bodyBytes,
    seconds,
    requestsPerSecond: outcome.succeeded / seconds,
    mebibytesPerSecond: outcome.bodyBytes / 1_048_576 / seconds,
    latencyMs: outcome.latencies.summary(),
  }
}

type Report = ReturnType<typeof summarise> & {
  url: string
  connections: number
  streams: number
  connectMs: number
  cpuSeconds: number
}

function formatReport(report: Report, outcome: LoadOutcome): string {
  const { latencyMs } = report
  const quantiles = (['p50', 'p90', 'p99', 'p999', 'max'] as const).map(
    (name) => `${name} ${latencyMs[name].toFixed(2)}`,
  )
  const lines = [
    `${report.url}: ${report.connections} connections x ${report.streams} streams, connected in ${report.connectMs.toFixed(0)} ms`,
    `${report.requests} requests (${report.failed} failed) in ${report.seconds.toFixed(2)} s: ${report.requestsPerSecond.toFixed(0)} requests/s, ${report.mebibytesPerSecond.toFixed(1)} MiB/s`,
    `statuses: ${Object.entries(report.statuses)
      .map(([status, count]) => `${status} x ${count}`)
      .join(', ')}`,
    `latency in ms: mean ${latencyMs.mean.toFixed(2)}, ${quantiles.join(', ')}`,
    ...outcome.latencies.chart(),
    `CPU of this client: ${report.cpuSeconds.toFixed(2)} s`,
    ...Object.entries(report.errors).map(([reason, count]) => `${count} x ${reason}`),
  ]
  return `${lines.join('\n')}\n`
}
