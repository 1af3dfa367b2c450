// The HTTP/3 connections of one HttpClient: one per origin and place, shared by its requests, closed when idle. While
// nothing is asked of a connection it does not keep the process alive. Used by http-client.ts.
import type { Clock, TimerHandle } from '../transport/io/clock.ts'
import type { Alternative } from './alternatives.ts'
import { ClientError } from './client-error.ts'
import { MAX_SESSIONS } from './limits.ts'
import { Liveness } from './liveness.ts'
import type { ClientSession } from './session.ts'

/** Where a connection goes. */
export interface Place {
  /** As URL.origin. */
  readonly origin: string
  /** Absent: the origin's own host and port. */
  readonly alternative?: Alternative | undefined
}

/** How a connection is to be opened. */
export interface DialOptions {
  readonly signal: AbortSignal
  readonly liveness: Liveness
  /** False: no early data, whatever the client's options say. */
  readonly mayUseEarlyData: boolean
}

/** Opens a connection. @throws ClientError */
export type Dial = (place: Place, options: DialOptions) => Promise<ClientSession>

export interface PoolSettings {
  readonly dial: Dial
  readonly clock: Clock
  /** How long a connection without requests is kept, ms. */
  readonly idleTimeout: number
}

/** One connection, from the first who wants it until it has ended. */
class PoolEntry {
  readonly place: Place
  readonly liveness = new Liveness()
  readonly canceller = new AbortController()
  readonly opening: Promise<ClientSession>
  session: ClientSession | undefined
  /** Those who wait for the handshake. */
  waiting = 0
  /** Wanted even when nobody waits for it. */
  isPrepared = false
  idleTimer: TimerHandle | undefined

  constructor(place: Place, dial: Dial, mayUseEarlyData: boolean) {
    this.place = place
    const { liveness } = this
    this.opening = dial(place, { signal: this.canceller.signal, liveness, mayUseEarlyData })
    this.opening.catch(() => {})
  }

  get isIdle(): boolean {
    return this.waiting === 0 && (this.session?.holds ?? 0) === 0
  }
}

export class SessionPool {
  readonly #settings: PoolSettings
  /** Those used last stand last. */
  readonly #entries = new Map<string, PoolEntry>()
  /** Told to go away, and not yet done with what they carry. */
  readonly #leaving = new Set<ClientSession>()
  /** Origins that broke a connection over its early data. */
  readonly #noEarlyData = new Set<string>()
  #isClosed = false

  constructor(settings: PoolSettings) {
    this.#settings = settings
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#entries.size + this.#leaving.size
  }

