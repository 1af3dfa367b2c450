// The numbers of one worker, and how those of all are put together: /status, /metrics and their details have the same
// shape with any number of workers. What a worker had counted when its process ended stays in the totals, so that they
// only grow; what it had open counts as closed. Used by workers-server.ts.
import type { ConnectionReport } from '../../supervisor/connection-report.ts'
import { Counters } from '../../supervisor/counters.ts'
import type { InvariantViolation } from '../../supervisor/invariants.ts'
import type { MissedCount, MissedTransition } from '../../supervisor/missed-transitions.ts'
import type { ServerStatus, WorkerStatus } from '../../supervisor/status.ts'
import type { StuckReport } from '../../supervisor/stuck-report.ts'

export interface WorkerReport {
  readonly status: ServerStatus
  /** Every counter by its name. */
  readonly counters: Readonly<Record<string, number>>
  readonly connections: readonly ConnectionReport[]
  readonly stuck: readonly StuckReport[]
  readonly missed: { readonly counts: readonly MissedCount[]; readonly latest: readonly MissedTransition[] }
  readonly invariants: { readonly mode: string; readonly latest: readonly InvariantViolation[] }
}

type Numbers = Record<string, number>

/** Levels, beside `live`: what a process that has ended has none of. */
const LEVELS = new Set(['live', 'stuck', 'armed', 'receiveBytes', 'sendBytes', 'timersArmed'])

/** What each name of a beginning is called at its end, in /status and among the counters. */
const ENDS = [
  ['opened', 'closed'],
  ['Opened', 'Closed'],
  ['started', 'stopped'],
  ['Started', 'Stopped'],
  ['Started', 'Ended'],
] as const

/**
 * What is left of a worker whose process has ended: the totals. Whatever was open is closed.
 * @param before what is left of its forerunners
 */
export function totalsOf(report: WorkerReport, before?: WorkerReport): WorkerReport {
  const left: Record<string, Numbers> = {}
  for (const [part, numbers] of Object.entries(report.status)) {
    if (isSummed(part)) left[part] = endedOf(numbers)
  }
  for (const [part, numbers] of Object.entries(before?.status ?? {})) {
    if (isSummed(part)) addPart(left, part, numbers)
  }
  const counters = endedOf(report.counters)
  addTo(counters, before?.counters ?? {})
  const { counts } = sumMissed(before === undefined ? [report] : [before, report])
  return {
    status: {
      ...(left as unknown as ServerStatus),
      backends: report.status.backends,
      process: { rss: 0, eventLoopLagP99Ms: 0 },
    },
    counters,
    connections: [],
    stuck: [],
    missed: { counts, latest: report.missed.latest },
    invariants: { mode: '', latest: [] },
  }
}

function endedOf(numbers: Readonly<Numbers>): Numbers {
  const ended: Numbers = {}
  for (const [name, value] of Object.entries(numbers)) ended[name] = LEVELS.has(name) ? 0 : value
  for (const name of Object.keys(ended)) {
    for (const [begin, end] of ENDS) {
      const other = name.endsWith(begin) ? name.slice(0, -begin.length) + end : ''
      if (other in ended) ended[other] = ended[name]
    }
  }
  return ended
}

/** Parts of the status that are sums; the others are not numbers, or not to be added. */
function isSummed(part: string): boolean {
  return part !== 'backends' && part !== 'process' && part !== 'workers'
}

/**
 * One status for all of them: numbers are added up, the lag is that of the latest loop.
 * @param reports of at least one
 * @param workers what to say of each
 * @param rss of the process that supervises them, bytes
 */
export function sumStatus(
  reports: readonly WorkerReport[],
  workers: readonly WorkerStatus[],
  rss: number,
): ServerStatus {
  const sums: Record<string, Numbers> = {}
  let memory = rss
  let lag = 0
  for (const { status } of reports) {
    memory += status.process.rss
    lag = Math.max(lag, status.process.eventLoopLagP99Ms)
    for (const [part, numbers] of Object.entries(status)) {
      if (isSummed(part)) addPart(sums, part, numbers)
    }
  }
  return {
    ...(sums as unknown as ServerStatus),
    backends: reports[0].status.backends,
    process: { rss: memory, eventLoopLagP99Ms: lag },
    workers,
  }
}

function addPart(sums: Record<string, Numbers>, part: string, numbers: Readonly<Numbers>): void {
  const total = sums[part] ?? {}
  addTo(total, numbers)
  sums[part] = total
}

function addTo(total: Numbers, numbers: Readonly<Numbers>): void {
  for (const [name, value] of Object.entries(numbers)) total[name] = (total[name] ?? 0) + value
}

/** The counters of all of them in one. */
export function sumCounters(reports: readonly WorkerReport[]): Counters {
  const total = new Counters()
  const numbers = total as unknown as Numbers
  for (const { counters } of reports) addTo(numbers, counters)
  return total
}

/** How often each machine missed each event, in all of them. */
export function sumMissed(reports: readonly WorkerReport[]): WorkerReport['missed'] {
  const counts = new Map<string, MissedCount>()
  for (const each of reports.flatMap(({ missed }) => missed.counts)) {
    const key = `${each.machine} ${each.state} ${each.event}`
    counts.set(key, { ...each, count: (counts.get(key)?.count ?? 0) + each.count })
  }
  return { counts: [...counts.values()], latest: reports.flatMap(({ missed }) => missed.latest) }
}
