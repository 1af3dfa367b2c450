// The three cipher suites of TLS 1.3 that QUIC may use here (RFC 8446 appendix B.4), with the usage limits
// of RFC 9001 section 6.6. TLS negotiates them by `id`, packet protection reads the lengths.

/** Hash function of a cipher suite, under the name that node:crypto knows. */
export type HashName = 'sha256' | 'sha384'

export interface CipherSuite {
  /** The two-byte code point of the TLS registry. */
  readonly id: number
  readonly name: string
  /** AEAD key length in bytes; the header protection key has the same length (RFC 9001 section 5.1). */
  readonly keyLength: number
  readonly hash: HashName
  /** Output of the hash in bytes. */
  readonly hashLength: number
  /** Packets that may be sealed with one key (RFC 9001 section 6.6). */
  readonly confidentialityLimit: number
  /** Packets that may fail authentication over the life of a connection (RFC 9001 section 6.6). */
  readonly integrityLimit: number
}

/** Bytes of the authentication tag, the same for all suites (RFC 9001 section 5.3). */
export const TAG_LENGTH = 16

/** Bytes of the nonce and of the IV that it is made from, the same for all suites (RFC 9001 section 5.3). */
export const IV_LENGTH = 12

export const AES_128_GCM_SHA256: CipherSuite = {
  id: 0x1301,
  name: 'TLS_AES_128_GCM_SHA256',
  keyLength: 16,
  hash: 'sha256',
  hashLength: 32,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

export const AES_256_GCM_SHA384: CipherSuite = {
  id: 0x1302,
  name: 'TLS_AES_256_GCM_SHA384',
  keyLength: 32,
  hash: 'sha384',
  hashLength: 48,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

// RFC 9001 section 6.6: for ChaCha20-Poly1305 the confidentiality limit exceeds the 2^62 packet numbers
// that a connection has, so that it can be disregarded.
export const CHACHA20_POLY1305_SHA256: CipherSuite = {
  id: 0x1303,
  name: 'TLS_CHACHA20_POLY1305_SHA256',
  keyLength: 32,
  hash: 'sha256',
  hashLength: 32,
  confidentialityLimit: Number.POSITIVE_INFINITY,
  integrityLimit: 2 ** 36,
}

export const CIPHER_SUITES: readonly CipherSuite[] = [
  AES_128_GCM_SHA256,
  AES_256_GCM_SHA384,
  CHACHA20_POLY1305_SHA256,
]

/**
 * The suite with this TLS code point.
 * @param id two-byte code point
 * @returns undefined when it is none of the three
 */
export function suiteById(id: number): CipherSuite | undefined {
  for (const suite of CIPHER_SUITES) if (suite.id === id) return suite
  return undefined
}
