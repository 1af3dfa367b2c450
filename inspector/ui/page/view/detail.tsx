// The selected actor: who it is, its chart or another view of its life, and its events.
import { type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { duration, shortName } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import { selection } from '../model/selection.ts'
import { type Actor, store } from '../model/store.ts'
import { Actions } from './actions.tsx'
import { ChartView } from './chart.tsx'
import { ConnectionView } from './connection.tsx'
import { Exports } from './exports.tsx'
import { Log } from './log.tsx'
import { Sequence } from './sequence.tsx'
import { States } from './states.tsx'
import { Statistics } from './statistics.tsx'
import { Timeline } from './timeline.tsx'

type View = 'chart' | 'timeline' | 'sequence' | 'statistics' | 'connection'
const view = signal<View>('chart')
const showsHeat = signal(false)
const isLarge = signal(false)

const VIEWS: readonly (readonly [View, string])[] = [
  ['chart', 'Chart'],
  ['timeline', 'Timeline'],
  ['sequence', 'Sequence'],
  ['statistics', 'Times'],
  ['connection', 'Connection'],
]

export function Detail(): JSX.Element {
  useLive()
  const { machine, actor } = selection
  if (machine === undefined && actor === undefined) return <Nothing />
  return (
    <div class="detail">
      <Title />
      <Actions />
      <div class="tabs" role="tablist" aria-label="view of the selection">
        {VIEWS.map(([id, label]) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={view.value === id}
            onClick={() => (view.value = id)}
          >
            {label}
          </button>
        ))}
        {view.value === 'chart' && (
          <>
            <Option
              choice={showsHeat}
              label="heat"
              title="How often each transition was taken since this page is open"
            />
            <Option choice={isLarge} label="100 %" title="In its own size instead of fitted to the width" />
          </>
        )}
        <Exports />
      </div>
      <div class="view">
        <Body />
      </div>
      <Log />
    </div>
  )
}

function Option({
  choice,
  label,
  title,
}: {
  choice: Signal<boolean>
  label: string
  title: string
}): JSX.Element {
  const toggle = (): void => {
    choice.value = !choice.value
  }
  return (
    <label class="option" title={title}>
      <input type="checkbox" checked={choice.value} onChange={toggle} /> {label}
    </label>
  )
}

function Body(): JSX.Element {
  useLive()
  const { machine, state } = selection
  switch (view.value) {
    case 'timeline':
      return <Timeline />
    case 'sequence':
      return <Sequence />
    case 'statistics':
      return <Statistics />
    case 'connection':
      return <ConnectionView />
    default:
      if (machine === undefined) return <p class="empty">This actor has no machine.</p>
      return (
        <ChartView
          machine={machine}
          state={state}
          last={selection.entryAtCursor}
          showsHeat={showsHeat.value}
          isLarge={isLarge.value}
        />
      )
  }
}

function Nothing(): JSX.Element {
  const isUnknown = selection.uid.value !== 0
  return (
    <div class="detail nothing">
      <p>{isUnknown ? 'This actor is not known any more.' : 'Select a stream to see its machine.'}</p>
      <p class="hint">
        <kbd>/</kbd> filters, <kbd>j</kbd> <kbd>k</kbd> move, <kbd>s</kbd> selects what is stuck, <kbd>?</kbd>{' '}
        shows all keys.
      </p>
      <Exports />
    </div>
  )
}

function Title(): JSX.Element {
  useLive()
  const { actor, machine, state, isGone } = selection
  const trace = selection.replay.value
  const kind = trace?.actor.kind ?? actor?.kind ?? ''
  const key = trace?.actor.key ?? actor?.key ?? -1
  const text = trace?.actor.text ?? actor?.text ?? ''
  const isPast = selection.cursor.value !== undefined
  return (
    <div class="title">
      <h2>
        {kind} {key >= 0 ? key : ''} <small>{text}</small>
      </h2>
      <p>
        <span class="states">
          <States machine={machine} state={state} />
        </span>
        {trace !== undefined && <span class="badge">replay</span>}
        {isGone && <span class="badge">ended</span>}
        {isPast && trace === undefined && <span class="badge amber">in the past</span>}
        {actor !== undefined && !isGone && !isPast && (
          <span class="since">for {duration(store.age(actor))}</span>
        )}
        {actor !== undefined && <Deadline actor={actor} />}
      </p>
      <Family />
    </div>
  )
}

function Deadline({ actor }: { actor: Actor }): JSX.Element | null {
  useLive()
  const definition = store.machines.get(actor.machine)?.definition.states[actor.state]
  const stream = store.stream?.uid === actor.uid ? store.stream : undefined
  const waits = stream === undefined ? definition?.waitingFor?.join(' or ') : stream.waitingFor
  if (selection.isGone || (waits === undefined && definition?.deadline === undefined)) return null
  return (
    <span class="waits" title={definition?.why}>
      {waits !== undefined && waits !== '' && (
        <>
          waits for <b>{waits}</b>
          {stream !== undefined && stream.reason !== '' && `: ${stream.reason}`}
        </>
      )}
      {definition?.deadline !== undefined && <> · deadline {duration(definition.deadline)}</>}
    </span>
  )
}

/** Parents, children and relatives, to go to. */
function Family(): JSX.Element | null {
  useLive()
  const { actor } = selection
  if (actor === undefined || selection.replay.value !== undefined) return null
  const up: Actor[] = []
  for (let parent = store.find(actor.parent); parent !== undefined; parent = store.find(parent.parent))
    up.unshift(parent)
  const others = selection.related
    .map((uid) => store.find(uid))
    .filter((other) => other !== undefined && other.uid !== actor.uid && !up.includes(other)) as Actor[]
  const link = (other: Actor): JSX.Element => (
    <button key={other.uid} type="button" class="link" onClick={() => selection.select(other.uid)}>
      {other.kind}{' '}
      {other.kind === 'connection' ? shortName(store.connectionName(other)) : other.key >= 0 ? other.key : ''}
    </button>
  )
  if (up.length === 0 && others.length === 0) return null
  return (
    <p class="family">
      {up.map(link)}
      {others.length > 0 && <span class="muted">with</span>}
      {others.map(link)}
    </p>
  )
}
