// Which connection a datagram belongs to. Our own connection IDs are random; their first six bytes are a number
// below 2^48 and the key of the table. IDs that clients chose for their first flight (RFC 9000 section 7.2) have
// any length and are kept apart. Owned by arrivals.ts.

import type { ConnectionIdSource, IssuedConnectionId, QuicConnection } from '../transport/connection/index.ts'
import type { Entropy } from '../transport/crypto/index.ts'
import { hkdfExpandLabel, hmac } from '../transport/crypto/index.ts'
import { connectionIdKey, RESET_TOKEN_LENGTH } from '../transport/wire/index.ts'
import { CONNECTION_ID_LENGTH } from './limits.ts'

const EMPTY = new Uint8Array(0)
const KEY_LENGTH = 32

/** One text per ID of any length, for the table of first flights. */
function firstFlightKey(buffer: Uint8Array, offset: number, length: number): string {
  let text = ''
  for (let index = offset; index < offset + length; index++) text += String.fromCharCode(buffer[index])
  return text
}

/**
 * Makes stateless reset tokens: an HMAC of the ID under a key of this purpose alone (RFC 9000 section 10.3.2), so
 * that no other use of the server's secret can reveal a token.
 */
export class ResetTokens {
  readonly #key: Uint8Array

  /** @param secret at least 32 random bytes; the same secret gives the same tokens after a restart */
  constructor(secret: Uint8Array) {
    this.#key = hkdfExpandLabel('sha256', secret, 'quactor stateless reset', EMPTY, KEY_LENGTH)
  }

  tokenFor(connectionId: Uint8Array): Uint8Array {
    return hmac('sha256', this.#key, connectionId).slice(0, RESET_TOKEN_LENGTH)
  }
}

/** Route is what a datagram is handed to. */
export class ConnectionIds<Route> {
  readonly #byId = new Map<number, Route>()
  readonly #byFirstFlight = new Map<string, Route>()
  readonly #entropy: Entropy
  readonly #tokens: ResetTokens

  constructor(entropy: Entropy, tokens: ResetTokens) {
    this.#entropy = entropy
    this.#tokens = tokens
  }

  /** Entries of both tables: at most 9 per connection: 4 issued IDs, twice in a rotation, and the first flight's. */
  get size(): number {
    return this.#byId.size + this.#byFirstFlight.size
  }

  /** Whose ID of ours starts at `offset`; 8 bytes must be there. */
  find(buffer: Uint8Array, offset: number): Route | undefined {
    return this.#byId.get(connectionIdKey(buffer, offset))
  }

  findFirstFlight(buffer: Uint8Array, offset: number, length: number): Route | undefined {
    return this.#byFirstFlight.get(firstFlightKey(buffer, offset, length))
  }

  addFirstFlight(connectionId: Uint8Array, route: Route): void {
    this.#byFirstFlight.set(firstFlightKey(connectionId, 0, connectionId.length), route)
  }

  removeFirstFlight(connectionId: Uint8Array): void {
    this.#byFirstFlight.delete(firstFlightKey(connectionId, 0, connectionId.length))
  }

  /** A source of IDs that lead to `route`. */
  sourceFor(route: Route): ConnectionIdSource<QuicConnection> & { retireAll(): void } {
    return new RoutedSource(this.#byId, this.#entropy, this.#tokens, route)
  }
}

class RoutedSource<Route> implements ConnectionIdSource<QuicConnection> {
  readonly length = CONNECTION_ID_LENGTH
  readonly #table: Map<number, Route>
  readonly #entropy: Entropy
  readonly #tokens: ResetTokens
  readonly #route: Route
  readonly #keys = new Set<number>()

  constructor(table: Map<number, Route>, entropy: Entropy, tokens: ResetTokens, route: Route) {
    this.#table = table
    this.#entropy = entropy
    this.#tokens = tokens
    this.#route = route
  }

  issue(_connection: QuicConnection): IssuedConnectionId {
    const bytes = new Uint8Array(CONNECTION_ID_LENGTH)
    let key: number
    do {
      this.#entropy.fill(bytes)
      key = connectionIdKey(bytes, 0)
    } while (this.#table.has(key))
    this.#table.set(key, this.#route)
    this.#keys.add(key)
    return { bytes, statelessResetToken: this.#tokens.tokenFor(bytes) }
  }

  retire(bytes: Uint8Array): void {
    const key = connectionIdKey(bytes, 0)
    if (this.#keys.delete(key)) this.#table.delete(key)
  }

  /** The connection is gone: none of its IDs leads anywhere. */
  retireAll(): void {
    for (const key of this.#keys) this.#table.delete(key)
    this.#keys.clear()
  }
}
