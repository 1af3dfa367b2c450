// The handshakes under way of an endpoint: each costs a signature, and addresses may be forged, so there is a cap, and
// `retry: 'auto'` looks at their number. Owned by arrivals.ts.
import type { ConnectionEntry } from './connection-entry.ts'

export class HalfOpen {
  readonly #entries = new Set<ConnectionEntry>()
  #settledAt = Number.NEGATIVE_INFINITY

  add(entry: ConnectionEntry): void {
    this.#entries.add(entry)
  }

  delete(entry: ConnectionEntry): void {
    this.#entries.delete(entry)
  }

  /** At least as many as there are; those that are complete are struck off by settle(). */
  get size(): number {
    return this.#entries.size
  }

  /** The exact number; looked for once per turn at most. `now` is the time of the turn, ms. */
  settle(now: number): number {
    if (this.#settledAt !== now) {
      this.#settledAt = now
      for (const entry of this.#entries) {
        if (entry.supervisor.isHandshakeComplete) this.#entries.delete(entry)
      }
    }
    return this.#entries.size
  }
}
