// A placed chart as SVG text. States carry `data-s` (their path), transitions `data-f`, `data-t` and `data-e` (from, to,
// events), so that the page lights them by setting a class. Called by draw.ts.
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js'
import type { Arrow, Box, ChartGraph } from './chart-graph.ts'
import { captionOf, EVENT_LINE, STATE_HEIGHT } from './layout.ts'

interface Offset {
  readonly x: number
  readonly y: number
}

export function chartSvg(graph: ChartGraph, placed: ElkNode): string {
  const kinds = new Map<string, Box>()
  indexNodes(graph.boxes, kinds)
  const offsets = new Map<string, Offset>()
  const states: string[] = []
  drawChildren(placed, { x: 0, y: 0 }, { kinds, offsets, states })
  const edges = (placed.edges ?? []).map((edge, index) => drawEdge(edge, graph.arrows[index]!, offsets))
  const width = Math.ceil(placed.width ?? 0)
  const height = Math.ceil(placed.height ?? 0)
  const title = escapeXml(graph.id)
  return (
    `<svg class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `aria-label="statechart ${title}">${ARROWS}${states.join('')}${edges.join('')}</svg>`
  )
}

const ARROWS =
  '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" ' +
  'orient="auto-start-reverse"><path d="M0 0.8 7.4 4 0 7.2z" class="arrow"/></marker></defs>'

interface Drawing {
  readonly kinds: ReadonlyMap<string, Box>
  readonly offsets: Map<string, Offset>
  readonly states: string[]
}

function indexNodes(nodes: readonly Box[], into: Map<string, Box>): void {
  for (const node of nodes) {
    into.set(node.key, node)
    indexNodes(node.children, into)
  }
}

function drawChildren(parent: ElkNode, origin: Offset, drawing: Drawing): void {
  drawing.offsets.set(parent.id, origin)
  for (const child of parent.children ?? []) {
    const node = drawing.kinds.get(child.id)!
    const at = { x: origin.x + (child.x ?? 0), y: origin.y + (child.y ?? 0) }
    drawing.states.push(drawNode(node, child, at))
    drawChildren(child, at, drawing)
  }
}

function drawNode(node: Box, placed: ElkNode, { x, y }: Offset): string {
  const width = round(placed.width ?? 0)
  const height = node.fromAny === undefined ? round(placed.height ?? 0) : STATE_HEIGHT
  const middle = round(x + width / 2)
  if (node.kind === 'initial') {
    return `<circle class="initial" cx="${middle}" cy="${round(y + height / 2)}" r="4.5"/>`
  }
  const label = escapeXml(node.label)
  if (node.kind === 'any') {
    return `<g class="any"><text x="${middle}" y="${round(y + height / 2 + 4)}">${label}</text></g>`
  }
  const box = (inset: number, className: string): string =>
    `<rect class="${className}" x="${round(x + inset)}" y="${round(y + inset)}" ` +
    `width="${round(width - 2 * inset)}" height="${round(height - 2 * inset)}" rx="${8 - inset}"/>`
  const inner = node.kind === 'final' ? box(3, 'inner') : ''
  const nested = node.children.length > 0
  const text = nested
    ? `<text class="title" x="${round(x + 14)}" y="${round(y + 21)}">${label}</text>`
    : `<text x="${middle}" y="${round(y + height / 2 + 4)}">${label}</text>`
  return `<g class="state ${node.kind}" data-s="${escapeXml(node.key)}">${box(0, 'box')}${inner}${text}</g>${captionSvg(node, middle, y + height)}`
}

/** The way in from any state, as text; it lights up like an arrow. */
function captionSvg({ fromAny }: Box, middle: number, below: number): string {
  if (fromAny === undefined) return ''
  const lines = captionOf(fromAny).map((line, index) => {
    const y = round(below + EVENT_LINE * (index + 1) + 1)
    return `<text x="${middle}" y="${y}">${escapeXml(line)}</text>`
  })
  const events = escapeXml(fromAny.events.join(' '))
  return `<g class="edge caption" data-f="*" data-t="${escapeXml(fromAny.to)}" data-e="${events}">${lines.join('')}</g>`
}

function drawEdge(
  edge: ElkExtendedEdge,
  { from, to, events, labels }: Arrow,
  offsets: ReadonlyMap<string, Offset>,
): string {
  const container = (edge as { container?: string }).container ?? '#root'
  const { x, y } = offsets.get(container) ?? { x: 0, y: 0 }
  const paths = (edge.sections ?? []).map(({ startPoint, bendPoints = [], endPoint }) =>
    roundedPath([startPoint, ...bendPoints, endPoint].map((point) => ({ x: point.x + x, y: point.y + y }))),
  )
  const texts = (edge.labels ?? []).flatMap((label) =>
    labels.map((text, line) => {
      const left = round(x + (label.x ?? 0) + 3)
      const top = round(y + (label.y ?? 0) + EVENT_LINE * (line + 1) - 3)
      return `<text x="${left}" y="${top}">${escapeXml(text)}</text>`
    }),
  )
  const source = from.includes('#any:') ? '*' : from
  const attributes = `data-f="${escapeXml(source)}" data-t="${escapeXml(to)}" data-e="${escapeXml(events.join(' '))}"`
  return `<g class="edge" ${attributes}><path d="${paths.join('')}" marker-end="url(#arrow)"/>${texts.join('')}</g>`
}

const CORNER = 6

function roundedPath(points: readonly Offset[]): string {
  const [first, ...rest] = points as [Offset, ...Offset[]]
  let path = `M${round(first.x)} ${round(first.y)}`
  rest.forEach((point, index) => {
    const next = rest[index + 1]
    if (next === undefined) {
      path += `L${round(point.x)} ${round(point.y)}`
      return
    }
    const before = towards(point, index === 0 ? first : rest[index - 1]!)
    const after = towards(point, next)
    path += `L${round(before.x)} ${round(before.y)}Q${round(point.x)} ${round(point.y)} ${round(after.x)} ${round(after.y)}`
  })
  return path
}

function towards(corner: Offset, other: Offset): Offset {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y)
  const part = length === 0 ? 0 : Math.min(CORNER, length / 2) / length
  return { x: corner.x + (other.x - corner.x) * part, y: corner.y + (other.y - corner.y) * part }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
