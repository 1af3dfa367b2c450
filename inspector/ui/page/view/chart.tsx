// The statechart of a machine: the server's SVG as it came. What is lit, what has just happened and what is hot are
// classes on its parts; nothing is drawn again.
import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { askForChart } from '../model/feed.ts'
import { edgeHeat } from '../model/heat.ts'
import type { Machine } from '../model/machines.ts'
import { type LogEntry, selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

interface ChartProps {
  readonly machine: Machine
  readonly state: number
  /** What has led to the state: its arrow flashes. */
  readonly last: LogEntry | undefined
  readonly showsHeat: boolean
  /** In its own size instead of fitted to the width. */
  readonly isLarge: boolean
}

export function ChartView({ machine, state, last, showsHeat, isLarge }: ChartProps): JSX.Element {
  store.machinesRevision.value
  if (showsHeat) store.second.value
  const holder = useRef<HTMLDivElement>(null)
  const chart = chartOf(machine)
  const svg = chart?.svg
  useLayoutEffect(() => light(holder.current!, machine, state), [machine, state, svg])
  useLayoutEffect(() => flash(holder.current!, machine, last), [last?.seq, svg])
  useLayoutEffect(
    () => heat(holder.current!, showsHeat ? machine : undefined),
    [showsHeat, store.second.value, svg, machine],
  )
  if (chart?.error !== undefined || svg === undefined) {
    return (
      <div class="chart-holder missing" ref={holder}>
        {chart?.error === undefined ? 'The chart is being laid out…' : `No chart: ${chart.error}`}
      </div>
    )
  }
  // Drawn by our own server, which escapes the texts in it.
  return (
    <div
      class={`chart-holder ${isLarge ? 'large' : ''}`}
      ref={holder}
      dangerouslySetInnerHTML={{ __html: svg }}
    />
  )
}

/** By the machine's number; a trace from a file has the number of another server, so its id decides. */
function chartOf(machine: Machine): { readonly svg?: string; readonly error?: string } | undefined {
  let { index } = machine.definition
  if (selection.replay.value !== undefined) {
    const known = [...store.machines.values()].find(({ id }) => id === machine.id)
    if (known === undefined) return { error: 'this server does not know the machine' }
    index = known.definition.index
  }
  const chart = store.charts.get(index)
  if (chart === undefined) askForChart(index)
  return chart
}

function light(holder: HTMLElement, machine: Machine, state: number): void {
  const lit = new Set(machine.litIn(state))
  for (const element of holder.querySelectorAll<SVGElement>('.state')) {
    element.classList.toggle('lit', lit.has(element.dataset.s ?? ''))
  }
}

function flash(holder: HTMLElement, machine: Machine, last: LogEntry | undefined): void {
  for (const element of holder.querySelectorAll('.edge.last')) element.classList.remove('last', 'flash')
  if (last === undefined || last.outcome !== 0) return
  const from = new Set(machine.litIn(last.from))
  const to = new Set(machine.litIn(last.to))
  for (const element of holder.querySelectorAll<SVGElement>('.edge')) {
    const { f = '', t = '', e = '' } = element.dataset
    const isTaken = e.split(' ').includes(last.event) && (f === '*' || from.has(f)) && to.has(t)
    if (isTaken) element.classList.add('last', 'flash')
  }
}

const HEAT_STEPS = 5

function heat(holder: HTMLElement, machine: Machine | undefined): void {
  const heats = machine === undefined ? undefined : edgeHeat(machine)
  const most = Math.log1p(Math.max(1, ...(heats?.values() ?? [])))
  for (const element of holder.querySelectorAll<SVGElement>('.edge')) {
    for (let step = 0; step <= HEAT_STEPS; step++) element.classList.remove(`heat${step}`)
    const { f = '', t = '', e = '' } = element.dataset
    if (heats === undefined || e === '') continue
    let times = 0
    for (const event of e.split(' ')) {
      for (const [key, value] of heats) {
        const [from, to, name] = key.split(' ')
        if (name === event && to === t && (f === '*' || f === from)) times += value
      }
    }
    element.classList.add(
      `heat${times === 0 ? 0 : Math.max(1, Math.ceil((Math.log1p(times) / most) * HEAT_STEPS))}`,
    )
  }
}
