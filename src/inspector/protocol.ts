// The words of the inspector's feed: a WebSocket at `/feed` of the admin port, one JSON object per message. The server's
// side is src/inspector, the page's side inspector/ui (by way of inspector/protocol.ts). Types and a few constants only.
//
//   page                                   server
//    |  GET /?token=...                       |   the page; the token stays in the page
//    |  WebSocket /feed                  ---> |   Host and Origin are checked; no token is needed to look
//    |                              <--- hello, machines, tick, tick, ...        10 per second, deltas
//    |  select { uid }                   ---> |
//    |                              <--- selected { history }, events, events    of the selection only
//    |  arm { token }                    ---> |
//    |                              <--- armed
//    |  action { token, ... }            ---> |
//    |                              <--- result
//
// Every actor has a number, its `uid`, that is never used again and differs between workers. Every machine has a
// number too, its place in `machines` messages. A state is a number within its machine: an index of
// `MachineDefinition.states`, each of which is a whole configuration (both regions of a bidirectional stream).
//
// Numbers that belong to one process (rows, counts, totals, lag) come with the number of its `worker`, 0 where there is
// only one process. Sums over workers are the page's business.

import type { ActorKind, MachineDefinition } from './chart-words.ts'
import type { ConnectionPanel, StreamPanel, Totals } from './panel-words.ts'

export * from './chart-words.ts'
export type * from './panel-words.ts'

export const PROTOCOL_VERSION = 1

/** Between two ticks, ms. */
export const TICK_INTERVAL = 100

/** Rows (new or changed) in one tick; the rest follows in the next ones. */
export const ROWS_PER_TICK = 2_000

/** Actors of one worker that a page is told of one by one; counts and totals always cover all. */
export const MOST_ROWS = 20_000

/** Events of the selection in one tick; what exceeds it is dropped and counted. */
export const EVENTS_PER_TICK = 500

/** Transitions that are kept of each stream while a page is attached: what `selected` tells of the time before. */
export const HISTORY_LENGTH = 64

/** Largest message that the server takes, bytes. */
export const MAX_CLIENT_MESSAGE = 65_536

/** How long a page stays armed, ms. */
export const ARM_TIME = 300_000

/** Close codes of the feed, beside those of RFC 6455. 4401: tokens were wrong too often. 4429: too many pages. */
export const CloseCode = { wrongToken: 4401, tooMany: 4429 } as const

// --- server -> page ------------------------------------------------------------------------------------------------

export interface Hello {
  readonly type: 'hello'
  readonly protocol: number
  /** Of quactor. */
  readonly version: string
  readonly node: string
  readonly pid: number
  /** Where requests go, and which implementations are in use. */
  readonly url: string
  readonly backends: { readonly udp: string; readonly aead: string }
  /** Numbers of the worker processes; [0] where there is only this process. */
  readonly workers: readonly number[]
  /** Add it to any time of worker 0 to get a time of day in ms; ticks of other workers bring their own. */
  readonly epoch: number
  /** Whether connections are logged, so that `export` has a qlog to give. */
  readonly hasQlog: boolean
  /** What is done about stuck streams, beside showing them. */
  readonly stuckPolicy: 'report' | 'reset'
}

/** New machines, and machines whose `states` have grown. Replaces what was said under the same index. */
export interface Machines {
  readonly type: 'machines'
  readonly machines: readonly MachineDefinition[]
}

/**
 * One live actor:
 * [uid, kind (index of ACTOR_KINDS), uid of the parent, machine, state, since (ms on the worker's clock), key, text]
 * `key`: stream ID, session ID, worker's number; -1 where there is none. `text`: of a connection `name remote version`, of a
 * stream and of a handler `METHOD path` (without its query, unless payloads are revealed), else `''`.
 */
export type Row = readonly [
  uid: number,
  kind: number,
  parent: number,
  machine: number,
  state: number,
  since: number,
  key: number,
  text: string,
]

/** An actor that the page knows, in another state: [uid, state, since]. */
export type Move = readonly [uid: number, state: number, since: number]

/** [machine, state, live actors in it], of all actors, whether the page has their rows or not. */
export type Count = readonly [machine: number, state: number, live: number]

/** [machine, state * events.length + event, how often since the last tick]. */
export type Heat = readonly [machine: number, pair: number, times: number]

/** Time in a state, of all that have left it since somebody looked: [machine, state, p50 ms, p99 ms, how many]. */
export type Dwell = readonly [machine: number, state: number, p50: number, p99: number, left: number]

