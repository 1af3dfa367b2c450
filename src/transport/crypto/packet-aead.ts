// An AEAD around a QUIC packet (RFC 9001 section 5.3), for ciphers that are used once per packet: the nonce, what the
// header and the payload are, and the bounds. Base of the backends noble and node; the cipher itself is theirs.
//
//   headerStart   payloadStart          payloadEnd       + 16
//   | header = associated data | payload | room for the tag |
import { type Aead, checkKeyMaterial, writeNonce } from './aead.ts'
import { type CipherSuite, IV_LENGTH, TAG_LENGTH } from './suites.ts'

export abstract class PacketAead implements Aead {
  protected readonly key: Uint8Array
  /** Of the packet at hand. */
  protected readonly nonce = new Uint8Array(IV_LENGTH)
  readonly #iv: Uint8Array

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    checkKeyMaterial(suite, key, iv)
    this.key = Uint8Array.from(key)
    this.#iv = Uint8Array.from(iv)
  }

  /** Replaces the payload by its ciphertext, followed by the tag. */
  protected abstract encrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
  ): void

  /** Replaces ciphertext and tag, which ends at `end`, by the payload; false and nothing changed for a wrong tag. */
  protected abstract decrypt(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
  ): boolean

  seal(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
    packetNumber: number,
  ): void {
    if (payloadEnd + TAG_LENGTH > buffer.length) throw new RangeError('no room for the tag')
    writeNonce(this.#iv, packetNumber, this.nonce)
    this.encrypt(buffer, headerStart, payloadStart, payloadEnd)
  }

  open(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): boolean {
    if (end - TAG_LENGTH < payloadStart || end > buffer.length) return false
    writeNonce(this.#iv, packetNumber, this.nonce)
    return this.decrypt(buffer, headerStart, payloadStart, end)
  }
}
