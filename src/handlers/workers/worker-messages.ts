// What the server and its workers tell each other, over the channel that a forked process has (advanced serialisation:
// bytes stay bytes). Secrets travel this way and no other. Used by all of this folder that speaks.
import type { FeedRequest } from '../../inspector/feed.ts'
import type { DrainReport } from '../../supervisor/endpoint-drain.ts'
import type { StuckReport } from '../../supervisor/stuck-report.ts'
import type { TicketSecrets } from '../../transport/tls/index.ts'
import type { CertificateAndKey } from '../serve.ts'
import type { ServerCertificate } from '../server-certificate.ts'
import type { WorkerReport } from './worker-report.ts'

/** Marks a process as a worker; it says nothing else, and is taken out of the environment before user code runs. */
export const WORKER_MARK = 'QUACTOR_WORKER'

/** What makes a process a worker. */
export interface WorkerSetup {
  readonly index: number
  readonly count: number
  readonly port: number
  readonly certificate: ServerCertificate
  /** Behind connection IDs, reset tokens and address tokens. */
  readonly secret: Uint8Array
  /** Absent where the program gives a function, or wants no tickets. */
  readonly ticketSecrets: TicketSecrets | undefined
  /** Name of the memory of used tickets, see AntiReplay. */
  readonly replayId: Uint8Array
  /** Folder of the links, and of the memory of used tickets. */
  readonly directory: string
}

/** What one viewer of the inspector wants of a worker. */
export type InspectRequest =
  | FeedRequest
  | { readonly type: 'open' }
  | { readonly type: 'close' }
  /** So many characters have reached the viewer. */
  | { readonly type: 'taken'; readonly length: number }

export type ToWorker =
  | { readonly type: 'setup'; readonly setup: WorkerSetup }
  | { readonly type: 'ticketSecrets'; readonly secrets: TicketSecrets }
  | { readonly type: 'certificates'; readonly chains: readonly CertificateAndKey[] }
  | { readonly type: 'ask'; readonly id: number }
  | { readonly type: 'inspect'; readonly viewer: number; readonly request: InspectRequest }
  /** Drain; after `timeout` ms whatever is left is cut. */
  | { readonly type: 'close'; readonly timeout: number }

/** An error as far as it can be told. */
export interface ToldError {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly port: number | undefined
  readonly address: string | undefined
}

export type FromWorker =
  /** serve() was called. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ToldError }
  /** With `id`: the answer to an `ask`. */
  | { readonly type: 'report'; readonly report: WorkerReport; readonly id?: number }
  | { readonly type: 'stuck'; readonly report: StuckReport }
  /** For a viewer of the inspector. */
  | { readonly type: 'inspected'; readonly viewer: number; readonly text: string }
  /** The program wants other certificates in all workers. */
  | { readonly type: 'certificates'; readonly chains: readonly CertificateAndKey[] }
  /** The program wants the whole server closed. */
  | { readonly type: 'close'; readonly timeout: number }
  | { readonly type: 'closed'; readonly drain: DrainReport }

export function tellError(error: unknown): ToldError {
  const { name, message, code, port, address } = error as NodeJS.ErrnoException & Partial<ToldError>
  return { name: name ?? 'Error', message: message ?? String(error), code, port, address }
}

/** An error with the properties that a system's error has. */
export function toError({ name, message, code, port, address }: ToldError): Error {
  const error = new Error(message)
  error.name = name
  return Object.assign(error, { ...(code === undefined ? {} : { code }), port, address })
}
