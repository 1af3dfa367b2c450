// What is stuck, on top of everything: how long, how long it may be, and what it waits for.
import type { JSX } from 'preact'
import { duration, shortName } from '../model/format.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

/** Rows that are shown before "all". */
const FEW = 4

export function StuckList(): JSX.Element {
  store.revision.value
  const stuck = store.stuck()
  const selected = selection.uid.value
  if (stuck.length === 0) {
    return (
      <section class="stuck none" aria-label="stuck">
        <span class="dot ok" /> Nothing is stuck.
      </section>
    )
  }
  return (
    <section class="stuck some" aria-label="stuck">
      <h2>
        <span class="dot red" /> {stuck.length === 1 ? '1 is stuck' : `${stuck.length} are stuck`}
        <small> past the deadline of their state, longest first</small>
      </h2>
      <div class={stuck.length > FEW ? 'cards scroll' : 'cards'}>
        {stuck.map(({ row, worker }) => (
          <button
            type="button"
            key={`${row.uid} ${row.connection} ${row.stream} ${row.kind}`}
            class={row.uid !== 0 && row.uid === selected ? 'card selected' : 'card'}
            onClick={() => row.uid !== 0 && selection.select(row.uid)}
          >
            <span class="who">
              {row.kind} {row.stream ?? ''} <small>of {shortName(row.connection)}</small>
            </span>
            <span class="what">{row.state}</span>
            <span class="times">
              <b>{duration(worker.now - row.since)}</b> of {duration(row.deadline)}
            </span>
            <span class="reason">
              waits for <b>{row.waitingFor}</b>: {row.reason}
            </span>
          </button>
        ))}
      </div>
    </section>
  )
}
