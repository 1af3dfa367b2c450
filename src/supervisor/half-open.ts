// The handshakes under way of an endpoint: each costs a signature, and addresses may be forged, so there is a cap in all
// and one per source, and `retry: 'auto'` looks at their number. Owned by arrivals.ts.
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { ConnectionEntry } from './connection-entry.ts'

const IPV6_GROUPS = 8
/** Groups of an address that name its network: a subscriber commonly has a /64 to itself. */
const NETWORK_GROUPS = 4

export class HalfOpen {
  /** Each with its source. */
  readonly #entries = new Map<ConnectionEntry, string>()
  readonly #bySource = new Map<string, number>()
  #settledAt = Number.NEGATIVE_INFINITY

  add(entry: ConnectionEntry, remote: RemoteAddress): void {
    const source = sourceOf(remote)
    this.#entries.set(entry, source)
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1)
  }

  delete(entry: ConnectionEntry): void {
    const source = this.#entries.get(entry)
    if (source === undefined) return
    this.#entries.delete(entry)
    const left = this.#bySource.get(source)! - 1
    if (left === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, left)
  }

  /** At least as many as there are; those that are complete are struck off by settle(). */
  get size(): number {
    return this.#entries.size
  }

  /** The exact number; looked for once per turn at most. `now` is the time of the turn, ms. */
  settle(now: number): number {
    if (this.#settledAt !== now) {
      this.#settledAt = now
      for (const entry of this.#entries.keys()) {
        if (entry.supervisor.isHandshakeComplete) this.delete(entry)
      }
    }
    return this.#entries.size
  }

  /** Whether this address, or its IPv6 network, has `most` handshakes under way. `now` is the time of the turn, ms. */
  isFull(remote: RemoteAddress, most: number, now: number): boolean {
    if (this.#entries.size < most) return false
    const source = sourceOf(remote)
    if ((this.#bySource.get(source) ?? 0) < most) return false
    this.settle(now)
    return (this.#bySource.get(source) ?? 0) >= most
  }
}

/** What counts as one source: an IPv4 address, or the /64 of an IPv6 address. */
export function sourceOf({ address, family }: RemoteAddress): string {
  if (family === 4) return address
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(Math.max(0, IPV6_GROUPS - before.length - after.length)).fill('0')
  return [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(':')
}
