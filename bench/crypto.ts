// Measures packet protection: CPU microseconds per seal and open of a 1,200-byte packet and per header mask,
// for every backend. Run by hand: `node bench/crypto.ts`, with `--json` for programs. The best of several
// rounds counts, because other work on the machine only ever adds.
import type { AeadBackend, HeaderBackend } from '../src/transport/crypto/aead.ts'
import { CIPHER_SUITES } from '../src/transport/crypto/index.ts'
import { nobleBackend, nobleHeaderBackend } from '../src/transport/crypto/noble-backend.ts'
import { nodeBackend, nodeHeaderBackend } from '../src/transport/crypto/node-backend.ts'
import type { CipherSuite } from '../src/transport/crypto/suites.ts'
import { wasmAesHeaderBackend } from '../src/transport/crypto/wasm-aes.ts'
import { wasmBackend, wasmChachaHeaderBackend } from '../src/transport/crypto/wasm-chacha.ts'

const HEADER_LENGTH = 20
const PAYLOAD_LENGTH = 1200
const PACKET_LENGTH = HEADER_LENGTH + PAYLOAD_LENGTH + 16
const ROUNDS = 7
const ROUND_MICROSECONDS = 60_000

interface Row {
  readonly suite: string
  readonly backend: string
  readonly work: 'seal' | 'open' | 'mask'
  readonly microseconds: number
}

function cpuMicroseconds(work: () => void, times: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) work()
  const used = process.cpuUsage(before)
  return used.user + used.system
}

function measure(work: () => void): number {
  let times = 64
  while (cpuMicroseconds(work, times) < ROUND_MICROSECONDS / 2) times *= 2
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, cpuMicroseconds(work, times) / times)
  return best
}

function measureAead(backend: AeadBackend, suite: CipherSuite): Row[] {
  const aead = backend.createAead(suite, new Uint8Array(suite.keyLength).fill(1), new Uint8Array(12))
  const sealed = new Uint8Array(PACKET_LENGTH)
  aead.seal(sealed, 0, HEADER_LENGTH, PACKET_LENGTH - 16, 1)
  const packet = new Uint8Array(PACKET_LENGTH)
  // Opening destroys the packet, so a fresh copy is part of both measurements (about 0.05 us).
  const seal = measure(() => {
    packet.set(sealed)
    aead.seal(packet, 0, HEADER_LENGTH, PACKET_LENGTH - 16, 1)
  })
  const open = measure(() => {
    packet.set(sealed)
    if (!aead.open(packet, 0, HEADER_LENGTH, PACKET_LENGTH, 1)) throw new Error('refused its own packet')
  })
  const label = { suite: suite.name, backend: backend.name }
  return [
    { ...label, work: 'seal', microseconds: seal },
    { ...label, work: 'open', microseconds: open },
  ]
}

function measureMask(backend: HeaderBackend, suite: CipherSuite): Row {
  const protector = backend.createHeaderProtector(suite, new Uint8Array(suite.keyLength).fill(1))
  const sample = new Uint8Array(16)
  const mask = new Uint8Array(5)
  const microseconds = measure(() => {
    sample[0]! += 1
    protector.mask(sample, 0, mask)
  })
  return { suite: suite.name, backend: backend.name, work: 'mask', microseconds }
}

const rows: Row[] = []
for (const suite of CIPHER_SUITES) {
  for (const backend of [wasmBackend, nodeBackend, nobleBackend]) {
    if (backend.suites.includes(suite.id)) rows.push(...measureAead(backend, suite))
  }
  for (const backend of [
    wasmChachaHeaderBackend,
    wasmAesHeaderBackend,
    nodeHeaderBackend,
    nobleHeaderBackend,
  ]) {
    if (backend.suites.includes(suite.id)) rows.push(measureMask(backend, suite))
  }
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(rows))
} else {
  console.log('CPU microseconds, 1,200 bytes of payload')
  for (const { suite, backend, work, microseconds } of rows) {
    console.log(
      `${suite.padEnd(30)}${backend.padEnd(8)}${work.padEnd(6)}${microseconds.toFixed(2).padStart(8)}`,
    )
  }
}
