// Finds the way from a peer's leaf certificate to a trust anchor, RFC 5280 section 6.1 (what comes before it).
// Signatures are checked by OpenSSL through node:crypto. Bounded in length and in signatures, because the peer writes
// the certificates. Called by certificate-verification.ts.

import { X509Certificate } from 'node:crypto'
import { MAX_CHAIN_LENGTH, MAX_CHAIN_SIGNATURES } from './limits.ts'

export interface PathSearch {
  /** Leaf first, anchor last; undefined when there is none. */
  readonly path: readonly X509Certificate[] | undefined
  /** Somebody claims to be issued by a certificate whose key did not sign it. */
  readonly hasBadSignature: boolean
}

/** @param now milliseconds since 1970 */
export function isValidAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime()
}

/**
 * Searches depth first; a path whose certificates are all valid now is preferred to one with an expired one.
 * @param chain as the peer sent it, leaf first; the rest in any order
 * @param now milliseconds since 1970
 */
export function findPath(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  now: number,
): PathSearch {
  const search = new Search(anchors)
  const current = search.from(
    chain.filter((one) => isValidAt(one, now)),
    chain[0],
  )
  const path = current ?? search.from(chain, chain[0])
  return { path, hasBadSignature: search.hasBadSignature }
}

class Search {
  hasBadSignature = false
  readonly #anchors: readonly X509Certificate[]
  #signaturesLeft = MAX_CHAIN_SIGNATURES

  constructor(anchors: readonly X509Certificate[]) {
    this.#anchors = anchors
  }

  from(pool: readonly X509Certificate[], leaf: X509Certificate): X509Certificate[] | undefined {
    if (this.#anchors.some((anchor) => anchor.raw.equals(leaf.raw))) return [leaf]
    return this.#extend([leaf], pool)
  }

  #extend(path: X509Certificate[], pool: readonly X509Certificate[]): X509Certificate[] | undefined {
    const last = path[path.length - 1]
    const anchor = this.#anchors.find((candidate) => this.#hasIssued(candidate, last))
    if (anchor !== undefined) return [...path, anchor]
    if (path.length === MAX_CHAIN_LENGTH) return undefined
    for (const candidate of pool) {
      if (path.includes(candidate) || !this.#hasIssued(candidate, last)) continue
      const found = this.#extend([...path, candidate], pool)
      if (found !== undefined) return found
    }
    return undefined
  }

  #hasIssued(issuer: X509Certificate, subject: X509Certificate): boolean {
    if (!subject.checkIssued(issuer) || this.#signaturesLeft === 0) return false
    this.#signaturesLeft--
    const isSigned = hasSigned(issuer, subject)
    if (!isSigned) this.hasBadSignature = true
    return isSigned
  }
}

function hasSigned(issuer: X509Certificate, subject: X509Certificate): boolean {
  try {
    return subject.verify(issuer.publicKey)
  } catch {
    return false
  }
}

/** DER as a certificate, or undefined when OpenSSL cannot read it. */
export function readCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}
