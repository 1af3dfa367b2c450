// What a client keeps of a server for its next connection: ticket, transport limits, SETTINGS (RFC 8446 section 4.6.1,
// RFC 9000 section 7.4.1, RFC 9114 section 7.2.4.2). The store is pluggable: what it holds are plain values, and
// secrets: whoever reads them can pretend to be the server. One per HttpClient; connect() takes one as an option.
import type { H3Settings } from '../http3/index.ts'
import type { ResumableSession } from '../transport/connection/index.ts'
import { MAX_SESSION_ORIGINS, MAX_SESSIONS_PER_ORIGIN } from './limits.ts'

/** What resumption needs to know. Secret. */
export interface StoredSession extends ResumableSession {
  /** The server's SETTINGS; early data goes by them. */
  readonly settings: H3Settings
  /** Address of the server: early data goes to no other, because nothing tells whether somebody is there. */
  readonly address: string
}

/** Sessions by origin. Both calls are synchronous: a slow store fills a fast one beforehand. */
export interface SessionStore {
  /** Takes a session out, the newest first: a ticket is used once (RFC 8446 appendix C.4). */
  take(origin: string): StoredSession | undefined
  /** Keeps a session; the store may forget older ones. */
  put(origin: string, session: StoredSession): void
}

/** Sessions in memory, with a bound; the store that HttpClient has by default. */
export class MemorySessionStore implements SessionStore {
  /** Newest last, of the origins as of the sessions. */
  readonly #byOrigin = new Map<string, StoredSession[]>()

  /** Sessions that are kept. */
  get size(): number {
    let size = 0
    for (const sessions of this.#byOrigin.values()) size += sessions.length
    return size
  }

  /** Takes the newest session of an origin out. */
  take(origin: string): StoredSession | undefined {
    const sessions = this.#byOrigin.get(origin)
    const session = sessions?.pop()
    if (sessions?.length === 0) this.#byOrigin.delete(origin)
    return session
  }

  /** Keeps a session; too many, and those of the origin used longest ago go. */
  put(origin: string, session: StoredSession): void {
    const sessions = this.#byOrigin.get(origin) ?? []
    this.#byOrigin.delete(origin)
    this.#byOrigin.set(origin, sessions)
    sessions.push(session)
    if (sessions.length > MAX_SESSIONS_PER_ORIGIN) sessions.shift()
    if (this.#byOrigin.size <= MAX_SESSION_ORIGINS) return
    const [oldest] = this.#byOrigin.keys()
    this.#byOrigin.delete(oldest!)
  }
}
