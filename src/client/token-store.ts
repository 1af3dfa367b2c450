// Tokens that servers gave for later connections (RFC 9000 section 8.1.3), by server: with one, a connection is spared
// the Retry and the 3x limit. Each is used once, so that a server cannot link more connections than it has given tokens
// (section 9.5 speaks of the same danger). One per HttpClient; connect() takes one as an option.
import { MAX_TOKEN_SERVERS, MAX_TOKENS_PER_SERVER } from './limits.ts'

/**
 * Address tokens of servers, in memory: with one, a later connection is spared the Retry (RFC 9000 section
 * 8.1.3).
 */
export class TokenStore {
  /** Newest last, of the servers as of the tokens. */
  readonly #byServer = new Map<string, Uint8Array[]>()

  /** Tokens that are kept. */
  get size(): number {
    let size = 0
    for (const tokens of this.#byServer.values()) size += tokens.length
    return size
  }

  /** @param server name and port, as the caller tells servers apart: a token must never go to another one */
  put(server: string, token: Uint8Array): void {
    const tokens = this.#byServer.get(server) ?? []
    this.#byServer.delete(server)
    this.#byServer.set(server, tokens)
    tokens.push(token)
    if (tokens.length > MAX_TOKENS_PER_SERVER) tokens.shift()
    if (this.#byServer.size <= MAX_TOKEN_SERVERS) return
    const [oldest] = this.#byServer.keys()
    this.#byServer.delete(oldest)
  }

  /** Takes the newest token out; undefined when there is none. */
  take(server: string): Uint8Array | undefined {
    const tokens = this.#byServer.get(server)
    const token = tokens?.pop()
    if (tokens?.length === 0) this.#byServer.delete(server)
    return token
  }
}
