// The reference: AEADs and AES blocks by @noble/ciphers, in plain JavaScript. The other backends are checked
// against it. Its ChaCha20-Poly1305 is also the fallback; its AES looks tables up by secret bytes, which is
// not constant time, so backends.ts takes it only when every other one has failed its known-answer test.
import { gcm, unsafe } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { AeadBackend, HeaderBackend, HeaderProtector } from './aead.ts'
import { checkKey } from './aead.ts'
import { PacketAead } from './packet-aead.ts'
import type { CipherSuite } from './suites.ts'
import { AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256 } from './suites.ts'

class NobleAead extends PacketAead {
  readonly #cipher

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    super(suite, key, iv)
    this.#cipher = suite.id === CHACHA20_POLY1305_SHA256.id ? chacha20poly1305 : gcm
  }

  protected override encrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
  ): void {
    const cipher = this.#cipher(this.key, this.nonce, buffer.slice(headerStart, payloadStart))
    buffer.set(cipher.encrypt(buffer.slice(payloadStart, payloadEnd)), payloadStart)
  }

  protected override decrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
  ): boolean {
    const cipher = this.#cipher(this.key, this.nonce, buffer.slice(headerStart, payloadStart))
    try {
      buffer.set(cipher.decrypt(buffer.slice(payloadStart, end)), payloadStart)
    } catch {
      return false
    }
    return true
  }
}

// RFC 9001 section 5.4.3.
class NobleAesHeaderProtector implements HeaderProtector {
  readonly #roundKeys: Uint32Array
  readonly #block = new Uint8Array(16)

  constructor(suite: CipherSuite, key: Uint8Array) {
    checkKey(suite, key)
    this.#roundKeys = unsafe.expandKeyLE(Uint8Array.from(key))
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    for (let i = 0; i < 16; i++) this.#block[i] = buffer[sampleOffset + i]!
    unsafe.encryptBlock(this.#roundKeys, this.#block)
    for (let i = 0; i < 5; i++) out[i] = this.#block[i]!
  }
}

export const nobleBackend: AeadBackend = {
  name: 'noble',
  suites: [AES_128_GCM_SHA256.id, AES_256_GCM_SHA384.id, CHACHA20_POLY1305_SHA256.id],
  createAead: (suite, key, iv) => new NobleAead(suite, key, iv),
}

export const nobleHeaderBackend: HeaderBackend = {
  name: 'noble',
  suites: [AES_128_GCM_SHA256.id, AES_256_GCM_SHA384.id],
  createHeaderProtector: (suite, key) => new NobleAesHeaderProtector(suite, key),
}
