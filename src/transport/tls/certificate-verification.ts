// Whether a peer's certificate chain may be believed, RFC 5280 section 6 and RFC 6125 section 6. Asynchronous, because
// the library is. The path is found and its signatures checked by OpenSSL (certificate-path.ts); pkijs decodes it and
// its engine processes policies and authorities; certificate-rules.ts has what the engine leaves out.
// Called by whoever answers TlsOutput.requestCertificateVerification: the client and the supervisor.

import type { X509Certificate } from 'node:crypto'
import type { Certificate } from 'pkijs'
import { Alert } from './alerts.ts'
import { findPath, isValidAt, readCertificate } from './certificate-path.ts'
import { findViolation, Purpose } from './certificate-rules.ts'
import { certificatesFromPem } from './identity.ts'
import { MAX_CHAIN_LENGTH } from './limits.ts'
import { canonicalName, isAddressLiteral } from './server-name.ts'
import type { CertificateVerdict } from './tls-output.ts'

export interface ChainCheck {
  /** DER, leaf first, as the peer sent it. */
  readonly chain: readonly Uint8Array[]
  /** Certificates trusted without proof; see trustAnchorsFromPem. Parse them once, not per connection. */
  readonly trustAnchors: readonly X509Certificate[]
  /** Host name or address literal that the leaf must be for; not checked when absent. */
  readonly serverName?: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly purpose: keyof typeof Purpose
}

/**
 * @returns true, or the alert of RFC 8446 section 6.2 that tells why not: certificate_expired, unknown_ca,
 *   bad_certificate (unreadable, wrong signature, wrong name), unsupported_certificate (wrong purpose),
 *   certificate_unknown (what else the engine finds). Never rejects.
 */
export async function verifyChain(check: ChainCheck): Promise<CertificateVerdict> {
  try {
    return await judge(check)
  } catch {
    // pkijs throws on certificates that OpenSSL reads but that are not what RFC 5280 describes.
    return refuse(Alert.badCertificate, 'a certificate cannot be decoded')
  }
}

/** Every certificate of one or more PEM texts, for ChainCheck.trustAnchors. @throws IdentityError */
export function trustAnchorsFromPem(...texts: readonly string[]): X509Certificate[] {
  return texts.flatMap(certificatesFromPem).map((der) => readCertificate(der)!)
}

function refuse(alert: number, reason: string): CertificateVerdict {
  return { alert, reason }
}

async function judge(check: ChainCheck): Promise<CertificateVerdict> {
  const { now, purpose, serverName, trustAnchors } = check
  const chain = check.chain.slice(0, MAX_CHAIN_LENGTH).map(readCertificate)
  if (chain.length === 0 || !isComplete(chain))
    return refuse(Alert.badCertificate, 'a certificate cannot be read')
  const { path, hasBadSignature } = findPath(chain, trustAnchors, now)
  if (path === undefined) {
    return hasBadSignature
      ? refuse(Alert.badCertificate, 'a certificate is not signed by its issuer')
      : refuse(Alert.unknownCa, 'the certificate is not issued by a trusted authority')
  }
  if (!path.every((one) => isValidAt(one, now))) {
    return refuse(Alert.certificateExpired, 'a certificate is expired or not valid yet')
  }
  // Loaded when the first chain is judged: a server without client certificates never needs it.
  const pkijs = await import('pkijs')
  const decoded = path.map((one) => pkijs.Certificate.fromBER(new Uint8Array(one.raw)))
  const broken = findViolation(decoded, Purpose[purpose])
  if (broken !== undefined) return broken
  if (serverName !== undefined && !isFor(path[0], serverName)) {
    return refuse(Alert.badCertificate, 'the certificate is for another name')
  }
  // An anchor that is itself the leaf is trusted as it is: there is no path to process.
  return decoded.length === 1 || (await passesEngine(decoded, now))
    ? true
    : refuse(Alert.certificateUnknown, 'the chain breaks a rule of RFC 5280')
}

function isComplete<T>(items: readonly (T | undefined)[]): items is readonly T[] {
  return !items.includes(undefined)
}

/** RFC 6125 section 6.4: subjectAltName decides; the common name does not count. */
function isFor(leaf: X509Certificate, serverName: string): boolean {
  const name = canonicalName(serverName)
  if (isAddressLiteral(name)) return leaf.checkIP(name) !== undefined
  return leaf.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined
}

/** The engine gets exactly one path, whose links are proved already, so it has nothing to search and to sign. */
async function passesEngine(path: readonly Certificate[], now: number): Promise<boolean> {
  const anchor = path[path.length - 1]
  const { CertificateChainValidationEngine } = await import('pkijs')
  const engine = new CertificateChainValidationEngine({
    trustedCerts: [anchor],
    // The engine takes the last one for the leaf.
    certs: path.slice(0, -1).reverse(),
    checkDate: new Date(now),
    findIssuer: async (certificate) => path.slice(path.indexOf(certificate) + 1).slice(0, 1),
  })
  const { result } = await engine.verify()
  return result
}
