// Everything that the feed has told, kept current: the actors, counts, heat, faults, totals. Plain maps, and one signal
// that says that something has changed, at most ten times per second. Fed by feed.ts, read by the views.
import { signal } from '@preact/signals'
import {
  ACTOR_KINDS,
  type ActorKind,
  type Chart,
  type ConnectionPanel,
  type Dwell,
  type Fault,
  type Hello,
  type MachineDefinition,
  type Row,
  type StreamPanel,
  type StuckRow,
  type Tick,
  type Totals,
} from '../../../protocol.ts'
import { Machine } from './machines.ts'
import { Series } from './series.ts'

/** An actor as the page knows it; the object stays the same while its state changes. */
export interface Actor {
  readonly uid: number
  readonly worker: number
  readonly kind: ActorKind
  readonly parent: number
  readonly machine: number
  readonly key: number
  readonly text: string
  state: number
  /** On the worker's clock, ms. */
  since: number
  /** Text to search in, made when somebody searches. */
  haystack?: string
  haystackState?: number
}

export interface WorkerView {
  readonly number: number
  epoch: number
  now: number
  lag: number
  cost: number
  dropped: number
  hidden: number
  totals: Totals | undefined
  stuck: readonly StuckRow[]
  /** Live actors by machine and state. */
  readonly counts: Map<number, Map<number, number>>
  readonly dwell: Map<string, Dwell>
}

export interface TimedFault extends Fault {
  readonly worker: number
  readonly id: number
}

/** Crashes that are kept for reading. */
const MOST_FAULTS = 500
/** Actors that have ended and may still be named by the log. */
const MOST_REMEMBERED = 2_000

export class Store {
  hello: Hello | undefined
  readonly machines = new Map<number, Machine>()
  readonly actors = new Map<number, Actor>()
  readonly remembered = new Map<number, Actor>()
  readonly workers = new Map<number, WorkerView>()
  readonly faults: TimedFault[] = []
  readonly charts = new Map<number, Chart>()
  readonly heat = new Map<number, Map<number, number>>()
  readonly connectionPanels = new Map<string, Series>()
  connection: ConnectionPanel | undefined
  stream: StreamPanel | undefined
  transitionsPerSecond = 0
  /** Rises when actors come or go. */
  membership = 0
  readonly series = new Series()
  /** Rises with each tick. */
  readonly revision = signal(0)
  /** Rises once a second: counts with sparklines, heat, plots. */
  readonly second = signal(0)
  /** Rises when machines or charts have arrived. */
  readonly machinesRevision = signal(0)
  #lastSecond = 0
  #transitions = 0
  #faultId = 0

  /** A new connection to the feed: what was known is void. */
  begin(hello: Hello): void {
    this.hello = hello
    this.actors.clear()
    this.workers.clear()
    this.machines.clear()
    this.charts.clear()
    this.heat.clear()
    this.faults.length = 0
    this.connection = undefined
    this.stream = undefined
    this.membership++
    this.#changed()
  }

  addMachines(machines: readonly MachineDefinition[]): void {
    for (const definition of machines) this.machines.set(definition.index, new Machine(definition))
    this.machinesRevision.value++
  }

  addChart(chart: Chart): void {
    this.charts.set(chart.machine, chart)
    this.machinesRevision.value++
  }

  removeWorker(worker: number): void {
    for (const actor of this.actors.values()) if (actor.worker === worker) this.actors.delete(actor.uid)
    this.workers.delete(worker)
    this.membership++
    this.#changed()
  }

  apply(tick: Tick): void {
    const view = this.#worker(tick.worker)
    if (tick.isFresh) this.#refresh(view)
    view.now = tick.now
    view.lag = tick.lag
    view.cost = tick.cost
    view.dropped = tick.dropped
    view.hidden = tick.hidden ?? 0
    if (tick.epoch !== undefined) view.epoch = tick.epoch
    if (tick.totals !== undefined) view.totals = tick.totals
    if (tick.stuck !== undefined) view.stuck = tick.stuck
    if (tick.connection !== undefined) this.connection = tick.connection
    if (tick.stream !== undefined) this.stream = tick.stream
    this.#applyActors(tick)
    this.#applyNumbers(tick, view)
    this.#transitions += tick.transitions
    this.#changed()
  }

