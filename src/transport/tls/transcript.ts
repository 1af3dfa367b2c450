// The transcript hash, RFC 8446 section 4.4.1: every handshake message, header included, in order. Fed by the
// server and the client with each message they send or accept.

import { createHash, type Hash } from 'node:crypto'
import type { HashName } from '../crypto/suites.ts'
import { HandshakeType } from './handshake-type.ts'

export class Transcript {
  #hash: Hash | undefined
  #name: HashName | undefined
  #waiting: Uint8Array[] = []

  /** Adds a message. Before `start` it is kept by reference, so it must be the caller's own memory then. */
  add(message: Uint8Array): void {
    if (this.#hash === undefined) this.#waiting.push(message)
    else this.#hash.update(message)
  }

  /** Fixes the hash function once the cipher suite is known. A second call with the same function is harmless. */
  start(name: HashName): void {
    if (this.#hash !== undefined) return
    this.#name = name
    this.#hash = createHash(name)
    for (const message of this.#waiting) this.#hash.update(message)
    this.#waiting = []
  }

  /** Around a HelloRetryRequest the first ClientHello is represented by its hash (section 4.4.1). */
  replaceByMessageHash(): void {
    const hash = this.current()
    this.#hash = createHash(this.#name!)
    this.#hash.update(Uint8Array.of(HandshakeType.messageHash, 0, 0, hash.length))
    this.#hash.update(hash)
  }

  /** Lets everything go; nothing may be added or asked afterwards. */
  clear(): void {
    this.#hash = undefined
    this.#waiting = []
  }

  /** Transcript-Hash over everything added so far and `bytes`, which are not added. Only after `start`. */
  currentWith(bytes: Uint8Array): Uint8Array {
    return this.#hash!.copy().update(bytes).digest()
  }

  /** Transcript-Hash over everything added so far. Only after `start`. */
  current(): Uint8Array {
    return this.#hash!.copy().digest()
  }
}
