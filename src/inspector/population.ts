// All live actors of an endpoint, as a feed knows them: looked through ten times a second while somebody looks, and told
// of transitions in between. What has come, moved and gone since the last look is in `born`, `moved` and `gone`.
// Owned by local-feed.ts.
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import { type CompiledMachine, type LifeActor, Outcome, type TransitionTap } from '../machines/index.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import type { Endpoint } from '../supervisor/endpoint.ts'
import { HandlerActor } from '../supervisor/handler-actor.ts'
import { KEPT_GONE, ROW_TEXT } from './limits.ts'
import type { MachineCatalogue } from './machine-catalogue.ts'
import { ACTOR_KINDS, type ActorKind, MOST_ROWS } from './protocol.ts'
import { Track, type TrackedActor, TrackHistory } from './track.ts'
import { TransitionTally } from './transition-tally.ts'

/** Numbers of actors of one worker start at its number times this. */
export const UIDS_PER_WORKER = 2 ** 40

/** A worker that was started again does not use the numbers of its forerunner: process IDs differ. */
const UIDS_PER_PROCESS = 2 ** 20
const PROCESSES = 2 ** 20

const KIND = Object.fromEntries(ACTOR_KINDS.map((kind, index) => [kind, index])) as Record<ActorKind, number>

export class Population implements TransitionTap {
  readonly tally: TransitionTally
  /** Live actors by machine and state. */
  counts: ReadonlyMap<number, readonly number[]> = new Map()
  born: Track[] = []
  moved: Track[] = []
  gone: Track[] = []
  /** Live actors that have no track because there are too many. */
  hidden = 0
  /** The latest events where they are impossible, oldest first; cleared by whoever reads them. */
  missed: { readonly actor: LifeActor; readonly state: number; readonly event: number }[] = []
  readonly #endpoint: Endpoint
  readonly #catalogue: MachineCatalogue
  readonly #tracks = new Map<TrackedActor, Track>()
  readonly #byUid = new Map<number, Track>()
  readonly #kept: Track[] = []
  /** Histories of actors that no scan has seen yet. */
  readonly #young = new Map<LifeActor, TrackHistory>()
  #counts = new Map<number, number[]>()
  /** The machine that was counted last: thousands of streams come one after the other. */
  #countedMachine = -1
  #counted: number[] = []
  #scan = 0
  #lastUid: number

