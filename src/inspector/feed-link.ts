// One viewer of a local feed: what it has been told, what it is still to be told, and what it has selected. A tick takes
// from what is pending as much as a tick may hold; a viewer that is too slow is told later, and how much it missed.
// Made by local-feed.ts.
import { perform } from './actions.ts'
import { exportOf } from './exports.ts'
import type { FeedLink, FeedRequest, Viewer } from './feed.ts'
import { VIEWER_BACKLOG } from './limits.ts'
import type { LocalFeed, TickFacts } from './local-feed.ts'
import { connectionPanel, streamPanel } from './panels.ts'
import {
  type Count,
  type Heat,
  MOST_ROWS,
  type Move,
  ROWS_PER_TICK,
  type Row,
  type ServerMessage,
  type Tick,
} from './protocol.ts'
import { Selection } from './selection.ts'
import type { Track } from './track.ts'

export class LocalFeedLink implements FeedLink {
  readonly #feed: LocalFeed
  readonly #viewer: Viewer
  readonly #selection: Selection
  /** Those that the viewer has a row of. */
  readonly #known = new Set<Track>()
  /** Those whose row, or whose move, is still to be told. */
  readonly #pending = new Set<Track>()
  #gone: number[] = []
  #isFresh = true
  #isPaused = false
  #dropped = 0
  #counts = new Map<number, number[]>()
  readonly #heat = new Map<number, Float64Array>()
  #stuck = ''
  #fault = 0
  #told = { transitions: 0, ignored: 0, impossible: 0 }

  constructor(feed: LocalFeed, viewer: Viewer) {
    this.#feed = feed
    this.#viewer = viewer
    this.#selection = new Selection(feed.population, feed.catalogue, feed.now)
    const { transitions, ignored, impossible } = feed.population.tally
    this.#told = { transitions, ignored, impossible }
  }

  request(request: FeedRequest): void {
    if (request.type === 'select') this.#send(this.#selection.select(request.uid))
    else if (request.type === 'deselect') this.#selection.clear()
    else if (request.type === 'pause') this.#pause(request.isPaused)
    else if (request.type === 'watch') this.#selection.watchAll(request.most)
    else if (request.type === 'reveal') this.#reveal(request.isRevealed)
    else if (request.type === 'action')
      this.#send({ type: 'result', id: request.id, ...perform(this.#feed, request.action) })
    else if (request.type === 'export') void this.#export(request.id, request.what, request.uid)
    else void this.#chart(request.machine)
  }

  close(): void {
    this.#selection.clear()
    this.#feed.forget(this)
  }

