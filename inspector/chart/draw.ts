// Statecharts as SVG: `drawChart(machine)`. Run by the build for the machines of this package, and by the inspector's
// server, on demand and once per machine, for the machines of users.

import ElkConstructor from 'elkjs/lib/elk.bundled.js'
import type { ELK } from 'elkjs/lib/elk-api.js'
import { chartGraph, type Drawable } from './chart-graph.ts'
import { layout } from './layout.ts'
import { chartSvg } from './svg.ts'

let elk: ELK | undefined

/** @returns SVG text without style; colours come from the page's classes */
export async function drawChart(machine: Drawable): Promise<string> {
  elk ??= new (ElkConstructor as unknown as new () => ELK)()
  const graph = chartGraph(machine)
  return chartSvg(graph, await layout(elk, graph))
}
