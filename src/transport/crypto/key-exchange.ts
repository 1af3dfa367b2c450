// Key exchange groups of TLS 1.3 (RFC 8446 sections 4.2.8.2 and 7.4.2; X25519MLKEM768 after
// draft-ietf-tls-ecdhe-mlkem). Called by the TLS handshake. Private keys come from the entropy passed in.

import type { KeyObject } from 'node:crypto'
import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import type { Entropy } from './entropy.ts'
import { ML_KEM_CIPHERTEXT_LENGTH, ML_KEM_PUBLIC_LENGTH, mlKem } from './ml-kem.ts'

/** The peer's key share is malformed, not on the curve, or of small order. */
export class KeyExchangeError extends Error {
  override readonly name = 'KeyExchangeError'
}

/** A key pair that waits for the peer's share. */
export interface KeyShare {
  readonly publicKey: Uint8Array
  /** Only the group that made it knows what this is. */
  readonly secretKey: unknown
}

export interface KeyExchangeGroup {
  /** NamedGroup code point. */
  readonly id: number
  readonly name: string
  /** Bytes of the key shares. */
  readonly shareLength: { readonly client: number; readonly server: number }
  /** The client's half. */
  generate(entropy: Entropy): KeyShare
  /**
   * The server's half: answers a client share.
   * @throws KeyExchangeError
   */
  respond(clientShare: Uint8Array, entropy: Entropy): { share: Uint8Array; secret: Uint8Array }
  /**
   * The client's end.
   * @throws KeyExchangeError
   */
  complete(keyShare: KeyShare, serverShare: Uint8Array): Uint8Array
}

function checkLength(name: string, share: Uint8Array, length: number): void {
  if (share.length !== length) throw new KeyExchangeError(`${name} share of ${share.length} bytes`)
}

/** Runs OpenSSL or noble on the peer's share; whatever they refuse is the share's fault. */
function refuseBadShare<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof KeyExchangeError) throw error
    throw new KeyExchangeError(`${name}: unusable share`, { cause: error })
  }
}

const X25519_LENGTH = 32
// PKCS#8 frame of an X25519 private key (RFC 8410 section 7); the 32 key bytes follow it.
const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

function generateX25519(entropy: Entropy): { publicKey: Uint8Array; secretKey: KeyObject } {
  const der = Buffer.alloc(X25519_PKCS8.length + X25519_LENGTH)
  der.set(X25519_PKCS8)
  entropy.fill(der.subarray(X25519_PKCS8.length))
  const secretKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  // Measured: exporting as JWK takes 1 us, as DER 28 us.
  const { x } = createPublicKey(secretKey).export({ format: 'jwk' })
  return { publicKey: Buffer.from(x!, 'base64url'), secretKey }
}

function agreeX25519(secretKey: KeyObject, share: Uint8Array): Uint8Array {
  checkLength('x25519', share, X25519_LENGTH)
  return refuseBadShare('x25519', () => {
    const x = Buffer.from(share).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
    const secret = diffieHellman({ privateKey: secretKey, publicKey })
    // RFC 8446 section 7.4.2: implementations "MUST check whether the computed Diffie-Hellman shared
    // secret is the all-zero value and abort if so".
    let bits = 0
    for (const byte of secret) bits |= byte
    if (bits === 0) throw new KeyExchangeError('x25519: all-zero result')
    return secret
  })
}

export const x25519: KeyExchangeGroup = {
  id: 0x001d,
  name: 'x25519',
  shareLength: { client: X25519_LENGTH, server: X25519_LENGTH },
  generate: generateX25519,
  respond(clientShare, entropy) {
    checkLength('x25519', clientShare, X25519_LENGTH)
    const pair = generateX25519(entropy)
    return { share: pair.publicKey, secret: agreeX25519(pair.secretKey, clientShare) }
  },
  complete: (keyShare, serverShare) => agreeX25519(keyShare.secretKey as KeyObject, serverShare),
}

const P256_SCALAR_LENGTH = 32
const P256_SHARE_LENGTH = 65
const UNCOMPRESSED_POINT = 4
/** A random scalar is out of range once in 2^32 draws; eight misses in a row mean a broken source. */
const P256_MAX_DRAWS = 8

type Ecdh = ReturnType<typeof createECDH>