  /** Called ten times a second. */
  tick(facts: TickFacts): void {
    this.#note()
    if (this.#isPaused) return
    if (this.#viewer.backlog > VIEWER_BACKLOG) {
      this.#dropped++
      return
    }
    if (facts.machines.length > 0) this.#send({ type: 'machines', machines: facts.machines })
    this.#send(this.#tickOf(facts))
    const events = this.#selection.takeEvents()
    const { dropped } = this.#selection
    this.#selection.dropped = 0
    this.#dropped += dropped
    if (events.length > 0)
      this.#send({
        type: 'events',
        worker: this.#feed.worker,
        events,
        ...(dropped > 0 && { dropped }),
      })
  }

  /** A tick was left out because ticks take too long. */
  skip(): void {
    this.#dropped++
  }

  #note(): void {
    const { born, moved, gone } = this.#feed.population
    for (const track of born) {
      this.#known.delete(track)
      this.#pending.add(track)
      this.#selection.handleBorn(track)
    }
    for (const track of moved) this.#pending.add(track)
    for (const track of gone) {
      this.#pending.delete(track)
      this.#selection.handleGone(track)
      if (this.#known.delete(track)) this.#gone.push(track.uid)
    }
    // A viewer that takes nothing for so long begins anew.
    if (this.#gone.length > MOST_ROWS) this.#begin()
  }

  #begin(): void {
    this.#isFresh = true
    this.#known.clear()
    this.#pending.clear()
    this.#gone = []
    this.#counts = new Map()
    this.#stuck = ''
    for (const track of this.#feed.population.tracks) this.#pending.add(track)
  }

  #tickOf(facts: TickFacts): Tick {
    const { population, worker } = this.#feed
    const wasFresh = this.#isFresh
    if (wasFresh) this.#begin()
    this.#isFresh = false
    const gone = this.#gone
    this.#gone = []
    const { rows, moves } = this.#takePending()
    const heat = this.#takeHeat()
    const counts = this.#takeCounts()
    const { transitions, ignored, impossible } = population.tally
    const told = this.#told
    this.#told = { transitions, ignored, impossible }
    return {
      type: 'tick',
      worker,
      now: facts.now,
      ...(wasFresh && { epoch: facts.epoch, isFresh: true }),
      ...(gone.length > 0 && { gone }),
      ...(rows.length > 0 && { rows }),
      ...(moves.length > 0 && { moves }),
      ...(counts.length > 0 && { counts }),
      ...(heat.length > 0 && { heat }),
      ...((facts.isFull || wasFresh) && { dwell: population.tally.tables.flatMap((tally) => tally.dwell()) }),
      ...this.#takeStuck(facts),
      ...this.#takeFaults(),
      ...this.#panels(),
      ...((facts.isFull || wasFresh) && { totals: this.#feed.totals() }),
      transitions: transitions - told.transitions,
      ...(ignored > told.ignored && { ignored: ignored - told.ignored }),
      ...(impossible > told.impossible && { impossible: impossible - told.impossible }),
      lag: facts.lag,
      cost: facts.cost,
      dropped: this.#dropped,
      ...(population.hidden > 0 && { hidden: population.hidden }),
    }
  }

  #takePending(): { rows: Row[]; moves: Move[] } {
    const rows: Row[] = []
    const moves: Move[] = []
    const { isRevealed } = this.#selection
    for (const track of this.#pending) {
      if (rows.length + moves.length >= ROWS_PER_TICK) break
      this.#pending.delete(track)
      if (this.#known.has(track)) moves.push([track.uid, track.state, track.since])
      else {
        this.#known.add(track)
        rows.push(track.row(isRevealed))
      }
    }
    return { rows, moves }
  }

  #takeCounts(): Count[] {
    const counts: Count[] = []
    const machines = new Set([...this.#counts.keys(), ...this.#feed.population.counts.keys()])
    const now = new Map<number, number[]>()
    for (const machine of machines) {
      const live = this.#feed.population.counts.get(machine) ?? []
      const told = this.#counts.get(machine) ?? []
      for (let state = 0; state < Math.max(live.length, told.length); state++) {
        const count = live[state] ?? 0
        if (count !== (told[state] ?? 0)) counts.push([machine, state, count])
      }
      now.set(machine, [...live])
    }
    this.#counts = now
    return counts
  }

  #takeHeat(): Heat[] {
    const heat: Heat[] = []
    for (const { machine, used, pairs } of this.#feed.population.tally.tables) {
      let told = this.#heat.get(machine)
      if (told === undefined) {
        told = new Float64Array(pairs.length)
        this.#heat.set(machine, told)
      }
      for (const pair of used) {
        if (pairs[pair] === told[pair]) continue
        heat.push([machine, pair, pairs[pair] - told[pair]])
        told[pair] = pairs[pair]
      }
    }
    return heat
  }

  #takeStuck({ stuck }: TickFacts): Partial<Tick> {
    const text = JSON.stringify(stuck)
    if (text === this.#stuck || (this.#stuck === '' && stuck.length === 0)) return {}
    this.#stuck = text
    return { stuck }
  }

  #takeFaults(): Partial<Tick> {
    const faults = this.#feed.faultsAfter(this.#fault)
    this.#fault = this.#feed.faultCount
    return faults.length === 0 ? {} : { faults }
  }

  #panels(): Partial<Tick> {
    const { track } = this.#selection
    if (track === undefined || track.isGone || track.supervisor === undefined) return {}
    const { supervisor, stream, uid } = track
    const above = this.#feed.population.of(supervisor.connection.actor)
    return {
      ...(above && { connection: connectionPanel(above.uid, supervisor) }),
      ...(stream && { stream: streamPanel(uid, stream, supervisor) }),
    }
  }

  #pause(isPaused: boolean): void {
    if (this.#isPaused && !isPaused) this.#begin()
    this.#isPaused = isPaused
  }

  /** Rows have their queries then, or no longer. */
  #reveal(isRevealed: boolean): void {
    this.#selection.isRevealed = isRevealed
    this.#begin()
    this.#send({ type: 'revealed', isRevealed })
  }

  async #export(id: number, what: 'trace' | 'test' | 'qlog', uid: number): Promise<void> {
    this.#send(await exportOf(this.#feed, id, what, uid))
  }

  async #chart(machine: number): Promise<void> {
    this.#send(await this.#feed.chart(machine))
  }

  #send(message: ServerMessage): void {
    this.#viewer.send(JSON.stringify(message))
  }
}
