// quactor bench URL: how many requests per second a server of HTTP/3 answers, and how fast. Dispatched by
// cli/main.ts.
import { readFileSync } from 'node:fs'
import { connect } from '../client/connect.ts'
import { flattenHeaders } from '../client/fields.ts'
import { parseTarget } from '../client/request-target.ts'
import type { ClientSession } from '../client/session.ts'
import { BENCH } from './command-tables.ts'
import { type LoadOutcome, type LoadPlan, LoadRun } from './load-run.ts'
import { helpText, parseCommandLine } from './option-table.ts'
import { bar, bytesText, ProgressLine } from './progress-line.ts'
import { positiveInteger, positiveNumber, UsageError } from './usage-error.ts'

type BenchOptions = ReturnType<typeof parseCommandLine<typeof BENCH.options>>['values']

/** Handshakes begun at the same time: more would only wait for one another. */
const CONNECTING_AT_ONCE = 32

/** Between two drawings of the line on the terminal, ms. */
const PROGRESS_INTERVAL = 200

/**
 * Runs the command.
 * @param args what follows `bench` on the command line
 * @returns exit code: 0 when every request succeeded, 1 when any failed, 2 for wrong usage
 */
export async function runBench(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseCommandLine(BENCH, args)
    if (values.help === true) {
      process.stdout.write(helpText(BENCH))
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

async function bench(url: string, options: BenchOptions): Promise<number> {
  const plan = loadPlan(url, options)
  const count = positiveInteger('--connections', options.connections)
  const began = performance.now()
  const sessions = await openSessions(url, count, options)
  const connectMs = performance.now() - began
  const cpuBefore = process.cpuUsage()
  const outcome = await runLoad(plan, sessions, options)
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

/** Runs the plan, with a line on the terminal meanwhile. */
async function runLoad(
  plan: LoadPlan,
  sessions: readonly ClientSession[],
  options: BenchOptions,
): Promise<LoadOutcome> {
  const run = new LoadRun(plan, () => performance.now())
  const line = new ProgressLine(process.stderr, () => performance.now())
  if (options.json === true || !line.isVisible) return run.start(sessions)
  const began = performance.now()
  const drawing = setInterval(
    () => line.update(() => loadText(plan, run.outcome, performance.now() - began)),
    PROGRESS_INTERVAL,
  )
  try {
    return await run.start(sessions)
  } finally {
    clearInterval(drawing)
    line.clear()
  }
}

/** How far a load run is, `elapsed` ms after its start. */
export function loadText(
  plan: LoadPlan,
  { succeeded, failed, bodyBytes }: LoadOutcome,
  elapsed: number,
): string {
  const done = succeeded + failed
  const isTimed = plan.requests === Number.POSITIVE_INFINITY
  const share = isTimed ? elapsed / plan.duration : done / plan.requests
  const rate = elapsed > 0 ? (done / elapsed) * 1000 : 0
  const failures = failed === 0 ? '' : `  ${failed} failed`
  return `${bar(share)}  ${done} requests  ${rate.toFixed(0)}/s  ${bytesText(bodyBytes)}${failures}`
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