function generateP256(entropy: Entropy): { publicKey: Uint8Array; secretKey: Ecdh } {
  const scalar = new Uint8Array(P256_SCALAR_LENGTH)
  for (let draws = 0; draws < P256_MAX_DRAWS; draws++) {
    entropy.fill(scalar)
    const secretKey = createECDH('prime256v1')
    try {
      secretKey.setPrivateKey(scalar)
    } catch {
      continue // zero, or not below the group order
    }
    scalar.fill(0)
    return { publicKey: secretKey.getPublicKey(), secretKey }
  }
  throw new Error('the entropy source gives no usable P-256 scalar')
}

function agreeP256(secretKey: Ecdh, share: Uint8Array): Uint8Array {
  checkP256Share(share)
  return refuseBadShare('secp256r1', () => secretKey.computeSecret(share))
}

// RFC 8446 section 4.2.8.2: the uncompressed form only; OpenSSL checks that the point is on the curve.
function checkP256Share(share: Uint8Array): void {
  checkLength('secp256r1', share, P256_SHARE_LENGTH)
  if (share[0] !== UNCOMPRESSED_POINT) throw new KeyExchangeError('secp256r1: not an uncompressed point')
}

export const secp256r1: KeyExchangeGroup = {
  id: 0x0017,
  name: 'secp256r1',
  shareLength: { client: P256_SHARE_LENGTH, server: P256_SHARE_LENGTH },
  generate: generateP256,
  respond(clientShare, entropy) {
    checkP256Share(clientShare)
    const pair = generateP256(entropy)
    return { share: pair.publicKey, secret: agreeP256(pair.secretKey, clientShare) }
  },
  complete: (keyShare, serverShare) => agreeP256(keyShare.secretKey as Ecdh, serverShare),
}

interface HybridSecret {
  readonly kem: unknown
  readonly curve: KeyObject
}

/** The ML-KEM part comes first, in both shares and in the secret. */
export const x25519MlKem768: KeyExchangeGroup = {
  id: 0x11ec,
  name: 'X25519MLKEM768',
  shareLength: {
    client: ML_KEM_PUBLIC_LENGTH + X25519_LENGTH,
    server: ML_KEM_CIPHERTEXT_LENGTH + X25519_LENGTH,
  },
  generate(entropy) {
    const kem = mlKem().generate(entropy)
    const curve = generateX25519(entropy)
    const secretKey: HybridSecret = { kem: kem.secretKey, curve: curve.secretKey }
    return { publicKey: Buffer.concat([kem.publicKey, curve.publicKey]), secretKey }
  },
  respond(clientShare, entropy) {
    checkLength('X25519MLKEM768', clientShare, ML_KEM_PUBLIC_LENGTH + X25519_LENGTH)
    const curve = x25519.respond(clientShare.subarray(ML_KEM_PUBLIC_LENGTH), entropy)
    const kem = refuseBadShare('ML-KEM-768', () =>
      mlKem().encapsulate(clientShare.subarray(0, ML_KEM_PUBLIC_LENGTH), entropy),
    )
    return {
      share: Buffer.concat([kem.ciphertext, curve.share]),
      secret: Buffer.concat([kem.secret, curve.secret]),
    }
  },
  complete(keyShare, serverShare) {
    checkLength('X25519MLKEM768', serverShare, ML_KEM_CIPHERTEXT_LENGTH + X25519_LENGTH)
    const { kem, curve } = keyShare.secretKey as HybridSecret
    const curveSecret = agreeX25519(curve, serverShare.subarray(ML_KEM_CIPHERTEXT_LENGTH))
    const kemSecret = refuseBadShare('ML-KEM-768', () =>
      mlKem().decapsulate(kem, serverShare.subarray(0, ML_KEM_CIPHERTEXT_LENGTH)),
    )
    return Buffer.concat([kemSecret, curveSecret])
  },
}

/** All groups, in the order in which a server without other wishes prefers them. */
export const KEY_EXCHANGE_GROUPS: readonly KeyExchangeGroup[] = [x25519MlKem768, x25519, secp256r1]

/** The group with this NamedGroup code point, or undefined. */
export function groupById(id: number): KeyExchangeGroup | undefined {
  for (const group of KEY_EXCHANGE_GROUPS) if (group.id === id) return group
  return undefined
}
