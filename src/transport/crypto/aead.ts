// What packet protection needs from a cryptographic backend (RFC 9001 sections 5.3 and 5.4). The backends
// of this room implement these interfaces; packet-protection.ts and the connection call them per packet.

import type { CipherSuite } from './suites.ts'
import { IV_LENGTH } from './suites.ts'

/** One direction's AEAD under one key. All offsets are bytes into `buffer`; work is done in place. */
export interface Aead {
  /**
   * Encrypts [payloadStart, payloadEnd) and writes the 16-byte tag at payloadEnd.
   * [headerStart, payloadStart) is authenticated as it stands (RFC 9001 section 5.3).
   * @throws RangeError when the buffer has no room for the tag
   */
  seal(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    payloadEnd: number,
    packetNumber: number,
  ): void
  /**
   * Verifies and decrypts [payloadStart, end); `end` includes the tag. The plaintext then lies in
   * [payloadStart, end - 16).
   * @returns false when authentication fails; the payload bytes are undefined then
   */
  open(
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): boolean
}

/** Makes header protection masks (RFC 9001 section 5.4.1) under one key. */
export interface HeaderProtector {
  /** Writes the five mask bytes for the 16-byte sample at `sampleOffset` to the start of `out`. */
  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void
}

export type BackendName = 'evp' | 'wasm' | 'node' | 'noble'

/** One implementation of some of the three AEADs. */
export interface AeadBackend {
  readonly name: BackendName
  /** Code points of the suites whose AEAD it implements. */
  readonly suites: readonly number[]
  /** @param key keyLength bytes, copied or imported; @param iv 12 bytes, copied */
  createAead(suite: CipherSuite, key: Uint8Array, iv: Uint8Array): Aead
}

/** One implementation of header protection for some of the three suites. */
export interface HeaderBackend {
  readonly name: BackendName
  /** Code points of the suites whose header protection it implements. */
  readonly suites: readonly number[]
  createHeaderProtector(suite: CipherSuite, key: Uint8Array): HeaderProtector
}

/**
 * Writes the nonce of a packet: the IV, its last eight bytes xored with the packet number in network byte
 * order (RFC 9001 section 5.3).
 * @param packetNumber full packet number, below 2^53
 * @param out receives 12 bytes
 */
export function writeNonce(iv: Uint8Array, packetNumber: number, out: Uint8Array): void {
  const high = Math.floor(packetNumber / 0x1_0000_0000)
  for (let i = 0; i < 4; i++) out[i] = iv[i]!
  out[4] = iv[4]! ^ (high >>> 24)
  out[5] = iv[5]! ^ (high >>> 16)
  out[6] = iv[6]! ^ (high >>> 8)
  out[7] = iv[7]! ^ high
  out[8] = iv[8]! ^ (packetNumber >>> 24)
  out[9] = iv[9]! ^ (packetNumber >>> 16)
  out[10] = iv[10]! ^ (packetNumber >>> 8)
  out[11] = iv[11]! ^ packetNumber
}

/**
 * Refuses a key of a wrong length, which a backend could otherwise misread.
 * @throws RangeError
 */
export function checkKey(suite: CipherSuite, key: Uint8Array): void {
  if (key.length !== suite.keyLength) throw new RangeError(`${suite.name} needs ${suite.keyLength} key bytes`)
}

/**
 * Refuses an AEAD key or IV of a wrong length.
 * @throws RangeError
 */
export function checkKeyMaterial(suite: CipherSuite, key: Uint8Array, iv: Uint8Array): void {
  checkKey(suite, key)
  if (iv.length !== IV_LENGTH) throw new RangeError(`${suite.name} needs ${IV_LENGTH} IV bytes`)
}
