// The states of the selected actor against time, one lane for each region.

import type { JSX } from 'preact'
import { duration } from '../model/format.ts'
import { useLive } from '../model/live.ts'
import type { Leaf, Machine } from '../model/machines.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { toneOf } from './states.tsx'

interface Span {
  readonly leaf: Leaf
  readonly from: number
  to: number
}

/** Spans of each region; a span goes on while its region's state stays. */
function lanesOf(machine: Machine, end: number): Map<string, Span[]> {
  const lanes = new Map<string, Span[]>()
  const { own } = selection
  const put = (state: number, time: number): void => {
    for (const leaf of machine.leavesIn(state)) {
      const lane = lanes.get(leaf.region) ?? []
      const last = lane.at(-1)
      if (last?.leaf.id !== leaf.id) {
        if (last !== undefined) last.to = time
        lane.push({ leaf, from: time, to: end })
      }
      lanes.set(leaf.region, lane)
    }
  }
  const first = own[0]
  if (first === undefined) put(selection.state, selection.actor?.since ?? 0)
  else put(first.from, first.time)
  for (const { outcome, to, time } of own) if (outcome === 0) put(to, time)
  return lanes
}

export function Timeline(): JSX.Element {
  useLive()
  const { machine, own, actor, isGone } = selection
  if (machine === undefined) return <p class="empty">No machine, no timeline.</p>
  const now = store.workers.get(actor?.worker ?? 0)?.now ?? 0
  const lastTime = own.at(-1)?.time ?? actor?.since ?? 0
  const isOver = isGone || selection.replay.value !== undefined
  const begin = own[0]?.time ?? actor?.since ?? 0
  const end = Math.max(begin + 1, isOver ? lastTime + (lastTime - begin) * 0.1 : now)
  const scale = (time: number): string => `${(((time - begin) / (end - begin)) * 100).toFixed(3)}%`
  const width = (from: number, to: number): string => `${(((to - from) / (end - begin)) * 100).toFixed(3)}%`
  const cursor = selection.cursor.value === undefined ? undefined : selection.entryAtCursor?.time
  return (
    <div class="timeline">
      {[...lanesOf(machine, end)].map(([region, spans]) => (
        <div class="lane" key={region}>
          <span class="region">{region === '' ? machine.id : region}</span>
          <div class="track">
            {spans.map((span, index) => (
              <span
                key={`${span.leaf.id} ${index}`}
                class={`span ${toneOf(span.leaf)}`}
                style={{ left: scale(span.from), width: width(span.from, span.to) }}
                title={`${span.leaf.label}: ${duration(span.to - span.from)}`}
              >
                {span.leaf.key}
              </span>
            ))}
            {own
              .filter(({ outcome }) => outcome !== 0)
              .map(({ seq, time, outcome, event }) => (
                <i
                  key={seq}
                  class={outcome === 1 ? 'mark ignored' : 'mark impossible'}
                  style={{ left: scale(time) }}
                  title={event}
                />
              ))}
            {cursor !== undefined && <i class="cursor" style={{ left: scale(cursor) }} />}
          </div>
        </div>
      ))}
      <div class="axis">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part}>{duration((end - begin) * part)}</span>
        ))}
      </div>
      <SpanTable machine={machine} end={end} />
      {!selection.isWhole && <p class="hint">Its life began before the first event that is known.</p>}
    </div>
  )
}

function SpanTable({ machine, end }: { machine: Machine; end: number }): JSX.Element {
  useLive()
  const spans = [...lanesOf(machine, end).values()].flat().sort((a, b) => a.from - b.from)
  const begin = spans[0]?.from ?? 0
  return (
    <table>
      <thead>
        <tr>
          <th>State</th>
          <th class="numeric">after</th>
          <th class="numeric">for</th>
        </tr>
      </thead>
      <tbody>
        {spans.map((span, index) => (
          <tr key={`${span.leaf.id} ${index}`}>
            <td>
              <span class={`leaf ${toneOf(span.leaf)}`}>{span.leaf.label}</span>
            </td>
            <td class="numeric">{duration(span.from - begin)}</td>
            <td class="numeric">{span.leaf.isFinal ? '' : duration(span.to - span.from)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
