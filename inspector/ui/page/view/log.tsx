// The events of the selection: transitions, ignored ones in amber, impossible ones in red. Live it follows the end;
// paused, the marked event is the one whose moment the page shows.

import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { duration, timeOfDay } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import { type LogEntry, selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { VirtualList } from './virtual-list.tsx'

const ROW_HEIGHT = 24
const OUTCOMES = ['transition', 'ignored', 'impossible'] as const
const only = signal<'all' | 'own' | 'notable'>('all')

function visible(): readonly LogEntry[] {
  if (only.value === 'own') return selection.own
  if (only.value === 'notable') return selection.entries.filter(({ outcome }) => outcome !== 0)
  return selection.entries
}

export function Log(): JSX.Element {
  useLive()
  selection.revision.value
  const cursor = selection.cursor.value
  const entries = visible()
  const place = cursor === undefined ? undefined : entries.findLastIndex(({ seq }) => seq <= cursor)
  const newer = cursor === undefined ? 0 : entries.filter(({ seq }) => seq > cursor).length
  return (
    <section class="log" aria-label="events">
      <div class="bar">
        <h2>Events</h2>
        <button
          type="button"
          onClick={() => (cursor === undefined ? selection.pause() : selection.resume())}
          title="Space"
        >
          {cursor === undefined ? 'Pause' : selection.replay.value === undefined ? 'Go live' : 'To the end'}
        </button>
        <button type="button" onClick={() => selection.step(-1)} title="," aria-label="one event back">
          ‹ Back
        </button>
        <button type="button" onClick={() => selection.step(1)} title="." aria-label="one event forward">
          Step ›
        </button>
        {cursor !== undefined && (
          <span class="matches">{newer === 0 ? 'at the last event' : `${newer} newer`}</span>
        )}
        {selection.droppedEvents > 0 && <span class="matches warn">{selection.droppedEvents} dropped</span>}
        <label class="only">
          show{' '}
          <select
            value={only.value}
            onChange={(event) => (only.value = event.currentTarget.value as typeof only.value)}
          >
            <option value="all">all of the selection</option>
            <option value="own">this actor</option>
            <option value="notable">ignored and impossible</option>
          </select>
        </label>
      </div>
      <VirtualList
        count={entries.length}
        rowHeight={ROW_HEIGHT}
        label="events"
        className="rows"
        sticksToEnd
        {...(place === undefined || place < 0 ? {} : { reveal: place })}
        render={(index) => (
          <LogRow
            entry={entries[index]!}
            before={entries[index - 1]}
            isCursor={index === place}
            isLater={place !== undefined && index > place}
          />
        )}
      />
      {entries.length === 0 && (
        <p class="empty">
          {selection.isWhole ? 'Nothing has happened yet.' : 'No events since it was selected.'}
        </p>
      )}
    </section>
  )
}

function LogRow({ entry, before, isCursor, isLater }: LogRowProps): JSX.Element {
  const outcome = OUTCOMES[entry.outcome] ?? 'transition'
  const machine = entry.machine ?? selection.machine
  const actor = store.find(entry.uid)
  const who = actor === undefined ? '' : actor.key >= 0 ? `${actor.kind} ${actor.key}` : actor.kind
  const from = machine?.stateName(entry.from) ?? ''
  const to = machine?.stateName(entry.to) ?? ''
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox around it and the page's keys do the same
    // biome-ignore lint/a11y/useFocusableInteractive: the listbox has the focus
    <div
      class={`row ${outcome} ${isCursor ? 'selected' : ''} ${isLater ? 'later' : ''}`}
      role="option"
      aria-selected={isCursor}
      onClick={() => (selection.cursor.value = entry.seq)}
    >
      <span class="time">{timeText(entry, actor?.worker)}</span>
      <span class="delta">{before === undefined ? '' : `+${duration(entry.time - before.time)}`}</span>
      <span class="who">{who}</span>
      <span class="event">
        {entry.event}
        {entry.detail !== undefined && <small> {entry.detail}</small>}
      </span>
      <span class="change">
        {outcome === 'transition'
          ? from === to
            ? from
            : `${shorten(from, to)} → ${shorten(to, from)}`
          : `${outcome} in ${from}`}
        {entry.actions !== undefined && entry.actions.length > 0 && (
          <small> {entry.actions.join(', ')}</small>
        )}
      </span>
    </div>
  )
}

interface LogRowProps {
  readonly entry: LogEntry
  readonly before: LogEntry | undefined
  readonly isCursor: boolean
  readonly isLater: boolean
}

/** Of two parallel states only the part that differs. */
function shorten(name: string, other: string): string {
  const parts = name.split('|')
  const others = other.split('|')
  if (parts.length !== others.length || parts.length === 1) return name
  return parts.filter((part, index) => part !== others[index]).join('|')
}

function timeText({ time }: LogEntry, worker: number | undefined): string {
  const { replay } = selection
  if (replay.value !== undefined) return timeOfDay(Date.parse(replay.value.begin) + time)
  const view = store.workers.get(worker ?? 0)
  return timeOfDay((view?.epoch ?? 0) + time)
}