  /** @param worker number of this process */
  constructor(endpoint: Endpoint, catalogue: MachineCatalogue, worker: number) {
    this.#endpoint = endpoint
    this.#catalogue = catalogue
    this.#lastUid = worker * UIDS_PER_WORKER + (process.pid % PROCESSES) * UIDS_PER_PROCESS
    this.tally = new TransitionTally((table) => this.#machineOf(table))
  }

  get tracks(): Iterable<Track> {
    return this.#tracks.values()
  }

  /** Also one that is gone, for a while. */
  find(uid: number): Track | undefined {
    return this.#byUid.get(uid) ?? this.#kept.find((track) => track.uid === uid)
  }

  of(actor: TrackedActor): Track | undefined {
    return this.#tracks.get(actor)
  }

  // --- TransitionTap ---------------------------------------------------------------------------------------------

  handleTransition(actor: LifeActor, event: number, outcome: number, from: number, since: number): void {
    const { now } = this.#endpoint.turn
    const to = actor.state
    this.tally.count(actor.table, from, to, event, outcome, now - since)
    if (outcome === Outcome.impossible && this.missed.length < KEPT_GONE)
      this.missed.push({ actor, state: from, event })
    const track = this.#tracks.get(actor)
    if (track === undefined) {
      let history = this.#young.get(actor)
      if (history === undefined) {
        history = new TrackHistory(from)
        this.#young.set(actor, history)
      }
      history.push(now, event, outcome, from, to)
      return
    }
    track.history ??= new TrackHistory(from)
    track.history.push(now, event, outcome, from, to)
    if (track.listeners === undefined) return
    for (const listener of track.listeners) listener.handleEvent(track, now, event, outcome, from, to)
  }

  // --- looking through -------------------------------------------------------------------------------------------

  /** Fills `born`, `moved`, `gone` and `counts`. */
  scan(): void {
    this.#scan++
    this.born = []
    this.moved = []
    this.gone = []
    this.hidden = 0
    this.#counts = new Map()
    this.#countedMachine = -1
    for (const { supervisor } of this.#endpoint.entries) this.#seeConnection(supervisor)
    for (const { actor, host } of this.#endpoint.inspection.services) this.#seeService(actor, host)
    this.counts = this.#counts
    this.#sweep()
    this.#young.clear()
  }

  #sweep(): void {
    for (const [actor, track] of this.#tracks) {
      if (track.seen === this.#scan) continue
      this.#tracks.delete(actor)
      this.#byUid.delete(track.uid)
      track.isGone = true
      this.#noteLastState(track)
      this.gone.push(track)
      this.#kept.push(track)
      if (this.#kept.length > KEPT_GONE) this.#kept.shift()
    }
  }

  /** How it ended is of interest to those who have it selected. */
  #noteLastState(track: Track): void {
    const { actor } = track
    if (actor instanceof HandlerActor) {
      const from = track.state
      track.state = actor.phase
      if (from !== track.state) this.#tellPhase(track, from)
    } else if ('table' in actor) track.state = actor.state
  }

  #seeConnection(supervisor: ConnectionSupervisor): void {
    const { connection, children, sessions } = supervisor
    const own = this.#see(connection.actor, 'connection', -1, 0, supervisor)
    const parent = own?.uid ?? 0
    if (own !== undefined && own.text === '') own.text = connectionText(supervisor)
    this.#see(connection.tls.actor, 'handshake', -1, parent, supervisor)
    for (const { actor } of connection.paths.list) this.#see(actor, 'path', -1, parent, supervisor)
    for (const actor of sessions.actors) this.#see(actor, 'session', idOf(actor), parent, supervisor)
    for (const [actor, stream] of children.streams) {
      const track = this.#see(actor, 'stream', stream.id, parent, supervisor)
      if (track !== undefined) track.stream = stream
    }
    for (const handler of children.handlers.values()) this.#seeHandler(handler, supervisor, parent)
    for (const [id, channel] of children.channels) {
      const above = this.#streamTrack(supervisor, id)?.uid ?? parent
      this.#note(channel, 'datagrams', this.#catalogue.datagrams, id, above, 0, 0, supervisor)
    }
  }

  #streamTrack(supervisor: ConnectionSupervisor, id: number): Track | undefined {
    const stream = supervisor.connection.streams.get(id)
    return stream === undefined ? undefined : this.#tracks.get(stream.actor)
  }

  #see(
    actor: LifeActor,
    kind: ActorKind,
    key: number,
    parent: number,
    supervisor: ConnectionSupervisor,
  ): Track | undefined {
    const known = this.#tracks.get(actor)
    if (known !== undefined) {
      this.#touch(known, actor.state, actor.since)
      return known
    }
    const machine = this.#catalogue.ofTable(actor.table, kind)
    const track = this.#note(actor, kind, machine, key, parent, actor.state, actor.since, supervisor)
    if (track !== undefined) track.history = this.#young.get(actor) ?? new TrackHistory(actor.state)
    return track
  }

  #seeHandler(handler: HandlerActor, supervisor: ConnectionSupervisor, connection: number): void {
    const { request, phase } = handler
    const known = this.#tracks.get(handler)
    if (known !== undefined && known.state === phase && known.above?.isGone === false) {
      this.#touch(known, phase, known.since)
      return
    }
    const stream = this.#streamTrack(supervisor, request.id)
    const since = Math.floor(phase === 0 ? handler.startedAt : handler.cancelledAt)
    const parent = stream?.uid ?? connection
    const { handler: machine } = this.#catalogue
    const before = known?.state
    const track = this.#note(handler, 'handler', machine, request.id, parent, phase, since, supervisor)
    if (track === undefined) return
    track.parent = parent
    track.above = stream
    if (track.text === '') track.text = `${request.method} ${request.path}`.slice(0, ROW_TEXT)
    if (before !== undefined && before !== phase) this.#tellPhase(track, before)
    if (stream !== undefined && stream.text === '') {
      stream.text = track.text
      // The page knows the stream already, without its text.
      if (stream.bornAt !== this.#scan) this.born.push(stream)
    }
  }