export interface StuckRow {
  /** 0 where the actor has no row. */
  readonly uid: number
  readonly kind: 'stream' | 'session' | 'handler' | 'handshake' | 'connection'
  /** Name and stream ID, for those without a row. */
  readonly connection: string
  readonly stream: number | undefined
  readonly state: string
  /** Since when it is in this state, and ms that it may be. */
  readonly since: number
  readonly deadline: number
  /** `peerAck`, `streamFlowControl`, `handler`, ..., `nothing`. */
  readonly waitingFor: string
  /** One line for people. */
  readonly reason: string
}

/** What went wrong with a handler, and what was done about it. */
export interface Fault {
  /** On the worker's clock, ms. */
  readonly time: number
  readonly kind: 'crash' | 'hang' | 'late' | 'internal' | 'worker' | 'missed'
  readonly connection: string
  readonly stream: number | undefined
  readonly method: string
  readonly path: string
  readonly error: string
  /** E.g. `stream reset with H3_INTERNAL_ERROR`, `connection closed`, `reported only`. */
  readonly outcome: string
}

/**
 * What has changed since the last tick of the same worker. Members that would be empty are absent. Apply in this order:
 * `gone`, `rows`, `moves`, the rest.
 */
export interface Tick {
  readonly type: 'tick'
  readonly worker: number
  /** The worker's clock, ms: the age of a state is `now - since`. */
  readonly now: number
  /** Only in the first tick of a worker: see Hello.epoch. */
  readonly epoch?: number
  /** Everything of this worker that was said before is void: the first tick, and after a pause or an overload. */
  readonly isFresh?: true
  readonly gone?: readonly number[]
  readonly rows?: readonly Row[]
  readonly moves?: readonly Move[]
  readonly counts?: readonly Count[]
  readonly heat?: readonly Heat[]
  /** Once a second. */
  readonly dwell?: readonly Dwell[]
  /** The whole list, whenever it has changed: the longest in its state first, at most 200. */
  readonly stuck?: readonly StuckRow[]
  /** New ones, oldest first. The first tick brings the latest 64 of the time before. */
  readonly faults?: readonly Fault[]
  readonly connection?: ConnectionPanel
  readonly stream?: StreamPanel
  readonly totals?: Totals
  /** All transitions, and ignored and impossible events, of all actors since the last tick. */
  readonly transitions: number
  readonly ignored?: number
  readonly impossible?: number
  /** How late this tick is, ms: the lag of the event loop. */
  readonly lag: number
  /** ms of processor time that the feed has used since the last tick, for all pages together. */
  readonly cost: number
  /** Ticks, rows and events that were left out for this page since it came, because it or the server was too slow. */
  readonly dropped: number
  /** Live actors beyond MOST_ROWS. */
  readonly hidden?: number
}

/** One event of the selection. */
export interface ActorEvent {
  readonly uid: number
  /** On the worker's clock, ms; several may have the same. */
  readonly time: number
  /** EventOutcome. Of a user's machine, `ignored` means that no transition took it. */
  readonly outcome: number
  readonly event: string
  readonly from: number
  /** The same as `from` where nothing changed. */
  readonly to: number
  /** Actions that were done, by name. */
  readonly actions?: readonly string[]
  /**
   * Of a user's machine, the event's members: shapes only (`chunk: 16384 bytes`), values when payloads are revealed.
   */
  readonly detail?: string
}

/** Events of the selection since the last one of these. */
export interface Events {
  readonly type: 'events'
  readonly worker: number
  readonly events: readonly ActorEvent[]
  /** Events that did not fit in. */
  readonly dropped?: number
}

/** The answer to `select`. An actor that is gone by then has `isGone`; what is known of it is told all the same. */
export interface Selected {
  readonly type: 'selected'
  readonly uid: number
  /** Of these events come too: the handler and the service of a stream, the stream of a handler, ... */
  readonly related: readonly number[]
  /** Oldest first; of a stream that was opened while a page was attached, its whole life (up to HISTORY_LENGTH). */
  readonly history: readonly ActorEvent[]
  /** State before the first of `history`. */
  readonly start: number
  /** False when the actor's life began before `history` does. */
  readonly isWhole: boolean
  readonly isGone?: true
  /** The context of a user's machine, as JSON; only when payloads are revealed. Comes anew with each `selected`. */
  readonly context?: string
}

