// Chooses, once at start, which implementation does which cipher suite. A backend is used only after a
// known-answer test. Called by the endpoint; its result goes to connections, TLS and /status.
import type { AeadBackend, BackendName, HeaderBackend, HeaderProtector } from './aead.ts'
import { passesAeadTest, passesHeaderTest } from './known-answers.ts'
import { nobleBackend, nobleHeaderBackend } from './noble-backend.ts'
import { nodeBackend, nodeHeaderBackend } from './node-backend.ts'
import type { CipherSuite } from './suites.ts'
import { AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256, CIPHER_SUITES } from './suites.ts'
import { wasmAesHeaderBackend } from './wasm-aes.ts'
import { wasmBackend, wasmChachaHeaderBackend } from './wasm-chacha.ts'

/** The chosen implementations. */
export interface BackendSet {
  /** @throws RangeError when no backend implements the suite */
  aeadFor(suite: CipherSuite): AeadBackend
  /** @throws RangeError when no backend implements the suite's header protection */
  headerProtectorFor(suite: CipherSuite, key: Uint8Array): HeaderProtector
  /** Code points of the usable suites, the cheapest first. */
  readonly preferredSuites: readonly number[]
  /** For people: which backend does what, such as `aes:node chacha20:wasm`. */
  readonly name: string
}

/** Order of preference where nothing else is asked for. */
export const DEFAULT_BACKENDS: readonly BackendName[] = ['wasm', 'node', 'noble']

const AEAD_BACKENDS: readonly AeadBackend[] = [wasmBackend, nodeBackend, nobleBackend]
const HEADER_BACKENDS: readonly HeaderBackend[] = [
  wasmChachaHeaderBackend,
  wasmAesHeaderBackend,
  nodeHeaderBackend,
  nobleHeaderBackend,
]

// CPU per 1,200-byte packet in tenths of a microsecond (bench/crypto.ts); only the order matters.
const COST: Readonly<Record<BackendName, { aes: number; chacha: number }>> = {
  evp: { aes: 7, chacha: 14 },
  wasm: { aes: Number.POSITIVE_INFINITY, chacha: 19 },
  node: { aes: 47, chacha: 57 },
  noble: { aes: 530, chacha: 170 },
}

interface Choice {
  readonly suite: CipherSuite
  readonly aead: AeadBackend
  readonly header: HeaderBackend
}

class SelectedBackends implements BackendSet {
  readonly preferredSuites: readonly number[]
  readonly name: string
  readonly #choices = new Map<number, Choice>()

  constructor(choices: readonly Choice[]) {
    for (const choice of choices) this.#choices.set(choice.suite.id, choice)
    this.preferredSuites = [...choices].sort((a, b) => cost(a) - cost(b)).map((choice) => choice.suite.id)
    const aes = this.#choices.get(AES_128_GCM_SHA256.id)?.aead.name ?? 'none'
    const chacha = this.#choices.get(CHACHA20_POLY1305_SHA256.id)?.aead.name ?? 'none'
    this.name = `aes:${aes} chacha20:${chacha}`
  }

  aeadFor(suite: CipherSuite): AeadBackend {
    return this.#choice(suite).aead
  }

  headerProtectorFor(suite: CipherSuite, key: Uint8Array): HeaderProtector {
    return this.#choice(suite).header.createHeaderProtector(suite, key)
  }

  #choice(suite: CipherSuite): Choice {
    const choice = this.#choices.get(suite.id)
    if (choice === undefined) throw new RangeError(`no backend implements ${suite.name}`)
    return choice
  }
}

function cost(choice: Choice): number {
  if (choice.suite.id === CHACHA20_POLY1305_SHA256.id) return COST[choice.aead.name].chacha
  // Four rounds more make AES-256 a little dearer than AES-128.
  return COST[choice.aead.name].aes + (choice.suite.id === AES_256_GCM_SHA384.id ? 1 : 0)
}

function choose(suite: CipherSuite, names: readonly BackendName[]): Choice | undefined {
  const isAsked = (backend: { name: BackendName; suites: readonly number[] }) =>
    names.includes(backend.name) && backend.suites.includes(suite.id)
  const byName = (a: { name: BackendName }, b: { name: BackendName }) =>
    names.indexOf(a.name) - names.indexOf(b.name)
  const aead = AEAD_BACKENDS.filter(isAsked)
    .sort(byName)
    .find((backend) => passesAeadTest(backend, suite))
  // Header protection is not a question of taste: when the asked-for backends lack it, any will do.
  const header = [...HEADER_BACKENDS.filter(isAsked).sort(byName), ...HEADER_BACKENDS].find(
    (backend) => backend.suites.includes(suite.id) && passesHeaderTest(backend, suite),
  )
  return aead === undefined || header === undefined ? undefined : { suite, aead, header }
}

/**
 * Tests the backends and takes, for each suite, the first of `names` that implements it and passes.
 * @param names backends that may be used, the preferred first
 * @throws Error when AES-128-GCM is left without a backend: every connection begins with it
 *   (RFC 9001 section 5.2)
 */
export function selectBackends(names: readonly BackendName[] = DEFAULT_BACKENDS): BackendSet {
  const choices: Choice[] = []
  for (const suite of CIPHER_SUITES) {
    const choice = choose(suite, names)
    if (choice !== undefined) choices.push(choice)
  }
  if (!choices.some((choice) => choice.suite.id === AES_128_GCM_SHA256.id)) {
    throw new Error(`no usable backend for AES-128-GCM among: ${names.join(', ')}`)
  }
  return new SelectedBackends(choices)
}
