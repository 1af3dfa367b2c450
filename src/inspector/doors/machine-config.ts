// A machine of the feed as a config that XState can read, for tools that draw charts themselves: of XState 5, or of
// XState 4, where guards have another name. Used by the doors of this folder.
import type { ChartEdge, MachineDefinition } from '../protocol.ts'

interface TransitionConfig {
  readonly target?: string
  readonly guard?: string
  readonly cond?: string
  readonly actions?: readonly string[]
}

export interface NodeConfig {
  id?: string
  type?: string
  initial?: string
  states?: Record<string, NodeConfig>
  on?: Record<string, TransitionConfig[]>
  after?: Record<string, TransitionConfig[]>
  always?: TransitionConfig[]
  onDone?: TransitionConfig[]
}

const AFTER = /^after (?<delay>.+) ms$/

export function machineConfig(definition: MachineDefinition, version: 4 | 5): NodeConfig {
  const { nodes, edges, id } = definition
  const configs: NodeConfig[] = nodes.map(() => ({}))
  nodes.forEach(({ key, parent, type, initial }, index) => {
    const config = configs[index]!
    if (parent === -1) config.id = id
    else {
      const above = configs[parent]!
      above.states ??= {}
      above.states[key] = config
    }
    if (type === 'parallel' || type === 'final' || type === 'history') config.type = type
    if (initial >= 0) config.initial = nodes[initial]!.key
  })
  for (const edge of edges) {
    const target = edge.to < 0 ? undefined : targetOf(id, nodes[edge.to]!.id)
    addEdge(configs[edge.from]!, edge, target, version)
  }
  return configs[0]!
}

function targetOf(machine: string, node: string): string {
  return node === '' ? `#${machine}` : `#${machine}.${node}`
}

function addEdge(config: NodeConfig, edge: ChartEdge, target: string | undefined, version: 4 | 5): void {
  const { event, guard, actions } = edge
  const transition: TransitionConfig = {
    ...(target === undefined ? {} : { target }),
    ...(guard === undefined ? {} : version === 5 ? { guard } : { cond: guard }),
    ...(actions === undefined ? {} : { actions }),
  }
  const delay = AFTER.exec(event)?.groups?.delay
  // Ends of invoked actors stay events: their names say which.
  if (event === '') config.always = [...(config.always ?? []), transition]
  else if (event === 'done') config.onDone = [...(config.onDone ?? []), transition]
  else if (delay === undefined) config.on = withOne(config.on, event, transition)
  else config.after = withOne(config.after, delay, transition)
}

function withOne(
  lists: Record<string, TransitionConfig[]> = {},
  name: string,
  transition: TransitionConfig,
): Record<string, TransitionConfig[]> {
  return { ...lists, [name]: [...(lists[name] ?? []), transition] }
}
