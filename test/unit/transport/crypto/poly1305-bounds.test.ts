// The authenticator of the WebAssembly module on its own, with the largest and smallest numbers it can meet:
// keys that a key stream would hardly ever give. The module is assembled once more with two parts exported.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import loadWabt from 'wabt'
import { instantiate } from '../../../../src/transport/crypto/wasm-instance.ts'
import { poly1305 } from './chacha-twin.ts'
import { hex, seededEntropy } from './vectors.ts'

interface Parts {
  readonly memory: { readonly buffer: ArrayBuffer }
  absorb(at: number, end: number): void
  storeTag(): void
}

const SOURCE = new URL('../../../../src/transport/crypto/wasm/chacha20-poly1305.wat', import.meta.url)
const PAD = 144
const NUMBERS = 384
const TEXT = 1024

async function assembleParts(): Promise<Parts> {
  const text = readFileSync(SOURCE, 'utf8')
    .replace('(func $absorb ', '(func $absorb (export "absorb") ')
    .replace(
      '(func $tag ',
      '(func (export "storeTag") (v128.store (i32.const 512) (call $tag)))\n  (func $tag ',
    )
  const wabt = await loadWabt()
  const module = wabt.parseWat('parts.wat', text, { simd: true, bulk_memory: true })
  return instantiate<Parts>(Buffer.from(module.toBinary({}).buffer).toString('base64'))
}

function authenticate(parts: Parts, key: Uint8Array, message: Uint8Array): Uint8Array {
  const memory = new Uint8Array(parts.memory.buffer)
  const words = new DataView(key.buffer, key.byteOffset)
  const numbers = new BigUint64Array(parts.memory.buffer, NUMBERS, 12).fill(0n)
  for (let i = 0; i < 4; i++) {
    const r = BigInt(words.getUint32(4 * i, true)) & (i === 0 ? 0x0fffffffn : 0x0ffffffcn)
    numbers[i] = r
    if (i > 0) numbers[3 + i] = r + (r >> 2n)
  }
  memory.set(key.subarray(16), PAD)
  memory.set(message, TEXT)
  parts.absorb(TEXT, TEXT + message.length)
  parts.storeTag()
  return memory.slice(512, 528)
}

describe('RFC 8439 section 2.5: Poly1305 at its bounds', async () => {
  const parts = await assembleParts()
  const fills = [0x00, 0x01, 0x7f, 0x80, 0xfb, 0xfc, 0xff]

  it('equals the plain twin for keys and texts of extreme bytes', () => {
    for (const r of fills) {
      for (const s of fills) {
        const key = new Uint8Array(32).fill(r, 0, 16).fill(s, 16)
        for (const byte of fills) {
          for (const blocks of [1, 2, 3, 40]) {
            const message = new Uint8Array(16 * blocks).fill(byte)
            expect(hex(authenticate(parts, key, message))).toBe(hex(poly1305(key, message)))
          }
        }
      }
    }
  })

  it('RFC 8439 appendix A.3: sums just below, at and above the modulus', () => {
    const key = new Uint8Array(32)
    key[0] = 1 // r = 1: the blocks, each with 2^128, are simply added up
    // Three blocks whose own bytes sum up to 2^128 - 256 + low give 2^130 - 256 + low: from 251 on the
    // modulus has to be taken off once more at the end.
    for (let low = 0; low < 256; low++) {
      const message = new Uint8Array(48).fill(0xff, 0, 16)
      message[0] = low
      expect(hex(authenticate(parts, key, message))).toBe(hex(poly1305(key, message)))
    }
    const atModulus = new Uint8Array(48).fill(0xff, 0, 16)
    atModulus[0] = 0xfb
    expect(hex(authenticate(parts, key, atModulus))).toBe('00'.repeat(16))
  })

  it('equals the plain twin for random keys and texts', () => {
    const entropy = seededEntropy(17)
    for (let round = 0; round < 500; round++) {
      const key = new Uint8Array(32)
      const message = new Uint8Array(16 * (1 + (round % 9)))
      entropy.fill(key)
      entropy.fill(message)
      expect(hex(authenticate(parts, key, message))).toBe(hex(poly1305(key, message)))
    }
  })
})