  /**
   * A connection to the place: the one there is, or a new one.
   * @param signal gives up waiting; the connection is given up with the last who waits for it
   * @throws ClientError, or the signal's reason
   */
  async acquire(place: Place, signal?: AbortSignal): Promise<ClientSession> {
    if (this.#isClosed) throw new ClientError('aborted', 'the client was closed')
    signal?.throwIfAborted()
    const entry = this.#entryOf(place)
    if (entry.session !== undefined) return entry.session
    entry.waiting++
    this.#settle(entry)
    try {
      return await orAborted(entry.opening, signal)
    } finally {
      entry.waiting--
      const isUnwanted = entry.waiting === 0 && !entry.isPrepared && entry.session === undefined
      if (isUnwanted) this.#giveUp(entry, signal?.reason)
      this.#settle(entry)
    }
  }

  /** Opens a connection for later requests, also when those who wait for it now go away. @throws as acquire() */
  async prepare(place: Place): Promise<void> {
    const entry = this.#entryOf(place)
    entry.isPrepared = true
    await entry.opening
  }

  /** Closes every connection; resolves when their sockets are closed. Requests in flight fail with kind 'aborted'. */
  async close(): Promise<void> {
    this.#isClosed = true
    const reason = new ClientError('aborted', 'the client was closed')
    const entries = [...this.#entries.values()]
    const sessions = [...this.#leaving]
    this.#entries.clear()
    for (const entry of entries) {
      this.#stopTimer(entry)
      if (entry.session === undefined) entry.canceller.abort(reason)
    }
    const openings = entries.map((entry) => entry.opening.then((session) => session.end()).catch(() => {}))
    await Promise.all([...openings, ...sessions.map((session) => session.end())])
  }

  /** Open connections go on from another local address; those that cannot are left to end with what they carry. */
  async migrate(): Promise<void> {
    const open = [...this.#entries.values()].filter(({ session }) => session !== undefined)
    await Promise.all(open.map((entry) => entry.session!.migrate().catch(() => this.#retire(entry))))
  }

  /** Closes the connection to a place: it has shown to be the wrong one. */
  drop(place: Place): void {
    const entry = this.#entries.get(keyOf(place))
    if (entry?.session !== undefined) this.#retire(entry)
  }

  #entryOf(place: Place): PoolEntry {
    const key = keyOf(place)
    const known = this.#entries.get(key)
    if (known !== undefined && (known.session === undefined || known.session.isUsable)) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known
    }
    if (known !== undefined) this.#retire(known)
    const entry = new PoolEntry(place, this.#settings.dial, !this.#noEarlyData.has(place.origin))
    this.#entries.set(key, entry)
    this.#makeRoom()
    entry.opening.then(
      (session) => this.#adopt(entry, session),
      () => this.#forget(entry),
    )
    return entry
  }

  #adopt(entry: PoolEntry, session: ClientSession): void {
    if (this.#isClosed) return
    entry.session = session
    session.onActivity = () => this.#settle(entry)
    void session.closed.then(() => {
      this.#forget(entry)
      this.#leaving.delete(session)
    })
    session.opened.catch(() => this.#noteEarlyFailure(entry.place.origin))
    this.#settle(entry)
  }

  /** Idle connections wait for their end and let the process go; busy ones do neither. */
  #settle(entry: PoolEntry): void {
    if (this.#isClosed) return
    entry.liveness.set(!entry.isIdle)
    const { session } = entry
    this.#stopTimer(entry)
    if (session === undefined) return
    if (!session.isUsable || this.#leaving.has(session)) this.#retire(entry)
    else if (entry.isIdle) {
      const { clock, idleTimeout } = this.#settings
      entry.idleTimer = clock.setTimer(clock.now() + idleTimeout, () => this.#retire(entry))
    }
  }

  /** Out of the pool; closed as soon as nothing is in flight. */
  #retire(entry: PoolEntry): void {
    const { session } = entry
    this.#forget(entry)
    if (session === undefined) return
    this.#leaving.add(session)
    if (!entry.isIdle) return
    this.#leaving.delete(session)
    session.onActivity = undefined
    void session.end()
  }

  /** Nobody may find a connection that will never be open. */
  #giveUp(entry: PoolEntry, reason: unknown): void {
    this.#forget(entry)
    entry.canceller.abort(reason)
  }

  #forget(entry: PoolEntry): void {
    this.#stopTimer(entry)
    const key = keyOf(entry.place)
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  #stopTimer(entry: PoolEntry): void {
    if (entry.idleTimer !== undefined) this.#settings.clock.clearTimer(entry.idleTimer)
    entry.idleTimer = undefined
  }

  /** The connection that was not used for longest goes, an idle one if there is one. */
  #makeRoom(): void {
    if (this.#entries.size <= MAX_SESSIONS) return
    const others = [...this.#entries.values()].slice(0, -1)
    const unused = others.find(({ isIdle }) => isIdle) ?? others[0]!
    if (unused.session === undefined) this.#giveUp(unused, new ClientError('limit', 'too many connections'))
    else this.#retire(unused)
  }

  /** A handshake that failed after connect() had resolved was one with early data. */
  #noteEarlyFailure(origin: string): void {
    if (this.#noEarlyData.size >= MAX_SESSIONS) this.#noEarlyData.clear()
    this.#noEarlyData.add(origin)
  }
}

function keyOf({ origin, alternative }: Place): string {
  return alternative === undefined ? origin : `${origin} ${alternative.host} ${alternative.port}`
}

/** The promise's outcome, or the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const handleAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', handleAbort, { once: true })
    const done = (): void => signal.removeEventListener('abort', handleAbort)
    promise.then(resolve, reject)
    promise.then(done, done)
  })
}
