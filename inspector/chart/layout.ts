// Places a chart's states and routes its transitions with ELK, once per machine. Called by draw.ts, at build time for
// the machines of this package, on the server for those of users.
import type { ELK, ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js'
import type { Arrow, Box, ChartGraph } from './chart-graph.ts'

/** Width of a character of the labels, px: they are set in a monospaced font of STATE_FONT and EVENT_FONT px. */
export const STATE_FONT = 13
export const EVENT_FONT = 11
const ADVANCE = 0.605
export const STATE_HEIGHT = 26
const STATE_PADDING = 18
export const EVENT_LINE = 13
const DOT = 10

const ROOT_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '14',
  'elk.spacing.edgeNode': '8',
  'elk.spacing.edgeEdge': '7',
  'elk.spacing.edgeLabel': '3',
  'elk.layered.spacing.nodeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeNodeBetweenLayers': '8',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '7',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.edgeLabels.sideSelection': 'SMART_DOWN',
  'elk.padding': '[top=4,left=4,bottom=4,right=4]',
}

const COMPOUND_OPTIONS = { 'elk.padding': '[top=28,left=10,bottom=10,right=10]' }

/** @returns ELK's graph with coordinates, in px */
export function layout(elk: ELK, graph: ChartGraph): Promise<ElkNode> {
  return elk.layout({
    id: '#root',
    layoutOptions: ROOT_OPTIONS,
    children: graph.boxes.map(elkNode),
    edges: graph.arrows.map(elkEdge),
  })
}

function elkNode(node: Box): ElkNode {
  if (node.children.length > 0) {
    return { id: node.key, layoutOptions: COMPOUND_OPTIONS, children: node.children.map(elkNode) }
  }
  if (node.kind === 'initial') return { id: node.key, width: DOT, height: DOT }
  const width = Math.ceil(node.label.length * STATE_FONT * ADVANCE) + STATE_PADDING
  if (node.fromAny === undefined) return { id: node.key, width, height: STATE_HEIGHT }
  const lines = captionOf(node.fromAny)
  const widest = Math.max(...lines.map((line) => line.length)) * EVENT_FONT * ADVANCE + 6
  return {
    id: node.key,
    width: Math.max(width, widest),
    height: STATE_HEIGHT + 4 + lines.length * EVENT_LINE,
    layoutOptions: { 'elk.layered.layering.layerConstraint': 'LAST' },
  }
}

function elkEdge(edge: Arrow, index: number): ElkExtendedEdge {
  const width = Math.max(0, ...edge.labels.map((label) => label.length)) * EVENT_FONT * ADVANCE + 6
  const height = edge.labels.length * EVENT_LINE
  const labels =
    edge.labels.length === 0 ? [] : [{ id: `l${index}`, text: edge.labels.join('\n'), width, height }]
  return { id: `e${index}`, sources: [edge.from], targets: [edge.to], labels }
}

/** What stands below a state that is entered from any other. */
export function captionOf(arrow: Arrow): readonly string[] {
  return ['from any state:', ...arrow.labels]
}
