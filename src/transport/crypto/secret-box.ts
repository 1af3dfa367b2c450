// Authenticated encryption of small things that we hand out and want back unread and unchanged: session tickets
// (RFC 8446 section 4.6.1). AES-256-GCM of node:crypto, whole messages, not packets. Called by transport/tls.
//
//   | name of the key (8) | nonce (12) | ciphertext ... | tag (16) |
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Entropy } from './entropy.ts'
import { hkdfExpandLabel } from './key-schedule.ts'
import { IV_LENGTH, TAG_LENGTH } from './suites.ts'

const BOX_KEY_NAME_LENGTH = 8
const KEY_LENGTH = 32
const OPTIONS = { authTagLength: TAG_LENGTH }
const HEADER = BOX_KEY_NAME_LENGTH + IV_LENGTH
const EMPTY = new Uint8Array(0)

/** One key for one purpose, with the name by which its boxes are recognised; both come from a secret. */
export class BoxKey {
  readonly #name: Uint8Array
  readonly #key: Uint8Array

  /**
   * @param secret at least 32 random bytes
   * @param purpose HKDF label: another one gives another key, so that no box is mistaken for one of another kind
   */
  constructor(secret: Uint8Array, purpose: string) {
    this.#name = hkdfExpandLabel('sha256', secret, `${purpose} name`, EMPTY, BOX_KEY_NAME_LENGTH)
    this.#key = hkdfExpandLabel('sha256', secret, `${purpose} key`, EMPTY, KEY_LENGTH)
  }

  /** Whether a box was made with this key, judged by its name alone. */
  owns(box: Uint8Array): boolean {
    if (box.length < HEADER + TAG_LENGTH) return false
    for (let i = 0; i < BOX_KEY_NAME_LENGTH; i++) if (box[i] !== this.#name[i]) return false
    return true
  }

  /** @param entropy gives the nonce: random nonces serve 2^32 boxes of one key */
  seal(plaintext: Uint8Array, entropy: Entropy): Uint8Array {
    const box = new Uint8Array(HEADER + plaintext.length + TAG_LENGTH)
    const nonce = box.subarray(BOX_KEY_NAME_LENGTH, HEADER)
    box.set(this.#name)
    entropy.fill(nonce)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, OPTIONS)
    cipher.setAAD(this.#name)
    box.set(cipher.update(plaintext), HEADER)
    cipher.final()
    box.set(cipher.getAuthTag(), HEADER + plaintext.length)
    return box
  }

  /** What is in the box; undefined when it is not one of ours, or not whole. */
  open(box: Uint8Array): Uint8Array | undefined {
    if (!this.owns(box)) return undefined
    const end = box.length - TAG_LENGTH
    const nonce = box.subarray(BOX_KEY_NAME_LENGTH, HEADER)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, OPTIONS)
    decipher.setAAD(this.#name)
    decipher.setAuthTag(box.subarray(end))
    const plaintext = decipher.update(box.subarray(HEADER, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return new Uint8Array(plaintext)
  }
}

/** The random part of a box: no two boxes of one key have the same. */
export function boxNonce(box: Uint8Array): Uint8Array {
  return box.subarray(BOX_KEY_NAME_LENGTH, HEADER)
}
