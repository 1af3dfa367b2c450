// Every AEAD and header protection backend, each with each suite that it implements.
import type { AeadBackend, HeaderBackend } from '../../../../src/transport/crypto/aead.ts'
import { nobleBackend, nobleHeaderBackend } from '../../../../src/transport/crypto/noble-backend.ts'
import { nodeBackend, nodeHeaderBackend } from '../../../../src/transport/crypto/node-backend.ts'
import type { CipherSuite } from '../../../../src/transport/crypto/suites.ts'
import { CIPHER_SUITES } from '../../../../src/transport/crypto/suites.ts'
import { wasmAesHeaderBackend } from '../../../../src/transport/crypto/wasm-aes.ts'
import { wasmBackend, wasmChachaHeaderBackend } from '../../../../src/transport/crypto/wasm-chacha.ts'

export const AEAD_BACKENDS: readonly AeadBackend[] = [wasmBackend, nodeBackend, nobleBackend]

export const HEADER_BACKENDS: readonly HeaderBackend[] = [
  wasmChachaHeaderBackend,
  wasmAesHeaderBackend,
  nodeHeaderBackend,
  nobleHeaderBackend,
]

interface Pair<Backend> {
  readonly backend: Backend
  readonly suite: CipherSuite
  readonly title: string
}

function pairs<Backend extends { name: string; suites: readonly number[] }>(
  backends: readonly Backend[],
): Pair<Backend>[] {
  return backends.flatMap((backend) =>
    CIPHER_SUITES.filter((suite) => backend.suites.includes(suite.id)).map((suite) => ({
      backend,
      suite,
      title: `${suite.name} by ${backend.name}`,
    })),
  )
}

export const AEAD_PAIRS = pairs(AEAD_BACKENDS)
export const HEADER_PAIRS = pairs(HEADER_BACKENDS)
