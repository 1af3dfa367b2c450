// Who said what to whom: peer, transport, stream, handler, from top to bottom in the order of the events.

import type { JSX } from 'preact'
import { duration } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import { laneOf } from '../model/machines.ts'
import { type LogEntry, selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

const LANES = ['peer', 'transport', 'stream', 'handler'] as const
const LANE_WIDTH = 150
const STEP = 26
const TOP = 34
const LEFT = 70
/** Events that are drawn: the last ones. */
const MOST = 200
const OUTCOMES = ['transition', 'ignored', 'impossible'] as const

/** From which lane to which: what has arrived comes from the peer, what was sent goes there by way of the transport. */
function laneNumbers(entry: LogEntry): readonly [number, number] {
  const kind = store.find(entry.uid)?.kind
  if (kind === 'handler' || kind === 'service') return entry.event.startsWith('xstate.') ? [3, 3] : [2, 3]
  const lane = laneOf(entry.event)
  if (lane === 'peer') return [0, 2]
  if (lane === 'handler') return [3, 2]
  return entry.event.startsWith('send.') && !/Acked$/.test(entry.event) ? [2, 1] : [1, 2]
}

export function Sequence(): JSX.Element {
  useLive()
  const entries = selection.entries.slice(-MOST)
  if (entries.length === 0) return <p class="empty">No events yet.</p>
  const begin = entries[0]!.time
  const height = TOP + entries.length * STEP + 16
  const width = LEFT + LANE_WIDTH * LANES.length
  const x = (lane: number): number => LEFT + LANE_WIDTH * (lane + 0.5)
  const cursor = selection.cursor.value
  return (
    <svg
      class="sequence"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="sequence of events"
    >
      <defs>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0 0.8 7.4 4 0 7.2z" class="arrow" />
        </marker>
      </defs>
      {LANES.map((lane, index) => (
        <g key={lane} class="life">
          <text x={x(index)} y={18}>
            {lane}
          </text>
          <line x1={x(index)} x2={x(index)} y1={26} y2={height - 6} />
        </g>
      ))}
      {entries.map((entry, index) => {
        const [from, to] = laneNumbers(entry)
        const y = TOP + index * STEP + 16
        const middle = (x(from) + x(to)) / 2
        const later = cursor !== undefined && entry.seq > cursor ? 'later' : ''
        return (
          <g key={entry.seq} class={`message ${OUTCOMES[entry.outcome]} ${later}`}>
            <text class="when" x={4} y={y + 4}>
              {duration(entry.time - begin)}
            </text>
            {from === to ? (
              <circle cx={x(from)} cy={y} r={4} />
            ) : (
              <line x1={x(from)} x2={x(to) + (to > from ? -2 : 2)} y1={y} y2={y} marker-end="url(#tip)" />
            )}
            <text x={from === to ? x(from) : middle} y={y - 5}>
              {entry.event}
            </text>
          </g>
        )
      })}
    </svg>
  )
}