  #tellPhase(track: Track, from: number): void {
    for (const listener of track.listeners ?? []) listener.handleHandlerPhase(track, from)
  }

  #seeService(actor: AnyActorRef, host: object | undefined): void {
    const above = host === undefined ? undefined : this.#hostTrack(host)
    const machine = this.#tracks.get(actor)?.machine ?? this.#catalogue.ofService(actor)
    const snapshot = actor.getSnapshot() as AnyMachineSnapshot
    const known = this.#tracks.get(actor)
    const isSame = known !== undefined && known.snapshot === snapshot
    const state = isSame ? known.state : this.#catalogue.serviceState(actor, snapshot)
    const since = known !== undefined && known.state === state ? known.since : this.#endpoint.turn.now
    const { supervisor } = above ?? {}
    const track = this.#note(actor, 'service', machine, -1, above?.uid ?? 0, state, since, supervisor)
    if (track !== undefined) track.snapshot = snapshot
  }

  /** An exchange of HTTP/3 is its own handler; a session's host is the supervisor of its connection. */
  #hostTrack(host: object): Track | undefined {
    if (host instanceof HandlerActor) return this.#tracks.get(host)
    const { connection } = host as Partial<ConnectionSupervisor>
    return connection === undefined ? undefined : this.#tracks.get(connection.actor)
  }

  #note(
    actor: TrackedActor,
    kind: ActorKind,
    machine: number,
    key: number,
    parent: number,
    state: number,
    since: number,
    supervisor: ConnectionSupervisor | undefined,
  ): Track | undefined {
    const known = this.#tracks.get(actor)
    if (known !== undefined) {
      this.#touch(known, state, since)
      return known
    }
    if (this.#tracks.size >= MOST_ROWS) {
      this.hidden++
      this.#count(machine, state)
      return undefined
    }
    this.#lastUid++
    const track = new Track(this.#lastUid, KIND[kind], actor, machine, key, parent)
    track.supervisor = supervisor
    track.bornAt = this.#scan
    track.state = state
    track.since = since
    this.#tracks.set(actor, track)
    this.#byUid.set(track.uid, track)
    this.born.push(track)
    this.#touch(track, state, since)
    return track
  }

  /** It is still there. */
  #touch(track: Track, state: number, since: number): void {
    this.#count(track.machine, state)
    track.seen = this.#scan
    if (track.state === state && track.since === since) return
    track.state = state
    track.since = since
    this.moved.push(track)
  }

  #count(machine: number, state: number): void {
    if (machine !== this.#countedMachine) {
      let counts = this.#counts.get(machine)
      if (counts === undefined) {
        counts = []
        this.#counts.set(machine, counts)
      }
      this.#countedMachine = machine
      this.#counted = counts
    }
    this.#counted[state] = (this.#counted[state] ?? 0) + 1
  }

  #machineOf(table: CompiledMachine): number {
    return this.#catalogue.ofTable(table, 'stream')
  }
}

function connectionText(supervisor: ConnectionSupervisor): string {
  const { remote, version } = supervisor.connection
  const host = remote.family === 6 ? `[${remote.address}]` : remote.address
  return `${supervisor.name} ${host}:${remote.port} ${versionName(version)}`
}

export function versionName(version: number): string {
  if (version === 1) return 'v1'
  return version === 0x6b3343cf ? 'v2' : `0x${version.toString(16)}`
}

/** Sessions are named after the stream of their request. */
function idOf({ key }: LifeActor): number {
  return Number(String(key).replace(/^\D+/, ''))
}
