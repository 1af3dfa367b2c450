// Remembers which address-validation tokens were used, so that each is good once (RFC 9000 section 8.1.4: "Servers
// are encouraged to allow tokens to be used only once"). Bounded: when it is full nothing can be claimed, and a token
// that cannot be claimed proves nothing. Used by address-tokens.ts.
import { connectionIdKey } from '../transport/wire/index.ts'

/**
 * Claims of the last two lifetimes:
 *
 *     [ previous lifetime ][ current lifetime ... now
 *
 * A claim is forgotten when two lifetimes have begun after its own: by then the token has expired.
 */
export class UsedTokens {
  readonly #lifetime: number
  readonly #capacity: number
  #current = new Set<number>()
  #previous = new Set<number>()
  #start = Number.NEGATIVE_INFINITY

  /**
   * @param lifetime of the tokens, ms
   * @param capacity claims per lifetime
   */
  constructor(lifetime: number, capacity: number) {
    this.#lifetime = lifetime
    this.#capacity = capacity
  }

  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /**
   * Claims a token.
   * @param id at least 6 random bytes that no other token has; two that share these count as one
   * @returns true once per token; false when it was claimed before, or too many were
   */
  claim(id: Uint8Array, now: number): boolean {
    this.#advance(now)
    const key = connectionIdKey(id, 0)
    if (this.#current.has(key) || this.#previous.has(key)) return false
    if (this.#current.size >= this.#capacity) return false
    this.#current.add(key)
    return true
  }

  #advance(now: number): void {
    if (now < this.#start + this.#lifetime) return
    const isLongAgo = now >= this.#start + 2 * this.#lifetime
    this.#previous = isLongAgo ? new Set() : this.#current
    this.#current = new Set()
    this.#start = now
  }
}
