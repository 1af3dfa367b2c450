// Signature schemes of TLS 1.3 (RFC 8446 section 4.2.3) over node:crypto. Called by TLS for
// CertificateVerify. Nonces and salts of the signatures come from OpenSSL's generator.

import type { KeyObject } from 'node:crypto'
import { constants, sign as nodeSign, verify as nodeVerify } from 'node:crypto'

export const SignatureScheme = {
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  rsa_pss_pss_sha256: 0x0809,
  rsa_pss_pss_sha384: 0x080a,
  rsa_pss_pss_sha512: 0x080b,
} as const

/** RSA keys below this many bits are refused, for signing and for verifying. */
export const MINIMUM_RSA_BITS = 2048

interface Scheme {
  readonly id: number
  /** As KeyObject.asymmetricKeyType says it. */
  readonly keyType: 'ec' | 'ed25519' | 'rsa' | 'rsa-pss'
  /** OpenSSL's name; RFC 8446 ties each ECDSA scheme to one curve. */
  readonly curve?: string
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
}

// In the order in which we prefer to sign and to be signed for.
const SCHEMES: readonly Scheme[] = [
  { id: SignatureScheme.ecdsa_secp256r1_sha256, keyType: 'ec', curve: 'prime256v1', hash: 'sha256' },
  { id: SignatureScheme.ed25519, keyType: 'ed25519', hash: null },
  { id: SignatureScheme.ecdsa_secp384r1_sha384, keyType: 'ec', curve: 'secp384r1', hash: 'sha384' },
  { id: SignatureScheme.ecdsa_secp521r1_sha512, keyType: 'ec', curve: 'secp521r1', hash: 'sha512' },
  { id: SignatureScheme.rsa_pss_rsae_sha256, keyType: 'rsa', hash: 'sha256' },
  { id: SignatureScheme.rsa_pss_rsae_sha384, keyType: 'rsa', hash: 'sha384' },
  { id: SignatureScheme.rsa_pss_rsae_sha512, keyType: 'rsa', hash: 'sha512' },
  { id: SignatureScheme.rsa_pss_pss_sha256, keyType: 'rsa-pss', hash: 'sha256' },
  { id: SignatureScheme.rsa_pss_pss_sha384, keyType: 'rsa-pss', hash: 'sha384' },
  { id: SignatureScheme.rsa_pss_pss_sha512, keyType: 'rsa-pss', hash: 'sha512' },
]

/** Every scheme that `verify` knows, the preferred first: what we offer in signature_algorithms. */
export const SUPPORTED_SCHEMES: readonly number[] = SCHEMES.map((scheme) => scheme.id)

function fits(scheme: Scheme, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== scheme.keyType) return false
  const details = key.asymmetricKeyDetails ?? {}
  if (scheme.keyType === 'ec') return details.namedCurve === scheme.curve
  if (scheme.keyType === 'ed25519') return true
  if ((details.modulusLength ?? 0) < MINIMUM_RSA_BITS) return false
  // A PSS key may name the only hash that it is to be used with (RFC 4055 section 3.1), and then also the
  // shortest salt; TLS 1.3 salts are as long as the hash.
  if (details.hashAlgorithm === undefined) return true
  return (
    details.hashAlgorithm === scheme.hash &&
    (details.mgf1HashAlgorithm ?? scheme.hash) === scheme.hash &&
    (details.saltLength ?? 0) <= hashBytes(scheme.hash)
  )
}

function hashBytes(hash: Scheme['hash']): number {
  return hash === null ? 0 : Number(hash.slice(3)) / 8
}

/**
 * Schemes that this key can sign or be verified with, the preferred first.
 * @param key private or public
 * @returns empty for a key that TLS 1.3 has no use for
 */
export function schemesForKey(key: KeyObject): number[] {
  return SCHEMES.filter((scheme) => fits(scheme, key)).map((scheme) => scheme.id)
}

function schemeFor(id: number, key: KeyObject): Scheme | undefined {
  return SCHEMES.find((scheme) => scheme.id === id && fits(scheme, key))
}

function keyInput(scheme: Scheme, key: KeyObject) {
  if (scheme.keyType === 'ec') return { key, dsaEncoding: 'der' as const }
  if (scheme.keyType === 'ed25519') return { key }
  // RFC 8446 section 4.2.3: "The length of the Salt MUST be equal to the length of the output of the
  // digest algorithm."
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

/**
 * Signs data.
 * @param scheme one of `schemesForKey(key)`
 * @throws RangeError when key and scheme do not fit
 */
export function sign(scheme: number, key: KeyObject, data: Uint8Array): Uint8Array {
  const found = schemeFor(scheme, key)
  if (found === undefined) throw new RangeError(`key does not fit signature scheme 0x${scheme.toString(16)}`)
  return nodeSign(found.hash, data, keyInput(found, key))
}

/**
 * Whether the signature is right; false also when the key does not fit the scheme.
 * RFC 8446 section 4.4.3 leaves PKCS#1 v1.5 and SHA-1 out of CertificateVerify, and so does this room.
 */
export function verify(scheme: number, key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  const found = schemeFor(scheme, key)
  if (found === undefined) return false
  try {
    return nodeVerify(found.hash, data, keyInput(found, key), signature)
  } catch {
    return false
  }
}
