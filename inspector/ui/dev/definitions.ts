// The machines of this package as the feed describes them, for the mock feed and for the charts of the build.
import type { AnyStateNode } from 'xstate'
import { type CompiledMachine, deadlinesOf } from '../../../src/machines/index.ts'
import type { ActorKind, ChartEdge, ChartNode, MachineDefinition } from '../../protocol.ts'

/** @param index - the machine's number on the feed */
export function describe(table: CompiledMachine, index: number, kind: ActorKind): MachineDefinition {
  const found: AnyStateNode[] = []
  collect(table.machine.root, found)
  const ids = new Map(found.map((node, place) => [node.path.join('.'), place]))
  const nodes = found.map((node) => toNode(node, ids))
  const deadlines = deadlinesOf(table)
  const states = table.snapshots.map((snapshot, state) => {
    const deadline = deadlines[state]
    const active = [...activeIn(snapshot.value, '')].map((id) => ids.get(id)!)
    const common = { name: table.name[state]!, active, isFinal: table.final[state] === 1 }
    if (deadline === undefined) return common
    const { ms, waitingFor, why } = deadline
    return Number.isFinite(ms) ? { ...common, deadline: ms, waitingFor, why } : { ...common, waitingFor, why }
  })
  const edges = found.flatMap((node, from) => toEdges(node, from, ids))
  const { id, events, outcome, next } = table
  return {
    index,
    id,
    kind,
    origin: 'built-in',
    nodes,
    edges,
    states,
    events,
    outcomes: [...outcome],
    next: [...next],
  }
}

function collect(node: AnyStateNode, into: AnyStateNode[]): void {
  into.push(node)
  for (const child of Object.values(node.states)) collect(child, into)
}

function toNode(node: AnyStateNode, ids: ReadonlyMap<string, number>): ChartNode {
  const first = node.type === 'compound' ? node.initial.target[0] : undefined
  return {
    id: node.path.join('.'),
    key: node.key,
    parent: node.parent === undefined ? -1 : ids.get(node.parent.path.join('.'))!,
    type: node.type,
    initial: first === undefined ? -1 : ids.get(first.path.join('.'))!,
  }
}

function toEdges(node: AnyStateNode, from: number, ids: ReadonlyMap<string, number>): ChartEdge[] {
  return [...node.transitions.values()]
    .flat()
    .flatMap(({ eventType: event, target }) =>
      (target ?? []).map((to) => ({ from, to: ids.get(to.path.join('.'))!, event })),
    )
}

function* activeIn(value: unknown, parent: string): Generator<string> {
  if (typeof value === 'string') yield parent === '' ? value : `${parent}.${value}`
  else {
    for (const [key, inner] of Object.entries(value as object)) {
      const id = parent === '' ? key : `${parent}.${key}`
      yield id
      yield* activeIn(inner, id)
    }
  }
}
