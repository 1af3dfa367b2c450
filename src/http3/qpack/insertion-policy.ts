// Which field lines are worth an entry of the peer's dynamic table, and which must never get one (RFC 9204 section 7.1).
// What every message of a connection tends to repeat goes in when it is first seen, everything else when it comes
// again. Owned by QpackEncoder.

/** Secrets: literals that no hop may index (RFC 9204 section 7.1.3). */
const neverIndexed = new Set(['authorization', 'proxy-authorization', 'set-cookie'])

/** Shorter cookies can be guessed by somebody who sees lengths; longer ones cost too much on every request. */
const GUESSABLE_COOKIE = 20

/** Their values stay the same for most of a connection. */
const stable = new Set([
  ':authority',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'alt-svc',
  'cache-control',
  'content-encoding',
  'content-security-policy',
  'content-type',
  'dnt',
  'host',
  'origin',
  'permissions-policy',
  'priority',
  'referrer-policy',
  'server',
  'strict-transport-security',
  'timing-allow-origin',
  'user-agent',
  'vary',
  'via',
  'x-content-type-options',
  'x-frame-options',
  'x-powered-by',
  'x-xss-protection',
])

/** Lines remembered by their hash: a few messages. A power of two. */
const HISTORY_SLOTS = 256

/** Where the hashes of lines and of names alone begin. */
const LINE_SEED = 0x811c9dc5
const NAME_SEED = 0x2f0b4c47

/** Characters of a value that its hash looks at. */
const HASHED_CHARACTERS = 32

/** Whether a field line must stay a literal on every hop. */
export function isNeverIndexed(name: string, value: string): boolean {
  return neverIndexed.has(name) || (name === 'cookie' && value.length < GUESSABLE_COOKIE)
}

export class InsertionPolicy {
  #seen: Uint32Array | undefined

  /** Whether a line that is in neither table should get an entry; remembers that it was seen. */
  shouldInsert(name: string, value: string): boolean {
    return stable.has(name) || this.#isRepeated(name, value)
  }

  /** Whether a name that no table has should get an entry of its own. */
  isNameRepeated(name: string): boolean {
    return this.#remember(hashText(name, NAME_SEED))
  }

  #isRepeated(name: string, value: string): boolean {
    return this.#remember(hashText(value, hashText(name, LINE_SEED)))
  }

  // A false hit costs one useless entry.
  #remember(hash: number): boolean {
    this.#seen ??= new Uint32Array(HISTORY_SLOTS)
    const slot = hash & (HISTORY_SLOTS - 1)
    if (this.#seen[slot] === hash) return true
    this.#seen[slot] = hash
    return false
  }
}

// FNV-1a over at most HASHED_CHARACTERS characters, the last ones among them.
function hashText(text: string, seed: number): number {
  const { length } = text
  const step = length <= HASHED_CHARACTERS ? 1 : Math.ceil(length / HASHED_CHARACTERS)
  let hash = seed ^ length
  for (let index = length - 1; index >= 0; index -= step) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}
