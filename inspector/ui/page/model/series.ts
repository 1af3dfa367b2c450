// The last minute of each number that is drawn as a small plot, one sample per second.
import type { ConnectionPanel } from '../../../protocol.ts'
import type { Machine } from './machines.ts'
import type { Store } from './store.ts'

/** Samples of a plot. */
export const SAMPLES = 60

export class Series {
  readonly #samples = new Map<string, number[]>()
  #selected = 0

  /** Adds one sample of everything. */
  sample(store: Store): void {
    for (const [label, live] of leafCounts(store)) this.#push(`count ${label}`, live)
    this.#push('lag', store.lag)
    this.#push(
      'rss',
      store.total((totals) => totals.process.rss),
    )
    this.#push(
      'heap',
      store.total((totals) => totals.process.heapUsed),
    )
    this.#push('transitions', store.transitionsPerSecond)
    if (store.connection !== undefined) this.#sampleConnection(store.connection)
  }

  #sampleConnection(panel: ConnectionPanel): void {
    if (panel.uid !== this.#selected) {
      for (const name of this.#samples.keys()) if (name.startsWith('connection ')) this.#samples.delete(name)
      this.#selected = panel.uid
    }
    for (const [name, value] of Object.entries(panel.metrics)) {
      if (typeof value === 'number') this.#push(`connection ${name}`, value)
    }
    this.#push('connection sendCredit', panel.flow.sendMax - panel.flow.sent)
    this.#push('connection receiveCredit', panel.flow.receiveMax - panel.flow.received)
    this.#push('connection datagramsQueued', panel.datagramsQueued)
  }

  #push(name: string, value: number): void {
    const samples = this.#samples.get(name) ?? []
    samples.push(value)
    if (samples.length > SAMPLES) samples.shift()
    this.#samples.set(name, samples)
  }

  of(name: string): readonly number[] {
    return this.#samples.get(name) ?? []
  }
}

/** Live actors by machine and innermost state, of all workers: `bidiStream send.dataSent`. Known states without any, too. */
export function leafCounts(store: Store): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { counts } of store.workers.values()) {
    for (const [index, states] of counts) {
      const machine = store.machines.get(index)
      if (machine !== undefined) addCounts(machine, states, sums)
    }
  }
  return sums
}

function addCounts(machine: Machine, states: ReadonlyMap<number, number>, sums: Map<string, number>): void {
  for (const leaf of machine.leaves()) {
    const name = `${machine.id} ${leaf.label}`
    if (!leaf.isFinal && !sums.has(name)) sums.set(name, 0)
  }
  for (const [state, live] of states) {
    for (const leaf of machine.leavesIn(state)) {
      const name = `${machine.id} ${leaf.label}`
      if (leaf.isFinal && live === 0) continue
      sums.set(name, (sums.get(name) ?? 0) + live)
    }
  }
}
