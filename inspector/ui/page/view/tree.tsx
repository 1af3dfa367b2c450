// The supervision tree: server, workers, connections, streams, handlers, datagram channels. A flat virtualised list of
// those that are unfolded.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { duration } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import { selection } from '../model/selection.ts'
import { type Actor, store } from '../model/store.ts'
import { States } from './states.tsx'
import { VirtualList } from './virtual-list.tsx'

const ROW_HEIGHT = 26
/** Up to as many actors everything is unfolded at first. */
const ALL_UNFOLDED = 200

const folded = signal<ReadonlySet<number>>(new Set())
const unfolded = signal<ReadonlySet<number>>(new Set())

interface Branch {
  readonly actor: Actor
  readonly depth: number
  readonly children: number
  readonly isOpen: boolean
}

function branches(): Branch[] {
  const children = new Map<number, Actor[]>()
  for (const actor of store.actors.values()) {
    const parent = store.actors.has(actor.parent) ? actor.parent : 0
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [actor])
    else siblings.push(actor)
  }
  const isSmall = store.actors.size <= ALL_UNFOLDED
  const rows: Branch[] = []
  const visit = (actor: Actor, depth: number): void => {
    const below = children.get(actor.uid) ?? []
    const isOpen = isSmall ? !folded.value.has(actor.uid) : unfolded.value.has(actor.uid)
    rows.push({ actor, depth, children: below.length, isOpen })
    if (isOpen) for (const child of below) visit(child, depth + 1)
  }
  for (const actor of children.get(0) ?? []) visit(actor, 1)
  return rows
}

function toggle(uid: number): void {
  const set = store.actors.size <= ALL_UNFOLDED ? folded : unfolded
  const next = new Set(set.value)
  if (!next.delete(uid)) next.add(uid)
  set.value = next
}

export function Tree(): JSX.Element {
  useLive()
  store.revision.value
  const rows = branches()
  const crashed = store.total((totals) => totals.actors.crashed)
  return (
    <section class="tree pane" aria-label="supervision tree">
      <div class="root">
        <b>server</b> <span class="muted">{store.hello?.url}</span>
        <span class="muted">
          {store.workers.size > 1 && `${store.workers.size} workers · `}
          {store.actors.size} actors{crashed > 0 && ` · ${crashed} crashed`}
        </span>
      </div>
      <VirtualList
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        label="supervision tree"
        className="rows"
        render={(index) => <BranchRow branch={rows[index]!} />}
      />
    </section>
  )
}

function BranchRow({ branch: { actor, depth, children, isOpen } }: { branch: Branch }): JSX.Element {
  useLive()
  const crashes = faultsOf(actor)
  return (
    <div
      class={actor.uid === selection.uid.value ? 'row selected' : 'row'}
      style={{ paddingLeft: `${depth * 18 - 10}px` }}
    >
      {children > 0 ? (
        <button
          type="button"
          class="fold"
          aria-expanded={isOpen}
          aria-label="unfold"
          onClick={() => toggle(actor.uid)}
        >
          {isOpen ? '▾' : '▸'}
        </button>
      ) : (
        <span class="fold" />
      )}
      <button type="button" class="name" onClick={() => selection.select(actor.uid)}>
        <b>{actor.kind}</b> {actor.key >= 0 ? actor.key : ''} <span class="muted">{actor.text}</span>
      </button>
      {!isOpen && children > 0 && <span class="number">{children}</span>}
      {crashes > 0 && <span class="number bad">{crashes} crashed</span>}
      <span class="state">
        <States machine={store.machines.get(actor.machine)} state={actor.state} />
      </span>
      <span class="age">{duration(store.age(actor))}</span>
    </div>
  )
}

function faultsOf(actor: Actor): number {
  if (actor.kind !== 'connection' || store.faults.length === 0) return 0
  const name = store.connectionName(actor)
  return store.faults.filter(({ connection }) => connection === name).length
}
