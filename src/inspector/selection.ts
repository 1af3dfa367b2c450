// What one viewer has selected: an actor and its relatives, whose events are collected until the next tick takes them.
// Owned by feed-link.ts.
import type { AnyActorRef } from 'xstate'
import type { LifeActor } from '../machines/index.ts'
import type { MachineCatalogue } from './machine-catalogue.ts'
import type { Population } from './population.ts'
import { ACTOR_KINDS, type ActorEvent, EVENTS_PER_TICK, EventOutcome, type Selected } from './protocol.ts'
import { jsonText } from './redact.ts'
import { ServiceWatch } from './service-watch.ts'
import { HISTORY_STRIDE, type Track, type TrackListener } from './track.ts'

/** What a handler does, by the phase that it enters. */
const PHASE_EVENTS = ['start', 'cancel', 'graceOver', 'returned']

export class Selection implements TrackListener {
  /** The actor itself; undefined where nothing is selected. */
  track: Track | undefined
  dropped = 0
  /** Shows payloads. */
  isRevealed = false
  readonly #population: Population
  readonly #catalogue: MachineCatalogue
  readonly #now: () => number
  #events: ActorEvent[] = []
  readonly #watches = new Map<Track, ServiceWatch | undefined>()
  #most = 0

  constructor(population: Population, catalogue: MachineCatalogue, now: () => number) {
    this.#population = population
    this.#catalogue = catalogue
    this.#now = now
  }

  select(uid: number): Selected {
    this.clear()
    const track = this.#population.find(uid)
    if (track === undefined)
      return { type: 'selected', uid, related: [], history: [], start: 0, isWhole: false, isGone: true }
    this.track = track
    this.#follow()
    const history = eventsOf(track)
    const { start, isCut } = pastOf(track)
    const context = this.isRevealed ? contextOf(track) : undefined
    return {
      type: 'selected',
      uid,
      related: [...this.#watches.keys()].filter((each) => each !== track).map((each) => each.uid),
      history,
      start,
      isWhole: !isCut && start === 0,
      ...(track.isGone && { isGone: true }),
      ...(context === undefined ? {} : { context }),
    }
  }

  /** Events of the first `most` actors that come, instead of a selection. */
  watchAll(most: number): void {
    this.clear()
    this.#most = most
    for (const track of this.#population.tracks) this.handleBorn(track)
  }

  handleBorn(track: Track): void {
    const isWanted = this.#most > 0 ? this.#watches.size < this.#most : this.#isRelated(track)
    if (isWanted) this.#watch(track)
  }

  handleGone(track: Track): void {
    if (!this.#watches.has(track)) return
    this.#watches.get(track)?.stop()
    this.#watches.delete(track)
    track.unlisten(this)
  }

  clear(): void {
    for (const track of [...this.#watches.keys()]) this.handleGone(track)
    this.track = undefined
    this.#most = 0
    this.#events = []
  }

  takeEvents(): ActorEvent[] {
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  /** Above the selected one: the handler's stream, the service's handler. Below: handler, service, datagram channel. */
  #follow(): void {
    const { track } = this
    if (track === undefined) return
    this.#watch(track)
    let above = this.#population.find(track.parent)
    while (above !== undefined && ACTOR_KINDS[above.kind] !== 'connection') {
      this.#watch(above)
      above = this.#population.find(above.parent)
    }
    // Children come after their parents.
    for (const other of this.#population.tracks) if (this.#isRelated(other)) this.#watch(other)
  }

  #isRelated(track: Track): boolean {
    if (this.track === undefined || ACTOR_KINDS[this.track.kind] === 'connection') return false
    for (const watched of this.#watches.keys()) if (watched.uid === track.parent) return true
    return false
  }

  #watch(track: Track): void {
    if (this.#watches.has(track)) return
    const isService = ACTOR_KINDS[track.kind] === 'service' && !track.isGone
    const take = (event: ActorEvent): void => this.#push(event, track)
    const watch = isService
      ? new ServiceWatch(track, this.#catalogue, take, this.#now, () => this.isRevealed)
      : undefined
    this.#watches.set(track, watch)
    track.listen(this)
  }

  // --- TrackListener ---------------------------------------------------------------------------------------------

  handleEvent(track: Track, time: number, event: number, outcome: number, from: number, to: number): void {
    if (this.#events.length >= EVENTS_PER_TICK) this.dropped++
    else this.#push(eventOf(track, track.uid, time, event, outcome, from, to))
  }

  handleHandlerPhase(track: Track, from: number): void {
    const to = track.state
    const event = PHASE_EVENTS[to]!
    const { uid } = track
    this.#push({ uid, time: this.#now(), outcome: EventOutcome.transition, event, from, to }, track)
  }

  /** @param track whose log it belongs to, if its actor has no history of numbers */
  #push(event: ActorEvent, track?: Track): void {
    // One viewer writes it for all.
    if (track?.listeners?.[0] === this) track.record(event)
    if (this.#events.length >= EVENTS_PER_TICK) this.dropped++
    else this.#events.push(event)
  }
}

function eventOf(
  track: Track,
  uid: number,
  time: number,
  event: number,
  outcome: number,
  from: number,
  to: number,
): ActorEvent {
  const { table } = track.actor as LifeActor
  const done = table.actionList[from * table.width + event]
  return {
    uid,
    time,
    outcome,
    event: table.events[event] ?? 'unknown',
    from,
    to,
    ...(done !== undefined && { actions: done.map((action) => table.actions[action]!) }),
  }
}

/** Where what is kept of an actor begins. */
export function pastOf(track: Track): { readonly start: number; readonly isCut: boolean } {
  if (track.log !== undefined) return { start: track.logStart, isCut: true }
  return track.history ?? { start: track.state, isCut: true }
}

/** What is kept of an actor's past. */
export function eventsOf(track: Track): ActorEvent[] {
  if (track.log !== undefined) return [...track.log]
  const { entries = [] } = track.history ?? {}
  const events: ActorEvent[] = []
  for (let at = 0; at < entries.length; at += HISTORY_STRIDE) {
    const [time, event, outcome, from, to] = entries.slice(at, at + HISTORY_STRIDE)
    events.push(eventOf(track, track.uid, time, event, outcome, from, to))
  }
  return events
}

function contextOf(track: Track): string | undefined {
  if (ACTOR_KINDS[track.kind] !== 'service') return undefined
  const { context } = (track.actor as AnyActorRef).getSnapshot() as { context?: unknown }
  return context === undefined ? undefined : jsonText(context)
}
