// All actors of a kind in one virtualised list, filtered and sorted.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import { parseQuery, query, TAB_KINDS, type Tab, tab } from '../model/filter.ts'
import { duration, shortName } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import { selection } from '../model/selection.ts'
import { type Actor, store } from '../model/store.ts'
import { States } from './states.tsx'
import { VirtualList } from './virtual-list.tsx'

const ROW_HEIGHT = 28

export type Order = 'opened' | 'age' | 'state' | 'text' | 'connection'
export const order = signal<Order>('opened')
export const isDescending = signal(false)

const COMPARE: Readonly<Record<Order, (a: Actor, b: Actor) => number>> = {
  opened: (a, b) => a.uid - b.uid,
  age: (a, b) => store.age(a) - store.age(b) || a.uid - b.uid,
  state: (a, b) => a.machine - b.machine || a.state - b.state || a.uid - b.uid,
  text: (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.uid - b.uid),
  connection: (a, b) => compareText(store.connectionName(a), store.connectionName(b)) || a.uid - b.uid,
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const TABS: readonly { readonly id: Tab; readonly label: string }[] = [
  { id: 'streams', label: 'Streams' },
  { id: 'connections', label: 'Connections' },
  { id: 'sessions', label: 'Sessions' },
  { id: 'handlers', label: 'Handlers' },
  { id: 'all', label: 'All' },
]

/** Filters and sorts again only when something that matters has changed. */
function useActors(): readonly Actor[] {
  const cache = useRef({ key: '', actors: [] as Actor[] })
  const { membership } = store
  const revision = store.revision.value
  const test = useMemo(() => parseQuery(query.value), [query.value])
  const isStable = test === undefined && order.value === 'opened'
  const key = `${tab.value} ${query.value} ${order.value} ${isDescending.value} ${isStable ? membership : revision}`
  if (cache.current.key !== key) {
    const kinds = TAB_KINDS[tab.value]
    const actors: Actor[] = []
    for (const actor of store.actors.values()) {
      if ((kinds === undefined || kinds.includes(actor.kind)) && (test === undefined || test(actor)))
        actors.push(actor)
    }
    const compare = COMPARE[order.value]
    actors.sort(isDescending.value ? (a, b) => compare(b, a) : compare)
    cache.current = { key, actors }
  }
  return cache.current.actors
}

function OrderButton({ by, label, className }: { by: Order; label: string; className: string }): JSX.Element {
  const isActive = order.value === by
  const sort = (): void => {
    if (isActive) isDescending.value = !isDescending.value
    else {
      order.value = by
      isDescending.value = by === 'age'
    }
  }
  const mark = isActive ? (isDescending.value ? ' ↓' : ' ↑') : ''
  return (
    <button type="button" class={`column ${className}`} onClick={sort} aria-pressed={isActive}>
      {label}
      {mark}
    </button>
  )
}

export function ActorList(): JSX.Element {
  useLive()
  const actors = useActors()
  const selected = selection.uid.value
  const place = useMemo(() => actors.findIndex(({ uid }) => uid === selected), [actors, selected])
  const move = (event: KeyboardEvent): void => {
    const by =
      event.key === 'ArrowDown' || event.key === 'j'
        ? 1
        : event.key === 'ArrowUp' || event.key === 'k'
          ? -1
          : 0
    const end = event.key === 'Home' ? 0 : event.key === 'End' ? actors.length - 1 : undefined
    if (by === 0 && end === undefined) return
    event.preventDefault()
    const next = actors[end ?? Math.max(0, Math.min(actors.length - 1, place + by))]
    if (next !== undefined) selection.select(next.uid)
  }
  return (
    <section class="list" aria-label="actors">
      <ListTabs shown={actors.length} />
      <div class="columns">
        <OrderButton by="opened" label="ID" className="key" />
        <OrderButton by="connection" label="Conn." className="connection" />
        <OrderButton by="text" label="Request" className="text" />
        <OrderButton by="state" label="State" className="state" />
        <OrderButton by="age" label="In state" className="age" />
      </div>
      <VirtualList
        count={actors.length}
        rowHeight={ROW_HEIGHT}
        label="actors"
        className="rows"
        onKeyDown={move}
        {...(place < 0 ? {} : { reveal: place, activeDescendant: `row-${selected}` })}
        render={(index) => <ActorRow actor={actors[index]!} isSelected={actors[index]!.uid === selected} />}
      />
      {actors.length === 0 && <p class="empty">{emptyText()}</p>}
    </section>
  )
}

function emptyText(): string {
  if (query.value !== '') return 'Nothing matches the filter.'
  return tab.value === 'streams'
    ? 'No live streams. They appear here as soon as a peer opens one.'
    : 'None alive.'
}

function ListTabs({ shown }: { shown: number }): JSX.Element {
  useLive()
  const counts = new Map<string, number>()
  for (const { kind } of store.actors.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const live = (id: Tab): number =>
    TAB_KINDS[id]?.reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0) ?? store.actors.size
  return (
    <div class="tabs" role="tablist" aria-label="kind of actor">
      {TABS.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          role="tab"
          aria-selected={tab.value === id}
          onClick={() => (tab.value = id)}
        >
          {label}{' '}
          <span class="number">
            {query.value !== '' && tab.value === id ? `${shown} of ${live(id)}` : live(id)}
          </span>
        </button>
      ))}
      {store.hidden > 0 && <span class="matches warn">{store.hidden} not listed</span>}
    </div>
  )
}

/** What stands for the request where there is none. */
const UNIDIRECTIONAL: Readonly<Record<string, string>> = {
  sendStream: '→ one way, ours',
  receiveStream: "← one way, the peer's",
}

function ActorRow({ actor, isSelected }: { actor: Actor; isSelected: boolean }): JSX.Element {
  useLive()
  const connection = store.connectionName(actor)
  const id = store.machines.get(actor.machine)?.id ?? actor.kind
  const text = actor.text === '' ? (UNIDIRECTIONAL[id] ?? id) : actor.text
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox around it and the page's keys do the same
    // biome-ignore lint/a11y/useFocusableInteractive: the listbox has the focus
    <div
      id={`row-${actor.uid}`}
      class={isSelected ? 'row selected' : 'row'}
      role="option"
      aria-selected={isSelected}
      onClick={() => selection.select(actor.uid)}
    >
      <span class="key">{actor.key >= 0 ? actor.key : '·'}</span>
      <span class="connection" title={connection}>
        {shortName(connection)}
      </span>
      <span class="text" title={`${actor.kind} ${text}`}>
        {actor.kind === 'stream' || actor.kind === 'handler'
          ? text
          : `${actor.kind} ${actor.kind === text ? '' : text}`}
      </span>
      <span class="state">
        <States machine={store.machines.get(actor.machine)} state={actor.state} />
      </span>
      <span class="age">{duration(store.age(actor))}</span>
    </div>
  )
}
