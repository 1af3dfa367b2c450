// A machine as a drawing wants it: states as nested boxes, transitions as arrows whose labels are events. Called by
// draw.ts.
import type { MachineDefinition } from '../protocol.ts'

/** What is drawn of a machine. */
export type Drawable = Pick<MachineDefinition, 'id' | 'nodes' | 'edges'>

export interface Box {
  /** Id of the state's node, or a name of its own for a dot. */
  readonly key: string
  readonly label: string
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history' | 'initial' | 'any'
  readonly children: readonly Box[]
  /** Where every way into it begins in any state, that way is a line of text below it. */
  readonly fromAny?: Arrow
}

export interface Arrow {
  readonly from: string
  readonly to: string
  /** In the order of the chart; the events between the same two states share an arrow. */
  readonly events: readonly string[]
  /** What is written beside it. */
  readonly labels: readonly string[]
}

export interface ChartGraph {
  readonly id: string
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
}

/** From as many states of one region, an event with one target is drawn once, from "any state". */
const ANY_STATE_SOURCES = 4

/** More labels than these are counted instead of written. */
const MOST_LABELS = 4

export function chartGraph(machine: Drawable): ChartGraph {
  return new GraphBuilder(machine).build()
}

class GraphBuilder {
  readonly #machine: Drawable
  readonly #arrows: Arrow[] = []

  constructor(machine: Drawable) {
    this.#machine = machine
  }

  build(): ChartGraph {
    const { id, nodes } = this.#machine
    let root = nodes.findIndex((node) => node.parent < 0)
    const top = this.#childrenOf(root)
    // A single state around everything says nothing that its content does not say.
    if (top.length === 1 && this.#childrenOf(top[0]!).length > 0) root = top[0]!
    const boxes = this.#boxesIn(root)
    return { id, boxes, arrows: merge(this.#arrows) }
  }

  /** Endings that only name the pair of parts that a parallel state ended with are not drawn: the parts show them. */
  #isDrawn(node: number): boolean {
    return !this.#machine.nodes[node]!.key.includes('|')
  }

  #childrenOf(parent: number): number[] {
    const indexes = this.#machine.nodes.map((_, index) => index)
    return indexes.filter((index) => this.#machine.nodes[index]!.parent === parent && this.#isDrawn(index))
  }

  #boxesIn(parent: number): Box[] {
    const { nodes } = this.#machine
    const { id, type, initial } = nodes[parent]!
    const children = this.#childrenOf(parent)
    if (children.length === 0) return []
    const boxes: Box[] = children.map((child) => {
      const { id: key, key: label, type: kind } = nodes[child]!
      return { key, label, kind, children: this.#boxesIn(child) }
    })
    const { kept, gathered } = gather(
      children.flatMap((child) => this.#arrowsFrom(child)),
      id,
    )
    this.#arrows.push(...kept)
    for (const arrow of gathered) {
      const place = boxes.findIndex(({ key }) => key === arrow.to)
      const isOnlyWay = !kept.some(({ to }) => to === arrow.to)
      if (isOnlyWay && boxes[place] !== undefined) boxes[place] = { ...boxes[place], fromAny: arrow }
      else {
        this.#arrows.push(arrow)
        boxes.push({ key: arrow.from, label: 'any state', kind: 'any', children: [] })
      }
    }
    if (type !== 'parallel' && nodes[initial] !== undefined) {
      const key = `${id}#initial`
      boxes.unshift({ key, label: '', kind: 'initial', children: [] })
      this.#arrows.push({ from: key, to: nodes[initial].id, events: [], labels: [] })
    }
    return boxes
  }

  #arrowsFrom(node: number): Arrow[] {
    const { nodes, edges } = this.#machine
    return edges
      .filter((edge) => edge.from === node && edge.to >= 0 && this.#isDrawn(edge.to))
      .map(({ from, to, event, guard }) => {
        const name = event === '' ? 'always' : event
        const label = guard === undefined ? name : `${name} [${guard}]`
        return { from: nodes[from]!.id, to: nodes[to]!.id, events: [event], labels: [label] }
      })
  }
}

/** The same event to the same target from many siblings becomes one arrow from a place of its own. */
function gather(arrows: readonly Arrow[], parent: string): { kept: Arrow[]; gathered: Arrow[] } {
  const groups = Map.groupBy(arrows, ({ to, events }) => `${to} ${events[0]}`)
  const kept: Arrow[] = []
  const gathered: Arrow[] = []
  for (const group of groups.values()) {
    const { to } = group[0]!
    if (group.length < ANY_STATE_SOURCES) kept.push(...group)
    else gathered.push({ ...group[0]!, from: `${parent}#any:${to}` })
  }
  return { kept, gathered: merge(gathered) }
}

function merge(arrows: readonly Arrow[]): Arrow[] {
  const groups = Map.groupBy(arrows, ({ from, to }) => `${from} ${to}`)
  return [...groups.values()].map((group) => {
    const events = [...new Set(group.flatMap((arrow) => arrow.events))]
    const labels = [...new Set(group.flatMap((arrow) => arrow.labels))]
    const shown = labels.length > MOST_LABELS ? [`${labels.length} events`] : labels
    return { from: group[0]!.from, to: group[0]!.to, events, labels: shown }
  })
}
