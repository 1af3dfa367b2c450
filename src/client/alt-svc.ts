// The Alt-Svc field, RFC 7838 section 3: where else an origin can be reached, and by which protocol. A total function:
// what does not follow the grammar says nothing. Used by alternatives.ts.
import { MAX_ALT_SVC_AGE, MAX_ALT_SVC_LENGTH, MAX_ALTERNATIVES } from './limits.ts'

/** One alternative of a field, still relative to the origin that sent it. */
export interface AltSvcEntry {
  /** ALPN name, e.g. "h3". */
  readonly protocol: string
  /** Empty: the origin's own host. IPv6 literals without brackets. */
  readonly host: string
  readonly port: number
  /** Freshness, s. */
  readonly maxAge: number
  /** Good for other networks, too. */
  readonly persist: boolean
}

/** RFC 7838 section 3.1: "alternative services are fresh for 24 hours" unless they say otherwise. */
const DEFAULT_MAX_AGE = 86_400

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const QUOTED = /"((?:[\t !#-[\]-~\u0080-\u00ff]|\\[\t -~\u0080-\u00ff])*)"/y
const SPACE = /[ \t]*/y
const AUTHORITY = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]*):(\d{1,5})$/

/**
 * Reads a field value; lines that were repeated are joined by commas first.
 * @returns the alternatives in the server's order of preference, "clear", or undefined when the value is not valid
 */
export function parseAltSvc(value: string): readonly AltSvcEntry[] | 'clear' | undefined {
  if (value.length > MAX_ALT_SVC_LENGTH) return undefined
  // Section 3: "clear" is case-sensitive, and stands alone.
  if (value.trim() === 'clear') return 'clear'
  return new AltSvcReader(value).read()
}

class AltSvcReader {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): readonly AltSvcEntry[] | undefined {
    const entries: AltSvcEntry[] = []
    for (;;) {
      this.#match(SPACE)
      // RFC 9110 section 5.6.1: empty elements of a list are tolerated.
      if (this.#skip(',')) continue
      if (this.#position === this.#text.length) return entries.length > 0 ? entries : undefined
      const entry = this.#entry()
      if (entry === undefined) return undefined
      if (entry !== 'unknown' && entries.length < MAX_ALTERNATIVES) entries.push(entry)
      this.#match(SPACE)
      if (this.#position < this.#text.length && !this.#skip(',')) return undefined
    }
  }

  /** 'unknown': well-formed, but nothing that could be reached. */
  #entry(): AltSvcEntry | 'unknown' | undefined {
    const name = this.#match(TOKEN)?.[0]
    if (name === undefined || !this.#skip('=')) return undefined
    const authority = this.#quoted()
    if (authority === undefined) return undefined
    let maxAge = DEFAULT_MAX_AGE
    let persist = false
    for (;;) {
      const start = this.#position
      this.#match(SPACE)
      if (!this.#skip(';')) {
        this.#position = start
        break
      }
      this.#match(SPACE)
      const key = this.#match(TOKEN)?.[0].toLowerCase()
      if (key === undefined || !this.#skip('=')) return undefined
      const value = this.#quoted() ?? this.#match(TOKEN)?.[0]
      if (value === undefined) return undefined
      // Section 3.1: delta-seconds; section 3: unknown parameters, and other values of persist, "MUST be ignored".
      if (key === 'ma' && /^\d+$/.test(value)) maxAge = Math.min(Number(value), MAX_ALT_SVC_AGE)
      else if (key === 'persist') persist = value === '1'
    }
    return entryOf(name, authority, maxAge, persist)
  }

  #quoted(): string | undefined {
    return this.#match(QUOTED)?.[1]?.replace(/\\(.)/g, '$1')
  }

  #skip(character: string): boolean {
    if (this.#text[this.#position] !== character) return false
    this.#position++
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position
    const match = pattern.exec(this.#text) ?? undefined
    if (match !== undefined) this.#position += match[0].length
    return match
  }
}

function entryOf(name: string, authority: string, maxAge: number, persist: boolean): AltSvcEntry | 'unknown' {
  const match = AUTHORITY.exec(authority)
  const port = Number(match?.[2])
  if (match === null || port < 1 || port > 65_535) return 'unknown'
  const host = match[1]!.replace(/^\[|\]$/g, '').toLowerCase()
  try {
    // Section 3: octets that a token cannot hold are percent-encoded.
    return { protocol: decodeURIComponent(name), host, port, maxAge, persist }
  } catch {
    return 'unknown'
  }
}
