// The memory that keeps early data from being accepted twice, RFC 8446 section 8. Owned by SessionTickets; a server
// of several processes may bring one that they share.
import type { Entropy } from '../crypto/entropy.ts'
import { MAX_REMEMBERED_TICKETS, REPLAY_WINDOW } from './limits.ts'

export interface AntiReplay {
  /**
   * Names this memory. Early data is accepted only with tickets that were issued under the same name: what another
   * process or an earlier run has accepted, this memory does not know.
   */
  readonly id: Uint8Array
  /**
   * Claims a ticket for one connection.
   * @param ticket what no other ticket has
   * @param now wall-clock time, ms
   * @returns true exactly once per ticket within REPLAY_WINDOW; false when that cannot be promised
   */
  claim(ticket: Uint8Array, now: number): boolean
}

const ID_LENGTH = 8

/**
 * Used tickets of the last two windows:
 *
 *     [ previous window ][ current window ... now
 *
 * A ticket is forgotten when two windows have begun after its own, so it is known for at least one whole window.
 */
export class ReplayWindow implements AntiReplay {
  readonly id = new Uint8Array(ID_LENGTH)
  #current = new Set<string>()
  #previous = new Set<string>()
  #start = Number.NEGATIVE_INFINITY
  readonly #capacity: number

  /** @param capacity tickets per window */
  constructor(entropy: Entropy, capacity: number = MAX_REMEMBERED_TICKETS) {
    entropy.fill(this.id)
    this.#capacity = capacity
  }

  /** Tickets remembered now. */
  get size(): number {
    return this.#current.size + this.#previous.size
  }

  claim(ticket: Uint8Array, now: number): boolean {
    this.#advance(now)
    const key = Buffer.from(ticket).toString('latin1')
    if (this.#current.has(key) || this.#previous.has(key)) return false
    if (this.#current.size >= this.#capacity) return false
    this.#current.add(key)
    return true
  }

  #advance(now: number): void {
    if (now < this.#start + REPLAY_WINDOW) return
    const isLongAgo = now >= this.#start + 2 * REPLAY_WINDOW
    this.#previous = isLongAgo ? new Set() : this.#current
    this.#current = new Set()
    this.#start = now
  }
}
