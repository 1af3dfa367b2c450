// What the page derives from a machine's description: which boxes are lit in a state, which events are legal, how a
// state is called in short. Computed once per state and kept.
import type { MachineDefinition } from '../../../protocol.ts'

export interface Leaf {
  /** Id of the node: `open.send.dataSent`. */
  readonly id: string
  /** `send.dataSent`, or `confirmed`. */
  readonly label: string
  /** First word of the label, where a machine has regions. */
  readonly region: string
  readonly key: string
  readonly isFinal: boolean
}

const TRANSITION = 0

/** A machine with what was derived from it. */
export class Machine {
  readonly definition: MachineDefinition
  readonly #lit = new Map<number, readonly string[]>()
  readonly #leaves = new Map<number, readonly Leaf[]>()
  #allLeaves: readonly Leaf[] | undefined

  constructor(definition: MachineDefinition) {
    this.definition = definition
  }

  get id(): string {
    return this.definition.id
  }

  stateName(state: number): string {
    return this.definition.states[state]?.name ?? `state ${state}`
  }

  /** Ids of the nodes that are active. A final state of two parts lights both parts where they ended. */
  litIn(state: number): readonly string[] {
    let lit = this.#lit.get(state)
    if (lit === undefined) {
      lit = this.#findLit(state)
      this.#lit.set(state, lit)
    }
    return lit
  }

  #findLit(state: number): readonly string[] {
    const { nodes, states } = this.definition
    return (states[state]?.active ?? []).flatMap((index) => {
      const node = nodes[index]
      if (node === undefined) return []
      if (!node.key.includes('|')) return [node.id]
      const regions = this.#regions()
      return node.key.split('|').map((part, place) => `${regions[place] ?? ''}.${part}`)
    })
  }

  #regions(): string[] {
    const { nodes } = this.definition
    const parent = nodes.findIndex(({ type }) => type === 'parallel')
    return nodes.filter((node) => node.parent === parent).map(({ id }) => id)
  }

  /** The innermost active states: two for a bidirectional stream. */
  leavesIn(state: number): readonly Leaf[] {
    let leaves = this.#leaves.get(state)
    if (leaves === undefined) {
      const lit = this.litIn(state)
      leaves = lit
        .filter((id) => !lit.some((other) => other.startsWith(`${id}.`)))
        .map((id) => this.#leaf(id))
      this.#leaves.set(state, leaves)
    }
    return leaves
  }

  /** Every innermost state, in the order of the chart. */
  leaves(): readonly Leaf[] {
    if (this.#allLeaves === undefined) {
      const { nodes } = this.definition
      const inner = nodes.filter(
        (node, index) => node.parent >= 0 && !nodes.some(({ parent }) => parent === index),
      )
      this.#allLeaves = inner.filter(({ key }) => !key.includes('|')).map(({ id }) => this.#leaf(id))
    }
    return this.#allLeaves
  }

  #leaf(id: string): Leaf {
    const node = this.definition.nodes.find((other) => other.id === id)
    const region = this.#regions().find((other) => id.startsWith(`${other}.`))
    const regionKey = region === undefined ? '' : region.slice(region.lastIndexOf('.') + 1)
    const rest = region === undefined ? id : id.slice(region.length + 1)
    const label = region === undefined ? rest : `${regionKey}.${rest}`
    return { id, label, region: regionKey, key: rest, isFinal: node?.type === 'final' }
  }

  outcome(state: number, event: string): number | undefined {
    const { events, outcomes } = this.definition
    const index = events.indexOf(event)
    return index < 0 ? undefined : outcomes?.[state * events.length + index]
  }

  /** Events that the state takes; of a user's machine those that an active node has an arrow for. */
  legalEvents(state: number): string[] {
    const { events, outcomes, edges, states } = this.definition
    if (outcomes !== undefined) {
      return events.filter((_, index) => outcomes[state * events.length + index] === TRANSITION)
    }
    const active = new Set(states[state]?.active ?? [])
    const root = this.definition.nodes.findIndex(({ parent }) => parent < 0)
    active.add(root)
    const taken = edges.filter(
      ({ from, event }) => active.has(from) && event !== '' && !/^(after |done|error)/.test(event),
    )
    return [...new Set(taken.map(({ event }) => event))]
  }
}

/** Whose column an event belongs to in the sequence view. */
export function laneOf(event: string): 'peer' | 'transport' | 'handler' {
  if (event.startsWith('recv.')) return 'peer'
  if (event.startsWith('app.') || event.startsWith('handler.')) return 'handler'
  return 'transport'
}
