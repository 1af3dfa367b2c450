// How the feed describes machines and actors: charts, configurations, outcomes. Part of the words of protocol.ts, which hands
// them on to the page; types and constants only.

/** What an event did; the same numbers as Outcome of the machines. */
export const EventOutcome = { transition: 0, ignored: 1, impossible: 2 } as const

/** What an actor is. Position in this list = `Row[1]` of protocol.ts. */
export const ACTOR_KINDS = [
  'connection', // parent: 0, the server
  'handshake', // parent: its connection
  'path', // parent: its connection
  'stream', // parent: its connection
  'session', // a WebTransport session; parent: its connection
  'handler', // a request's handler; parent: its stream, or its connection once the stream is gone
  'service', // a user's machine on XState's interpreter; parent: its handler, or 0 (HTTP/1.1, HTTP/2)
  'datagrams', // a datagram channel; parent: its stream
] as const

export type ActorKind = (typeof ACTOR_KINDS)[number]

/** A node of the chart: what is drawn as a box. */
export interface ChartNode {
  /** Dotted path from the root, `''` for the root itself, e.g. `open.send.dataSent`. */
  readonly id: string
  /** Last part of the path. */
  readonly key: string
  /** Index in `nodes`; -1 for the root. */
  readonly parent: number
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  /** Node that is entered first; -1 where that has no meaning. */
  readonly initial: number
  /** For people, where the chart says one. */
  readonly description?: string
}

/** An arrow of the chart. One without target stays where it is. */
export interface ChartEdge {
  readonly from: number
  /** -1: no change of state. */
  readonly to: number
  /** As the machine names it, `''` for a transition without event; `after ...`, `done` and `error` are spelled out. */
  readonly event: string
  /** Name of the guard, if there is one. */
  readonly guard?: string
  readonly actions?: readonly string[]
}

/** A configuration: the nodes that are active at once. */
export interface MachineState {
  /** Printable, e.g. `send.dataSent|receive.recv`. */
  readonly name: string
  /** Indexes of `nodes`, root excluded. */
  readonly active: readonly number[]
  readonly isFinal: boolean
  /** ms that it may last; absent where nothing watches. */
  readonly deadline?: number
  /** What it may be waiting for, and why the deadline is what it is. */
  readonly waitingFor?: readonly string[]
  readonly why?: string
}

export interface MachineDefinition {
  readonly index: number
  /** `bidiStream`, `connection`, ... For a user's machine its own id; two workers send the same one under two indexes. */
  readonly id: string
  readonly kind: ActorKind
  /** `user`: runs on XState's interpreter; its `states` grow as they are seen, `events` may lack some. */
  readonly origin: 'built-in' | 'user'
  readonly nodes: readonly ChartNode[]
  readonly edges: readonly ChartEdge[]
  readonly states: readonly MachineState[]
  /** The alphabet. The prefix is the lane of the sequence view: `recv.` peer, `send.` transport, `app.` handler. */
  readonly events: readonly string[]
  /** EventOutcome by `state * events.length + event`; absent for a user's machine. */
  readonly outcomes?: readonly number[]
  /** Next state by the same index. */
  readonly next?: readonly number[]
}
