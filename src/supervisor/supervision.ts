// What the supervisors share: settings, the services that every connection supervisor gets, and the contract of
// an application that can be drained. Used by endpoint.ts, connection-supervisor.ts and http3-service.ts.

import type { ActorOwner, CompiledMachine, InspectionHub, Interpreter } from '../machines/index.ts'
import type { ConnectionApplication } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { ConnectionFeed } from './connection-feed.ts'
import type { Counters } from './counters.ts'
import type { FaultLog } from './fault-log.ts'
import type { InvariantMode } from './invariants.ts'
import * as limits from './limits.ts'
import type { MissedTransitions } from './missed-transitions.ts'
import type { StuckFeed } from './stuck-feed.ts'
import type { TurnTime } from './turn-time.ts'

export type { ActorOwner }

/** Times (ms) and limits of the supervision; serve() lets its caller change each. */
export interface SupervisionSettings {
  /** A response has to begin within so long, ms; then the handler's signal fires. Default 30,000. */
  handlerDeadline: number
  /** How long a handler may go on after its signal, ms, before its stream is reset. Default 1,000. */
  handlerGrace: number
  /** More crashes than this within `crashWindow` close the connection. Default 10. */
  crashLimit: number
  /** Time over which crashes are counted, ms. Default 10,000. */
  crashWindow: number
  /** Shortest time between the two GOAWAY frames of a drain, ms. Default 1,000. */
  goawayDelay: number
  /** How long requests may take to end after the second GOAWAY, ms. Default 10,000. */
  drainDeadline: number
  /** When a drain is over whatever is left, ms. Default 30,000. */
  hardStop: number
  /** Connections at a time; further ones are refused. */
  maxConnections: number
  /** Handshakes at a time. */
  maxHalfOpen: number
  /** Of one IPv4 address, or of one /64 of IPv6. */
  maxHalfOpenPerSource: number
  /** What is done about a stream that is past its deadline: it is always reported. */
  stuckPolicy: 'report' | 'reset'
  /** Whether what must hold after every turn is compared, and what happens when it does not hold. */
  invariants: InvariantMode
  /** Runs other tables in place of ours, by our table: for tests that put a bug back. */
  tables: ReadonlyMap<CompiledMachine, CompiledMachine> | undefined
  /** Runs stream machines on the compiled table, or on XState's interpreter (slow; for tests). */
  interpreter: Interpreter
}

export const DEFAULT_SUPERVISION: Readonly<SupervisionSettings> = {
  handlerDeadline: limits.HANDLER_DEADLINE,
  handlerGrace: limits.HANDLER_GRACE,
  crashLimit: limits.CRASH_LIMIT,
  crashWindow: limits.CRASH_WINDOW,
  goawayDelay: limits.GOAWAY_DELAY,
  drainDeadline: limits.DRAIN_DEADLINE,
  hardStop: limits.HARD_STOP,
  maxConnections: limits.MAX_CONNECTIONS,
  maxHalfOpen: limits.MAX_HALF_OPEN,
  maxHalfOpenPerSource: limits.MAX_HALF_OPEN_PER_SOURCE,
  stuckPolicy: 'report',
  invariants: 'count',
  tables: undefined,
  interpreter: 'compiled',
}

/**
 * Something that a user's handler did wrong, or (internal) we did: then method and path are empty. A `late` fault came
 * when the response was whole or the handler over, so that nothing had to be reset. `worker`: a whole process ended.
 */
export interface HandlerFault {
  /** What happened. */
  readonly kind: 'crash' | 'hang' | 'late' | 'internal' | 'worker'
  /** Method of its request. */
  readonly method: string
  /** Path of its request, with query. */
  readonly path: string
  /** What was thrown, or an Error that says what was not done. */
  readonly error: unknown
}

export interface SupervisionServices {
  readonly clock: Clock
  readonly turn: TurnTime
  readonly counters: Counters
  readonly missed: MissedTransitions
  readonly stuck: StuckFeed
  readonly connections: ConnectionFeed
  readonly settings: Readonly<SupervisionSettings>
  /** Where inspectors listen; nobody does at first. */
  readonly inspection: InspectionHub
  readonly faults: FaultLog
}

/** An application whose connection can be drained in two steps (RFC 9114 section 5.2). */
export interface SupervisedApplication extends ConnectionApplication {
  /** Says that the end is near, while everything is still accepted. */
  announceDrain?(): void
  /** Says which requests will still be answered; later ones are rejected. */
  finishDrain?(): void
  /** Called about once a second while the connection lives. `now` in ms. */
  sweep?(now: number): void
  /** Numbers of the application for people who look at the connection. */
  report?(): Readonly<Record<string, number>>
}
