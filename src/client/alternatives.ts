// What a client knows of the alternatives of origins (RFC 7838 section 2): which were announced, until when, and which of
// them could not be reached. One per HttpClient, in memory. Asked by http-client.ts before each request.
import { type AltSvcEntry, parseAltSvc } from './alt-svc.ts'
import { BROKEN_BACKOFF, MAX_ALT_SVC_ORIGINS, MAX_BROKEN_ALTERNATIVES, MAX_BROKEN_BACKOFF } from './limits.ts'

/** Where HTTP/3 for an origin may be spoken. */
export interface Alternative {
  readonly host: string
  readonly port: number
}

interface KnownAlternative extends Alternative {
  /** On the clock of the table, ms. */
  readonly until: number
  readonly persist: boolean
}

interface Failure {
  readonly count: number
  readonly until: number
}

export class Alternatives {
  readonly #now: () => number
  /** Those heard of last stand last. */
  readonly #known = new Map<string, readonly KnownAlternative[]>()
  readonly #failures = new Map<string, Failure>()

  /** @param now time in ms; only differences matter */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Origins of which something is known. */
  get size(): number {
    return this.#known.size
  }

  /**
   * Takes the Alt-Svc field of a response; it replaces what the origin said before (section 3.1).
   * @param origin of the request, as URL.origin
   * @param age value of the Age field, s: how old the response was when it came
   */
  learn(origin: string, value: string, age = 0): void {
    const entries = parseAltSvc(value)
    if (entries === undefined) return
    this.#known.delete(origin)
    if (entries === 'clear') return
    const ownHost = hostOf(origin)
    const usable = entries.filter(({ protocol, maxAge }) => protocol === 'h3' && maxAge > age)
    if (usable.length === 0) return
    this.#known.set(
      origin,
      usable.map((entry) => this.#dated(entry, ownHost, age)),
    )
    if (this.#known.size <= MAX_ALT_SVC_ORIGINS) return
    const [oldest] = this.#known.keys()
    this.#known.delete(oldest!)
  }

  /** The first alternative of an origin that is fresh and not broken. */
  find(origin: string): Alternative | undefined {
    const known = this.#known.get(origin)
    if (known === undefined) return undefined
    const now = this.#now()
    const fresh = known.filter(({ until }) => until > now)
    if (fresh.length === 0) this.#known.delete(origin)
    return fresh.find((alternative) => !this.isBroken(origin, alternative))
  }

  /** Whether an alternative is to be left alone for now. */
  isBroken(origin: string, alternative: Alternative): boolean {
    const failure = this.#failures.get(keyOf(origin, alternative))
    return failure !== undefined && failure.until > this.#now()
  }

  /** It could not be reached: nobody tries again for a while, twice as long each time. */
  noteFailure(origin: string, alternative: Alternative): void {
    const key = keyOf(origin, alternative)
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    const pause = Math.min(BROKEN_BACKOFF * 2 ** (count - 1), MAX_BROKEN_BACKOFF)
    this.#failures.delete(key)
    this.#failures.set(key, { count, until: this.#now() + pause })
    if (this.#failures.size <= MAX_BROKEN_ALTERNATIVES) return
    const [oldest] = this.#failures.keys()
    this.#failures.delete(oldest!)
  }

  /** It has been reached: earlier failures say nothing any more. */
  noteSuccess(origin: string, alternative: Alternative): void {
    this.#failures.delete(keyOf(origin, alternative))
  }

  /** Forgets an origin's alternatives: one of them does not answer for it (RFC 9110 section 15.5.20). */
  forget(origin: string): void {
    this.#known.delete(origin)
  }

  /** Another network: only what was announced with `persist` is kept (section 2.2), and nothing is broken any more. */
  handleNetworkChange(): void {
    this.#failures.clear()
    for (const [origin, known] of this.#known) {
      const kept = known.filter(({ persist }) => persist)
      if (kept.length === 0) this.#known.delete(origin)
      else this.#known.set(origin, kept)
    }
  }

  #dated({ host, port, maxAge, persist }: AltSvcEntry, ownHost: string, age: number): KnownAlternative {
    const until = this.#now() + (maxAge - age) * 1_000
    return { host: host === '' ? ownHost : host, port, persist, until }
  }
}

function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/^\[|\]$/g, '')
}

function keyOf(origin: string, { host, port }: Alternative): string {
  return `${origin} ${host} ${port}`
}
