// AES header protection (RFC 9001 section 5.4.3) by the WebAssembly module of wasm/aes-block.wat: in constant
// time, unlike a JavaScript AES with tables, and without a call into OpenSSL per packet. Chosen by
// backends.ts. It is no AEAD backend: for whole packets node:crypto is faster.
import type { HeaderBackend, HeaderProtector } from './aead.ts'
import { checkKey } from './aead.ts'
import type { CipherSuite } from './suites.ts'
import { AES_128_GCM_SHA256, AES_256_GCM_SHA384 } from './suites.ts'
import { wasm } from './wasm/aes-block.generated.ts'
import { instantiate } from './wasm-instance.ts'

interface AesExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  expand(keyWords: number, words: number): void
  encrypt(rounds: number): void
}

const ROUND_KEYS = 256
const BLOCK = 496

class AesEngine {
  readonly exports = instantiate<AesExports>(wasm)
  readonly bytes = new Uint8Array(this.exports.memory.buffer)
  /** Whose round keys the memory holds: packets of one connection mostly follow each other. */
  loaded: WasmAesHeaderProtector | undefined

  /** FIPS 197 section 5.2: all round keys, 16 bytes each. */
  expandKey(key: Uint8Array, rounds: number): Uint8Array {
    this.loaded = undefined
    this.bytes.set(key, ROUND_KEYS)
    this.exports.expand(key.length / 4, 4 * (rounds + 1))
    return this.bytes.slice(ROUND_KEYS, ROUND_KEYS + 16 * (rounds + 1))
  }
}

let shared: AesEngine | undefined

class WasmAesHeaderProtector implements HeaderProtector {
  readonly #engine: AesEngine
  readonly #rounds: number
  readonly #roundKeys: Uint8Array

  constructor(suite: CipherSuite, key: Uint8Array) {
    checkKey(suite, key)
    shared ??= new AesEngine()
    this.#engine = shared
    this.#rounds = key.length / 4 + 6
    this.#roundKeys = this.#engine.expandKey(key, this.#rounds)
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const { bytes, exports, loaded } = this.#engine
    if (loaded !== this) {
      bytes.set(this.#roundKeys, ROUND_KEYS)
      this.#engine.loaded = this
    }
    for (let i = 0; i < 16; i++) bytes[BLOCK + i] = buffer[sampleOffset + i]!
    exports.encrypt(this.#rounds)
    for (let i = 0; i < 5; i++) out[i] = bytes[BLOCK + i]!
  }
}

export const wasmAesHeaderBackend: HeaderBackend = {
  name: 'wasm',
  suites: [AES_128_GCM_SHA256.id, AES_256_GCM_SHA384.id],
  createHeaderProtector: (suite, key) => new WasmAesHeaderProtector(suite, key),
}
