// What must hold between any two turns of the loop, whatever peers and handlers do: that the registries agree with
// each other and with the counters, that every credit is accounted for, that no queue exceeds its cap. Numbers that
// are kept in two places for their own reasons are compared; nothing is kept for the comparison alone.
//
// After a turn the connections that were served and the endpoint are checked, in constant time each; the sweep
// checks the sums over all connections. Used by endpoint.ts; simulations call `checkAll` after every step.
import { channel } from 'node:diagnostics_channel'
import type { ConnectionEntry } from './connection-entry.ts'
import { connectionRules, streamRules } from './connection-invariants.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointRules, sumRules } from './endpoint-invariants.ts'
import { LatestRing } from './latest-ring.ts'
import { VIOLATION_RING } from './limits.ts'

const violationChannel = channel('quactor:invariantViolation')

/**
 * `count`: a broken invariant is counted, and the latest are kept; the server goes on. `check`: it throws as well,
 * for tests. `off`: nothing is compared.
 */
export type InvariantMode = 'check' | 'count' | 'off'

export interface InvariantViolation {
  /** Name of the connection, see StuckReport; empty for the endpoint. */
  readonly connection: string
  readonly rule: string
  /** The numbers that disagree. */
  readonly detail: string
}

/** Takes one finding; only called for a broken rule. */
export type Complain = (rule: string, detail: string) => void

export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly violation: InvariantViolation

  constructor(violation: InvariantViolation) {
    const { connection, rule, detail } = violation
    super(`${rule}: ${detail}${connection === '' ? '' : ` (connection ${connection})`}`)
    this.violation = violation
  }
}

export class Invariants {
  readonly mode: InvariantMode
  readonly #endpoint: Endpoint
  readonly #latest = new LatestRing<InvariantViolation>(VIOLATION_RING)
  #subject: ConnectionEntry | undefined

  constructor(endpoint: Endpoint, mode: InvariantMode) {
    this.#endpoint = endpoint
    this.mode = mode
  }

  /** After a turn: one connection that was served in it. */
  checkConnection(entry: ConnectionEntry): void {
    if (this.mode === 'off') return
    this.#subject = entry
    connectionRules(entry, this.#complain)
    this.#subject = undefined
  }

  /** After a turn: the endpoint's own counters. */
  checkEndpoint(): void {
    if (this.mode !== 'off') endpointRules(this.#endpoint, this.#complain)
  }

  /** Once a second: the sums over all connections. */
  checkSums(): void {
    if (this.mode !== 'off') sumRules(this.#endpoint, this.#complain)
  }

  /** Everything, down to each stream. */
  checkAll(): void {
    if (this.mode === 'off') return
    for (const entry of this.#endpoint.entries) {
      this.checkConnection(entry)
      this.#subject = entry
      streamRules(entry.supervisor.connection, this.#complain)
      this.#subject = undefined
    }
    this.checkEndpoint()
    this.checkSums()
  }

  /** The latest violations, oldest first. */
  list(): readonly InvariantViolation[] {
    return this.#latest.list()
  }

  #complain = (rule: string, detail: string): void => {
    const violation = { connection: this.#subject?.supervisor.name ?? '', rule, detail }
    this.#endpoint.counters.invariantViolations++
    this.#latest.push(violation)
    violationChannel.publish(violation)
    if (this.mode === 'check') throw new InvariantError(violation)
  }
}
