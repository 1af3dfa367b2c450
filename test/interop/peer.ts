/** What a peer is to the interoperability run, and the two ways to write one. */
import { type ProcessRequest, type ProcessResult, runBounded } from './bounded-process.ts'
import { FEATURES, type Feature } from './features.ts'
import type { ServerUnderTest } from './server.ts'

/** Everything that a peer may use. `folder` is empty, and removed afterwards. */
export interface PeerContext {
  readonly server: ServerUnderTest
  readonly folder: string
  /** Row and column of the table that the checks count for. */
  readonly stack: string
  readonly feature: Feature
  readonly only?: RegExp | undefined
  /** The same for another feature, and if need be another server or stack. */
  about(feature: Feature, changes?: ContextChanges): PeerContext
  /** Says in the table why this peer cannot show a feature. */
  cannot(feature: Feature, reason: string): void
  /** Says beside a pass in the table how the peer had to be held. */
  remark(text: string): void
  /** Runs one check under its own title; a throw is its failure, and the next one still runs. */
  check(title: string, body: () => Promise<void>): Promise<void>
  /** Notes the result of a check that the peer's own process made. */
  record(title: string, failure: string | undefined): void
}

/** What `about` may change. */
export interface ContextChanges {
  readonly server?: ServerUnderTest
  readonly stack?: string
  /** Only checks whose title matches are made by clients that are scripts. */
  readonly only?: RegExp
}

/** A client that nobody here wrote. */
export interface Peer {
  readonly name: string
  /** Its row of the table; default: its name. */
  readonly stack?: string
  /** A required peer that is absent fails the run under CI; others are skipped. */
  readonly isRequired: boolean
  /** Why the peer cannot run on this machine, or undefined when it can. */
  absence(): string | undefined
  run(context: PeerContext): Promise<void>
}

/** The variables that every client script reads. */
export function clientEnvironment(context: PeerContext, digest: string): Record<string, string> {
  const { server } = context
  return {
    QUACTOR_ORIGIN: server.origin,
    QUACTOR_INSPECTOR: server.inspector,
    QUACTOR_CA: server.certificateFile,
    QUACTOR_SPKI: server.spkiHash,
    QUACTOR_DIGEST: digest,
    ...(context.only && { QUACTOR_ONLY: context.only.source }),
    ...(context.feature === 'version2' && { QUACTOR_QUIC_VERSION: 'RFCv2' }),
    ...(context.feature === 'earlyData' && { QUACTOR_EARLY: 'yes' }),
  }
}

/** `ok TITLE`, `not ok TITLE: REASON`, with `[FEATURE]` before a title that is not about the context's feature. */
const REPORT = /^(not ok|ok) (?:\[(\w+)\] )?([^:]+)(?:: (.*))?$/
/** `cannot [FEATURE]: REASON`. */
const EXCUSE = /^cannot \[(\w+)\]: (.*)$/
/** `note: TEXT`. */
const REMARK = /^note: (.*)$/

/** Runs a client that prints one line for each of its checks. */
export async function runClient(context: PeerContext, request: ProcessRequest): Promise<void> {
  const result = await runBounded(request)
  let reported = 0
  let failures = 0
  for (const line of result.output.split('\n')) {
    const [, about, excuse] = EXCUSE.exec(line) ?? []
    if (about !== undefined) context.cannot(featureNamed(about), excuse!)
    const [, remark] = REMARK.exec(line) ?? []
    if (remark !== undefined) context.remark(remark)
    const match = REPORT.exec(line)
    if (match === null) continue
    reported++
    const [, verdict, feature, title, reason] = match
    const failure = verdict === 'ok' ? undefined : (reason ?? 'no reason given')
    if (failure !== undefined) failures++
    const at = feature === undefined ? context : context.about(featureNamed(feature))
    at.record(title!, failure)
  }
  const badEnd = describeEnd(result)
  if (reported === 0 || (badEnd !== undefined && failures === 0)) {
    context.record('runs to its end', `${badEnd ?? 'it reported no check'}\n${result.output.slice(-2000)}`)
  }
}

function featureNamed(name: string): Feature {
  if (!(name in FEATURES)) throw new Error(`a client speaks of ${name}, which is no feature`)
  return name as Feature
}

/** Why a process's end is not a success, or undefined. */
export function describeEnd(result: ProcessResult): string | undefined {
  if (result.timedOut) return 'it was stopped at its time limit'
  return result.code === 0 ? undefined : `it ended with exit code ${result.code ?? 'none (a signal)'}`
}
