// The selected actor: its events, and the place in them that is being looked at. Live, the page shows the present; with
// a cursor it shows the moment after one event, and can step. A trace from a file is looked at in the same way.
import { signal } from '@preact/signals'
import type { ActorEvent, Events, Selected, Trace } from '../../../protocol.ts'
import { Machine } from './machines.ts'
import { type Actor, store } from './store.ts'

export interface LogEntry extends ActorEvent {
  readonly seq: number
  readonly machine: Machine | undefined
}

/** Events that are kept of the selection. */
const MOST_ENTRIES = 10_000

class Selection {
  /** 0: nothing is selected. */
  readonly uid = signal(0)
  /** seq of the entry that is looked at; undefined: the present. */
  readonly cursor = signal<number | undefined>(undefined)
  /** Rises when entries or the selected actor have changed. */
  readonly revision = signal(0)
  readonly replay = signal<Trace | undefined>(undefined)
  entries: LogEntry[] = []
  actor: Actor | undefined
  start = 0
  isWhole = false
  isGone = false
  context: string | undefined
  related: readonly number[] = []
  droppedEvents = 0
  /** Set by feed.ts. */
  request: (uid: number) => void = () => {}
  #seq = 0
  #replayMachine: Machine | undefined

  select(uid: number): void {
    this.replay.value = undefined
    if (uid === this.uid.value) return
    this.#clear()
    this.uid.value = uid
    this.actor = store.find(uid)
    history.replaceState(undefined, '', uid === 0 ? location.pathname : `#${uid}`)
    this.request(uid)
    this.revision.value++
  }

  #clear(): void {
    this.entries = []
    this.cursor.value = undefined
    this.context = undefined
    this.related = []
    this.isGone = false
    this.droppedEvents = 0
    store.stream = undefined
  }

  /** The same server came back, or another one: numbers of actors may mean others now. */
  reconnected(): void {
    const uid = this.uid.value === 0 ? Number(location.hash.slice(1)) || 0 : this.uid.value
    if (uid === 0 || this.replay.value !== undefined) return
    this.#clear()
    this.uid.value = uid
    this.request(uid)
  }

  begin({ uid, related, history: past, start, isWhole, isGone, context }: Selected): void {
    if (uid !== this.uid.value || this.replay.value !== undefined) return
    this.actor = store.find(uid) ?? this.actor
    this.related = related
    this.start = start
    this.isWhole = isWhole
    this.isGone = isGone === true
    this.context = context
    this.entries = []
    for (const event of past) this.#add(event)
    this.revision.value++
  }

  append({ events, dropped }: Events): void {
    if (this.replay.value !== undefined) return
    for (const event of events) this.#add(event)
    this.droppedEvents += dropped ?? 0
    if (this.entries.length > MOST_ENTRIES) this.entries.splice(0, this.entries.length - MOST_ENTRIES)
    this.revision.value++
  }

  #add(event: ActorEvent): void {
    const actor = store.find(event.uid)
    const machine = actor === undefined ? undefined : store.machines.get(actor.machine)
    this.entries.push({ ...event, seq: ++this.#seq, machine })
  }

  /** After each tick: the actor may have come, moved or gone. */
  follow(): void {
    const uid = this.uid.value
    if (uid === 0 || this.replay.value !== undefined) return
    const actor = store.actors.get(uid)
    if (actor !== undefined) this.actor = actor
    else if (this.actor !== undefined) this.isGone = true
  }

  /** Looks at a trace that was saved. @throws Error when the text is none */
  load(text: string): void {
    const trace = JSON.parse(text) as Trace
    if (trace.format !== 'quactor-trace' || trace.formatVersion !== 1)
      throw new Error('this is no trace of quactor')
    this.#clear()
    const machine = new Machine(trace.machine)
    this.#replayMachine = machine
    this.uid.value = 0
    this.start = trace.start
    this.isWhole = trace.isWhole
    this.entries = trace.events.map((event) => ({ ...event, uid: 0, seq: ++this.#seq, machine }))
    this.replay.value = trace
    this.cursor.value = this.#seq - this.entries.length
    this.revision.value++
    this.request(0)
  }

  get machine(): Machine | undefined {
    if (this.replay.value !== undefined) return this.#replayMachine
    return this.actor === undefined ? undefined : store.machines.get(this.actor.machine)
  }

  /** Entries of the selected actor itself. */
  get own(): LogEntry[] {
    return this.entries.filter(({ uid }) => uid === this.uid.value)
  }

  /** The last own entry at or before the cursor. */
  get entryAtCursor(): LogEntry | undefined {
    const cursor = this.cursor.value
    return this.own.findLast(({ seq }) => cursor === undefined || seq <= cursor)
  }

  /** The state that is shown: the present one, or that at the cursor. */
  get state(): number {
    const entry = this.entryAtCursor
    if (this.cursor.value === undefined && this.replay.value === undefined) {
      return this.isGone ? (entry?.to ?? this.actor?.state ?? 0) : (this.actor?.state ?? 0)
    }
    return entry?.to ?? this.own[0]?.from ?? this.start
  }

  pause(): void {
    this.cursor.value = this.entries.at(-1)?.seq ?? this.#seq
  }

  resume(): void {
    this.cursor.value = undefined
  }

  /** @param by - 1: the next event, -1: the one before */
  step(by: 1 | -1): void {
    const { entries } = this
    if (this.cursor.value === undefined) this.pause()
    const cursor = this.cursor.value ?? 0
    const target =
      by > 0 ? entries.find(({ seq }) => seq > cursor) : entries.findLast(({ seq }) => seq < cursor)
    if (target !== undefined) this.cursor.value = target.seq
    else if (by < 0 && entries[0] !== undefined) this.cursor.value = entries[0].seq - 1
  }
}

export const selection = new Selection()
