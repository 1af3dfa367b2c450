// Counts what machines do while somebody looks: how often each pair of state and event, and how long states last. Fed by
// population.ts with numbers, some thousand times a second; read ten times a second.
import { type CompiledMachine, Outcome } from '../machines/index.ts'
import type { Dwell } from './protocol.ts'

/** Buckets of time in state: four per doubling from 1 ms, so that a value is known to a fifth. */
const BUCKETS = 96

/** Counts of one machine. */
export class TableTally {
  readonly machine: number
  /** By `state * width + event`. */
  readonly pairs: Float64Array
  /** Pairs that have ever been counted. */
  readonly used: number[] = []
  readonly #width: number
  readonly #times: Uint32Array
  readonly #left: Uint32Array

  constructor(machine: number, table: CompiledMachine) {
    this.machine = machine
    this.#width = table.width
    this.pairs = new Float64Array(table.stateCount * table.width)
    this.#times = new Uint32Array(table.stateCount * BUCKETS)
    this.#left = new Uint32Array(table.stateCount)
  }

  count(state: number, event: number): void {
    const pair = state * this.#width + event
    if (this.pairs[pair]++ === 0) this.used.push(pair)
  }

  /** A state was left after so many ms. */
  leave(state: number, ms: number): void {
    const bucket = ms <= 0 ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log2(ms + 1) * 4))
    this.#times[state * BUCKETS + bucket]++
    this.#left[state]++
  }

  /** One entry for each state that has been left. */
  dwell(): Dwell[] {
    const dwells: Dwell[] = []
    this.#left.forEach((left, state) => {
      if (left > 0)
        dwells.push([this.machine, state, this.#quantile(state, 0.5), this.#quantile(state, 0.99), left])
    })
    return dwells
  }

  /** The middle of the bucket in which the quantile is, ms. */
  #quantile(state: number, quantile: number): number {
    let rest = Math.ceil(this.#left[state] * quantile)
    let bucket = 0
    while (bucket < BUCKETS - 1) {
      rest -= this.#times[state * BUCKETS + bucket]
      if (rest <= 0) break
      bucket++
    }
    return bucket === 0 ? 0 : Math.round((2 ** ((bucket + 0.5) / 4) - 1) * 10) / 10
  }
}

export class TransitionTally {
  transitions = 0
  ignored = 0
  impossible = 0
  readonly tables: TableTally[] = []
  readonly #byTable = new Map<CompiledMachine, TableTally>()
  readonly #machineOf: (table: CompiledMachine) => number

  constructor(machineOf: (table: CompiledMachine) => number) {
    this.#machineOf = machineOf
  }

  /** @param ms how long the state before lasted; counts only when it was left */
  count(table: CompiledMachine, from: number, to: number, event: number, outcome: number, ms: number): void {
    let tally = this.#byTable.get(table)
    if (tally === undefined) {
      tally = new TableTally(this.#machineOf(table), table)
      this.#byTable.set(table, tally)
      this.tables.push(tally)
    }
    tally.count(from, event)
    if (outcome === Outcome.transition) {
      this.transitions++
      if (from !== to) tally.leave(from, ms)
    } else if (outcome === Outcome.ignore) this.ignored++
    else this.impossible++
  }
}
