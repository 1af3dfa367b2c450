// AEADs and header protection by node:crypto (OpenSSL): constant time through the CPU's instructions,
// but every packet pays for a new cipher context. Chosen by backends.ts.

import type { CipherGCMTypes } from 'node:crypto'
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { AeadBackend, HeaderBackend, HeaderProtector } from './aead.ts'
import { checkKey } from './aead.ts'
import { PacketAead } from './packet-aead.ts'
import type { CipherSuite } from './suites.ts'
import { AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256, TAG_LENGTH } from './suites.ts'

const OPTIONS = { authTagLength: TAG_LENGTH }

function cipherName(suite: CipherSuite): CipherGCMTypes {
  if (suite.id === AES_128_GCM_SHA256.id) return 'aes-128-gcm'
  if (suite.id === AES_256_GCM_SHA384.id) return 'aes-256-gcm'
  // node:crypto takes ChaCha20-Poly1305 through the same calls; only the type lists it apart.
  return 'chacha20-poly1305' as CipherGCMTypes
}

class NodeAead extends PacketAead {
  readonly #cipher: CipherGCMTypes

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    super(suite, key, iv)
    this.#cipher = cipherName(suite)
  }

  protected override encrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
  ): void {
    const cipher = createCipheriv(this.#cipher, this.key, this.nonce, OPTIONS)
    cipher.setAAD(buffer.subarray(headerStart, payloadStart))
    buffer.set(cipher.update(buffer.subarray(payloadStart, payloadEnd)), payloadStart)
    cipher.final()
    buffer.set(cipher.getAuthTag(), payloadEnd)
  }

  protected override decrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
  ): boolean {
    const tagStart = end - TAG_LENGTH
    const decipher = createDecipheriv(this.#cipher, this.key, this.nonce, OPTIONS)
    decipher.setAAD(buffer.subarray(headerStart, payloadStart))
    decipher.setAuthTag(buffer.subarray(tagStart, end))
    const plaintext = decipher.update(buffer.subarray(payloadStart, tagStart))
    try {
      decipher.final()
    } catch {
      return false
    }
    buffer.set(plaintext, payloadStart)
    return true
  }
}

// RFC 9001 section 5.4.3: the mask is the sample encrypted by one AES block. ECB keeps no state between
// blocks, so one context serves every packet.
class NodeAesHeaderProtector implements HeaderProtector {
  readonly #block

  constructor(suite: CipherSuite, key: Uint8Array) {
    checkKey(suite, key)
    this.#block = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null)
    this.#block.setAutoPadding(false)
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const block = this.#block.update(buffer.subarray(sampleOffset, sampleOffset + 16))
    for (let i = 0; i < 5; i++) out[i] = block[i]!
  }
}

// RFC 9001 section 5.4.4: four bytes of the sample are the block counter, little-endian, twelve the nonce,
// and the mask is the start of that key stream block. OpenSSL takes counter and nonce in this very layout.
class NodeChachaHeaderProtector implements HeaderProtector {
  readonly #key: Uint8Array
  readonly #zeros = new Uint8Array(5)

  constructor(suite: CipherSuite, key: Uint8Array) {
    checkKey(suite, key)
    this.#key = Uint8Array.from(key)
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const sample = buffer.subarray(sampleOffset, sampleOffset + 16)
    out.set(createCipheriv('chacha20', this.#key, sample).update(this.#zeros))
  }
}

export const nodeBackend: AeadBackend = {
  name: 'node',
  suites: [AES_128_GCM_SHA256.id, AES_256_GCM_SHA384.id, CHACHA20_POLY1305_SHA256.id],
  createAead: (suite, key, iv) => new NodeAead(suite, key, iv),
}

export const nodeHeaderBackend: HeaderBackend = {
  name: 'node',
  suites: [AES_128_GCM_SHA256.id, AES_256_GCM_SHA384.id, CHACHA20_POLY1305_SHA256.id],
  createHeaderProtector: (suite, key) =>
    suite.id === CHACHA20_POLY1305_SHA256.id
      ? new NodeChachaHeaderProtector(suite, key)
      : new NodeAesHeaderProtector(suite, key),
}