export interface Armed {
  readonly type: 'armed'
  readonly isArmed: boolean
  /** ms until it ends by itself. */
  readonly remaining?: number
}

export interface Revealed {
  readonly type: 'revealed'
  readonly isRevealed: boolean
}

/** What became of a request of the page that carried this `id`. */
export interface Result {
  readonly type: 'result'
  readonly id: number
  readonly isDone: boolean
  /** Why not: `token`, `disarmed`, `gone`, `illegal` (the machine does not take the event now), `unknown`, `unavailable`. */
  readonly error?: string
  /** For people. */
  readonly message: string
}

/** The file that `export` asked for. */
export interface Exported {
  readonly type: 'exported'
  readonly id: number
  readonly what: ExportKind
  readonly name: string
  readonly mediaType: string
  readonly text: string
}

/** The chart of a machine, as asked for by `chart`; also at `GET /charts/<machine id>.svg` for built-in machines. */
export interface Chart {
  readonly type: 'chart'
  readonly machine: number
  readonly svg?: string
  readonly error?: string
}

/** A worker process has come or gone; of one that is gone all rows are void. */
export interface WorkerChange {
  readonly type: 'worker'
  readonly worker: number
  readonly isLive: boolean
}

/** The page said something that was not understood; it goes on. */
export interface Complaint {
  readonly type: 'complaint'
  readonly message: string
}

export type ServerMessage =
  | Hello
  | Machines
  | Tick
  | Events
  | Selected
  | Armed
  | Revealed
  | Result
  | Exported
  | Chart
  | WorkerChange
  | Complaint

// --- page -> server ------------------------------------------------------------------------------------------------

/** Full events of this actor and its relatives from now on, instead of those selected before; 0 selects nothing. */
export interface Select {
  readonly type: 'select'
  readonly uid: number
}

/** No ticks and no events until it goes on; then comes a fresh tick. */
export interface Pause {
  readonly type: 'pause'
  readonly isPaused: boolean
}

/** Makes actions possible for ARM_TIME, or impossible again. */
export interface Arm {
  readonly type: 'arm'
  readonly token: string
  readonly isArmed: boolean
}

/** Shows payloads, contexts and queries of this page's selection, or hides them again. */
export interface Reveal {
  readonly type: 'reveal'
  readonly token: string
  readonly isRevealed: boolean
}

/** `event`: of a built-in machine it must be a legal one (a transition), of a user's machine one that it can take. */
export type ActionRequest =
  | { readonly kind: 'send'; readonly uid: number; readonly event: string; readonly detail?: object }
  /** Of a stream, or of the stream of a handler; HTTP/3 error code, default H3_REQUEST_CANCELLED. */
  | { readonly kind: 'reset'; readonly uid: number; readonly code?: number }
  /** STOP_SENDING for a stream; of a handler: its AbortSignal fires. */
  | { readonly kind: 'stop'; readonly uid: number; readonly code?: number }
  | { readonly kind: 'drainConnection'; readonly uid: number }
  /** All workers. The feed ends with the server. */
  | { readonly kind: 'drainServer' }

export interface Action {
  readonly type: 'action'
  /** Comes back in `result`. */
  readonly id: number
  readonly token: string
  readonly action: ActionRequest
}

/** `trace`: what the page can replay. `test`: a vitest file. `qlog`: of the actor's connection, for qvis. */
export type ExportKind = 'trace' | 'test' | 'qlog'

export interface ExportRequest {
  readonly type: 'export'
  readonly id: number
  readonly what: ExportKind
  readonly uid: number
  /** Only for `qlog`, which contains what the peers have said. */
  readonly token?: string
}

export interface ChartRequest {
  readonly type: 'chart'
  readonly machine: number
}

export type ClientMessage = Select | Pause | Arm | Reveal | Action | ExportRequest | ChartRequest

// --- files ---------------------------------------------------------------------------------------------------------

/** The JSON trace of `export`, and what the page imports for a replay. It needs no server to be read. */
export interface Trace {
  readonly format: 'quactor-trace'
  readonly formatVersion: 1
  /** Whole, so that the chart can be drawn elsewhere. */
  readonly machine: MachineDefinition
  readonly actor: {
    readonly kind: ActorKind
    readonly key: number
    readonly text: string
    readonly connection: string
  }
  /** Time of day of `events[].time === 0`, ISO 8601. */
  readonly begin: string
  readonly start: number
  readonly isWhole: boolean
  /** `uid` is 0, times in ms from `begin`. */
  readonly events: readonly ActorEvent[]
}
