// What a feed knows of one live actor. Made by population.ts.
import type { AnyActorRef } from 'xstate'
import type { LifeActor } from '../machines/index.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import type { DatagramChannel } from '../supervisor/datagram-channel.ts'
import type { HandlerActor } from '../supervisor/handler-actor.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import { LOG_LENGTH } from './limits.ts'
import { type ActorEvent, HISTORY_LENGTH, type Row } from './protocol.ts'

/** The actor itself: what it is keyed by, and what actions work on. */
export type TrackedActor = LifeActor | HandlerActor | DatagramChannel | AnyActorRef

/** Told of events of an actor that somebody has selected. */
export interface TrackListener {
  handleEvent(track: Track, time: number, event: number, outcome: number, from: number, to: number): void
  handleHandlerPhase(track: Track, from: number): void
}

/** Numbers per event of a history: time, event, outcome, state before, state after. */
export const HISTORY_STRIDE = 5

/** The latest events of an actor, flat. */
export class TrackHistory {
  readonly entries: number[] = []
  /** State before the first entry. */
  start: number
  /** Older ones were dropped. */
  isCut = false

  constructor(start: number) {
    this.start = start
  }

  push(time: number, event: number, outcome: number, from: number, to: number): void {
    const { entries } = this
    if (entries.length === HISTORY_LENGTH * HISTORY_STRIDE) {
      this.start = entries[4]
      this.isCut = true
      entries.splice(0, HISTORY_STRIDE)
    }
    entries.push(time, event, outcome, from, to)
  }
}

export class Track {
  readonly uid: number
  readonly kind: number
  readonly actor: TrackedActor
  readonly machine: number
  readonly key: number
  parent: number
  state = 0
  /** ms */
  since = 0
  text = ''
  /** Number of the scan that saw it last. */
  seen = 0
  /** Number of the scan that saw it first. */
  bornAt = 0
  isGone = false
  /** Of a stream. */
  stream: QuicStream | undefined = undefined
  /** Of a handler: its stream. */
  above: Track | undefined = undefined
  /** Of everything that belongs to a connection. */
  supervisor: ConnectionSupervisor | undefined = undefined
  history: TrackHistory | undefined = undefined
  /** Of handlers and users' machines: what viewers were told while they had it selected, and the state before. */
  log: ActorEvent[] | undefined = undefined
  logStart = 0
  /** Of a user's machine: the last one that was looked at. */
  snapshot: unknown = undefined
  /** Those who have selected it. */
  listeners: TrackListener[] | undefined = undefined

  constructor(uid: number, kind: number, actor: TrackedActor, machine: number, key: number, parent: number) {
    this.uid = uid
    this.kind = kind
    this.actor = actor
    this.machine = machine
    this.key = key
    this.parent = parent
  }

  /** @param isRevealed whether queries may be shown */
  row(isRevealed: boolean): Row {
    const { uid, kind, parent, machine, state, since, key, text } = this
    return [uid, kind, parent, machine, state, since, key, isRevealed ? text : withoutQuery(text)]
  }

  /** Keeps an event of an actor without a table. */
  record(event: ActorEvent): void {
    if (this.log === undefined) {
      this.log = []
      this.logStart = event.from
    }
    this.log.push(event)
    if (this.log.length > LOG_LENGTH) this.logStart = this.log.shift()!.to
  }

  listen(listener: TrackListener): void {
    this.listeners = [...(this.listeners ?? []), listener]
  }

  unlisten(listener: TrackListener): void {
    const rest = this.listeners?.filter((each) => each !== listener)
    this.listeners = rest === undefined || rest.length === 0 ? undefined : rest
  }
}

/** A query may contain what a payload contains. */
export function withoutQuery(text: string): string {
  const query = text.indexOf('?')
  return query === -1 ? text : `${text.slice(0, query)}?…`
}
