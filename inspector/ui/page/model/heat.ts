// How often each arrow of a chart was taken since somebody looks, and how long states last.
import type { Machine } from './machines.ts'
import { store } from './store.ts'

/** Times by `from to event`, node ids; of all workers together. */
export function edgeHeat(machine: Machine): Map<string, number> {
  const heats = new Map<string, number>()
  const { events, next } = machine.definition
  for (const [index, pairs] of store.heat) {
    if (store.machines.get(index)?.id !== machine.id) continue
    for (const [pair, times] of pairs) {
      const state = Math.floor(pair / events.length)
      const event = events[pair % events.length]
      if (event === undefined) continue
      addPair(machine, { state, after: next?.[pair], event, times }, heats)
    }
  }
  return heats
}

interface Pair {
  readonly state: number
  readonly after: number | undefined
  readonly event: string
  readonly times: number
}

function addPair(machine: Machine, { state, after, event, times }: Pair, heats: Map<string, number>): void {
  const { nodes, edges } = machine.definition
  const from = new Set(machine.litIn(state))
  const to = after === undefined ? undefined : new Set(machine.litIn(after))
  for (const edge of edges) {
    if (edge.event !== event || edge.to < 0) continue
    const source = nodes[edge.from]!.id
    const target = nodes[edge.to]!.id
    if (!from.has(source) || (to !== undefined && !to.has(target))) continue
    const key = `${source} ${target} ${event}`
    heats.set(key, (heats.get(key) ?? 0) + times)
  }
}

export interface DwellRow {
  readonly state: string
  readonly p50: number
  readonly p99: number
  readonly left: number
}

/** Time in state; of several workers the one that has seen the most. */
export function dwellOf(machine: Machine): DwellRow[] {
  const rows = new Map<string, DwellRow>()
  for (const { dwell } of store.workers.values()) {
    for (const [index, state, p50, p99, left] of dwell.values()) {
      const other = store.machines.get(index)
      if (other?.id !== machine.id) continue
      const name = other.stateName(state)
      if ((rows.get(name)?.left ?? 0) < left) rows.set(name, { state: name, p50, p99, left })
    }
  }
  return [...rows.values()].sort((a, b) => b.left - a.left)
}
