// By what a request goes: HTTP/3 at the origin, HTTP/3 at an alternative that the origin has announced, or TCP. HTTP/3
// has a head start over TCP, so that a UDP port that nobody serves delays a request only a little, and once. Part of
// HttpClient.
import type { Clock } from '../transport/io/clock.ts'
import type { Alternative, Alternatives } from './alternatives.ts'
import { ClientError } from './client-error.ts'
import { parseTarget } from './request-target.ts'
import type { ClientSession } from './session.ts'
import type { Place, SessionPool } from './session-pool.ts'

/**
 * When HTTP/3 is used: `alt-svc`, where the origin has said that it speaks it (RFC 7838); `prefer`, wherever it can be
 * reached; `only`, always.
 */
export type Http3Mode = 'alt-svc' | 'prefer' | 'only'

/** A way to the server. */
export type Route =
  | { readonly by: 'h3'; readonly session: ClientSession; readonly place: Place }
  | {
      readonly by: 'tcp'
      /** Why HTTP/3 could not be reached; what callers who prefer it want to hear if TCP comes to nothing, too. */
      readonly failure?: ClientError | undefined
      /** HTTP/3 is still being tried; what it comes to is another way if TCP comes to nothing. */
      readonly rescue?: (() => Promise<Route>) | undefined
    }

export interface RouteSettings {
  readonly mode: Http3Mode
  /** ms */
  readonly headStart: number
  readonly clock: Clock
  readonly pool: SessionPool
  readonly alternatives: Alternatives
}

export class RouteChooser {
  readonly #settings: RouteSettings

  constructor(settings: RouteSettings) {
    this.#settings = settings
  }

  /**
   * @param signal gives up waiting for a connection
   * @throws ClientError when there is no connection and TCP is no way out, or the signal's reason
   */
  async choose(url: URL, signal: AbortSignal | undefined): Promise<Route> {
    const { mode, pool, alternatives } = this.#settings
    const { origin } = url
    if (mode === 'only') {
      const place = { origin }
      return { by: 'h3', place, session: await pool.acquire(place, signal) }
    }
    if (url.protocol !== 'https:') return { by: 'tcp' }
    const alternative = alternatives.find(origin) ?? this.#own(url)
    if (alternative === undefined) return { by: 'tcp' }
    return this.#race({ origin, alternative }, signal)
  }

  /** A request got no answer by this way that its sender could use: the next one takes another. */
  reportFailure(route: Route): void {
    if (route.by === 'tcp') return
    const { origin, alternative } = route.place
    this.#settings.pool.drop(route.place)
    if (alternative !== undefined) this.#settings.alternatives.noteFailure(origin, alternative)
  }

  /** Where the origin itself may speak HTTP/3, although it has not said so. */
  #own(url: URL): Alternative | undefined {
    const { mode, alternatives } = this.#settings
    if (mode !== 'prefer') return undefined
    const { host, port } = parseTarget(url)
    return alternatives.isBroken(url.origin, { host, port }) ? undefined : { host, port }
  }

  async #race(place: Place & { alternative: Alternative }, signal: AbortSignal | undefined): Promise<Route> {
    const { pool, alternatives, clock, headStart } = this.#settings
    const waiting = new AbortController()
    const handleAbort = (): void => waiting.abort(signal?.reason)
    signal?.addEventListener('abort', handleAbort, { once: true })
    const late = Promise.withResolvers<undefined>()
    const timer = clock.setTimer(clock.now() + headStart, () => late.resolve(undefined))
    try {
      const session = await Promise.race([pool.acquire(place, waiting.signal), late.promise])
      if (session === undefined) return this.#letGoOn(place, signal)
      alternatives.noteSuccess(place.origin, place.alternative)
      return { by: 'h3', session, place }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ClientError) || error.kind === 'aborted') throw error
      alternatives.noteFailure(place.origin, place.alternative)
      return { by: 'tcp', failure: this.#settings.mode === 'prefer' ? error : undefined }
    } finally {
      clock.clearTimer(timer)
      signal?.removeEventListener('abort', handleAbort)
      waiting.abort()
    }
  }

  /** TCP goes first; a connection that comes late serves later requests. */
  #letGoOn(place: Place & { alternative: Alternative }, signal: AbortSignal | undefined): Route {
    const { pool, alternatives } = this.#settings
    let failure: unknown
    pool.prepare(place).then(
      () => alternatives.noteSuccess(place.origin, place.alternative),
      (error) => {
        failure = error
        if (error instanceof ClientError && error.kind !== 'aborted') {
          alternatives.noteFailure(place.origin, place.alternative)
        }
      },
    )
    // Whoever waits for it keeps the process alive for it, too.
    const rescue = async (): Promise<Route> => {
      if (failure !== undefined) throw failure
      return { by: 'h3', place, session: await pool.acquire(place, signal) }
    }
    return { by: 'tcp', rescue }
  }
}
