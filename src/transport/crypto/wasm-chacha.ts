// ChaCha20-Poly1305 and its header protection by the WebAssembly module of wasm/chacha20-poly1305.wat.
// All keys share one instance: what a packet needs is copied into its memory, worked on in place there, and
// copied back, which costs less than 0.2 us per packet. Chosen by backends.ts.
//
//   caller's buffer   | header | payload        | tag |
//   instance memory   | state | ... | header, 0s | ... | payload        | tag | slack |
import type { Aead, AeadBackend, HeaderBackend, HeaderProtector } from './aead.ts'
import { checkKey, checkKeyMaterial } from './aead.ts'
import type { CipherSuite } from './suites.ts'
import { CHACHA20_POLY1305_SHA256, TAG_LENGTH } from './suites.ts'
import { wasm } from './wasm/chacha20-poly1305.generated.ts'
import { instantiate } from './wasm-instance.ts'

interface ChachaExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly aadOffset: { readonly value: number }
  readonly payloadOffset: { readonly value: number }
  readonly capacity: { readonly value: number }
  seal(aadLength: number, length: number): void
  open(aadLength: number, length: number): number
  block(): void
}

// Word indexes of the ChaCha20 state at address 0 (RFC 8439 section 2.3).
const KEY_WORD = 4
const NONCE_WORD = 13
const COUNTER_BYTE = 48
const BLOCK_BYTE = 64

class ChachaEngine {
  readonly exports = instantiate<ChachaExports>(wasm)
  readonly bytes = new Uint8Array(this.exports.memory.buffer)
  // WebAssembly memory is little-endian; so is every machine that Node runs on, except s390x, where the
  // known-answer test turns this backend down.
  readonly words = new Uint32Array(this.exports.memory.buffer, 0, 16)
  readonly aadOffset = this.exports.aadOffset.value
  readonly payloadOffset = this.exports.payloadOffset.value
  readonly capacity = this.exports.capacity.value

  loadKey(key: Uint32Array): void {
    for (let i = 0; i < 8; i++) this.words[KEY_WORD + i] = key[i]!
  }
}

let shared: ChachaEngine | undefined

function engine(): ChachaEngine {
  shared ??= new ChachaEngine()
  return shared
}

function toWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.length / 4)
  for (let i = 0; i < bytes.length; i++) words[i >>> 2]! |= bytes[i]! << (8 * (i & 3))
  return words
}

function swapBytes(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

class WasmChachaAead implements Aead {
  readonly #engine = engine()
  readonly #key: Uint32Array
  readonly #iv: Uint32Array

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    checkKeyMaterial(suite, key, iv)
    this.#key = toWords(key)
    this.#iv = toWords(iv)
  }

  seal(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
    packetNumber: number,
  ): void {
    const { exports, bytes, payloadOffset } = this.#engine
    const length = payloadEnd - payloadStart
    if (payloadEnd + TAG_LENGTH > buffer.length) throw new RangeError('no room for the tag')
    this.#load(buffer, headerStart, payloadStart, payloadEnd, length, packetNumber)
    exports.seal(payloadStart - headerStart, length)
    buffer.set(bytes.subarray(payloadOffset, payloadOffset + length + TAG_LENGTH), payloadStart)
  }

  open(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): boolean {
    const { exports, bytes, payloadOffset } = this.#engine
    const length = end - TAG_LENGTH - payloadStart
    if (length < 0 || end > buffer.length) return false
    this.#load(buffer, headerStart, payloadStart, end, length, packetNumber)
    if (exports.open(payloadStart - headerStart, length) === 0) return false
    buffer.set(bytes.subarray(payloadOffset, payloadOffset + length), payloadStart)
    return true
  }

  #load(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    copyEnd: number,
    length: number,
    packetNumber: number,
  ): void {
    const target = this.#engine
    if (payloadStart - headerStart > target.capacity || length > target.capacity) {
      throw new RangeError('a packet is at most 65,536 bytes')
    }
    target.loadKey(this.#key)
    // RFC 9001 section 5.3: the packet number in network byte order over the last eight bytes of the IV.
    const high = Math.floor(packetNumber / 0x1_0000_0000)
    target.words[NONCE_WORD] = this.#iv[0]!
    target.words[NONCE_WORD + 1] = this.#iv[1]! ^ swapBytes(high)
    target.words[NONCE_WORD + 2] = this.#iv[2]! ^ swapBytes(packetNumber)
    const { bytes, aadOffset, payloadOffset } = target
    for (let i = headerStart, to = aadOffset; i < payloadStart; i++, to++) bytes[to] = buffer[i]!
    bytes.set(buffer.subarray(payloadStart, copyEnd), payloadOffset)
  }
}

// RFC 9001 section 5.4.4: the sample is the block counter and the nonce, in the state's own layout.
class WasmChachaHeaderProtector implements HeaderProtector {
  readonly #engine = engine()
  readonly #key: Uint32Array

  constructor(suite: CipherSuite, key: Uint8Array) {
    checkKey(suite, key)
    this.#key = toWords(key)
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const { exports, bytes } = this.#engine
    this.#engine.loadKey(this.#key)
    for (let i = 0; i < 16; i++) bytes[COUNTER_BYTE + i] = buffer[sampleOffset + i]!
    exports.block()
    for (let i = 0; i < 5; i++) out[i] = bytes[BLOCK_BYTE + i]!
  }
}

export const wasmBackend: AeadBackend = {
  name: 'wasm',
  suites: [CHACHA20_POLY1305_SHA256.id],
  createAead: (suite, key, iv) => new WasmChachaAead(suite, key, iv),
}

export const wasmChachaHeaderBackend: HeaderBackend = {
  name: 'wasm',
  suites: [CHACHA20_POLY1305_SHA256.id],
  createHeaderProtector: (suite, key) => new WasmChachaHeaderProtector(suite, key),
}