  #applyActors({ gone, rows, moves, worker }: Tick): void {
    for (const uid of gone ?? []) {
      const actor = this.actors.get(uid)
      if (actor !== undefined) this.#remember(actor)
      this.actors.delete(uid)
    }
    for (const row of rows ?? []) this.actors.set(row[0], toActor(row, worker))
    if (gone !== undefined || rows !== undefined) this.membership++
    for (const [uid, state, since] of moves ?? []) {
      const actor = this.actors.get(uid)
      if (actor === undefined) continue
      actor.state = state
      actor.since = since
    }
  }

  #applyNumbers({ counts, heat, dwell, faults, worker }: Tick, view: WorkerView): void {
    for (const [machine, state, live] of counts ?? []) inner(view.counts, machine).set(state, live)
    for (const [machine, pair, times] of heat ?? []) {
      const pairs = inner(this.heat, machine)
      pairs.set(pair, (pairs.get(pair) ?? 0) + times)
    }
    for (const entry of dwell ?? []) view.dwell.set(`${entry[0]}:${entry[1]}`, entry)
    for (const fault of faults ?? []) this.faults.push({ ...fault, worker, id: ++this.#faultId })
    if (this.faults.length > MOST_FAULTS) this.faults.splice(0, this.faults.length - MOST_FAULTS)
  }

  #remember(actor: Actor): void {
    this.remembered.set(actor.uid, actor)
    if (this.remembered.size <= MOST_REMEMBERED) return
    for (const oldest of this.remembered.keys()) {
      this.remembered.delete(oldest)
      break
    }
  }

  #refresh(view: WorkerView): void {
    for (const actor of this.actors.values()) if (actor.worker === view.number) this.actors.delete(actor.uid)
    view.counts.clear()
    view.stuck = []
    this.membership++
  }

  #worker(number: number): WorkerView {
    let view = this.workers.get(number)
    if (view === undefined) {
      const epoch = this.hello?.epoch ?? 0
      const counts = new Map()
      const empty = { now: 0, lag: 0, cost: 0, dropped: 0, hidden: 0, totals: undefined, stuck: [] }
      view = { number, epoch, ...empty, counts, dwell: new Map() }
      this.workers.set(number, view)
    }
    return view
  }

  #changed(): void {
    this.revision.value++
    const time = performance.now()
    const elapsed = time - this.#lastSecond
    if (elapsed < 995) return
    this.transitionsPerSecond = this.#lastSecond === 0 ? 0 : (this.#transitions * 1_000) / elapsed
    this.#transitions = 0
    this.#lastSecond = time
    this.series.sample(this)
    this.second.value++
  }

  /** The actor, also when it has ended a short while ago. */
  find(uid: number): Actor | undefined {
    return this.actors.get(uid) ?? this.remembered.get(uid)
  }

  /** ms that the actor has been in its state. */
  age(actor: Actor): number {
    return (this.workers.get(actor.worker)?.now ?? actor.since) - actor.since
  }

  connectionOf(actor: Actor): Actor | undefined {
    let current: Actor | undefined = actor
    while (current !== undefined && current.kind !== 'connection') current = this.find(current.parent)
    return current
  }

  /** First word of a connection's text: its name. */
  connectionName(actor: Actor): string {
    const connection = this.connectionOf(actor)
    return connection === undefined ? '' : connection.text.split(' ', 1)[0]!
  }

  stuck(): { readonly row: StuckRow; readonly worker: WorkerView }[] {
    const all = [...this.workers.values()].flatMap((worker) => worker.stuck.map((row) => ({ row, worker })))
    return all.sort((a, b) => b.worker.now - b.row.since - (a.worker.now - a.row.since))
  }

  /** Sum of a number of /status over all workers. */
  total(pick: (totals: Totals) => number): number {
    let sum = 0
    for (const { totals } of this.workers.values()) if (totals !== undefined) sum += pick(totals)
    return sum
  }

  get dropped(): number {
    let sum = 0
    for (const { dropped } of this.workers.values()) sum += dropped
    return sum
  }

  get hidden(): number {
    let sum = 0
    for (const { hidden } of this.workers.values()) sum += hidden
    return sum
  }

  get lag(): number {
    return Math.max(0, ...[...this.workers.values()].map(({ lag }) => lag))
  }
}

function toActor([uid, kind, parent, machine, state, since, key, text]: Row, worker: number): Actor {
  return { uid, worker, kind: ACTOR_KINDS[kind]!, parent, machine, key, text, state, since }
}

function inner<Key>(map: Map<Key, Map<number, number>>, key: Key): Map<number, number> {
  let found = map.get(key)
  if (found === undefined) {
    found = new Map()
    map.set(key, found)
  }
  return found
}

export const store = new Store()
