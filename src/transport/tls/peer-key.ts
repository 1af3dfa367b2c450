// The public key of a peer's certificate, for CertificateVerify. Whether the certificate may be believed is decided
// elsewhere (certificate-verification.ts). Called by the server and the client.

import { type KeyObject, X509Certificate } from 'node:crypto'
import { schemesForKey } from '../crypto/signatures.ts'
import { Alert, alertError } from './alerts.ts'

export interface PeerKey {
  readonly key: KeyObject
  /** Signature schemes that this key can be verified with. */
  readonly schemes: readonly number[]
}

/**
 * @param certificate DER
 * @throws bad_certificate when it cannot be read, unsupported_certificate for a key that TLS 1.3 cannot use
 */
export function peerKeyOf(certificate: Uint8Array): PeerKey {
  const key = readKey(certificate)
  const schemes = schemesForKey(key)
  if (schemes.length === 0) {
    throw alertError(Alert.unsupportedCertificate, 'certificate with a key that TLS 1.3 cannot use')
  }
  return { key, schemes }
}

function readKey(certificate: Uint8Array): KeyObject {
  try {
    return new X509Certificate(certificate).publicKey
  } catch {
    throw alertError(Alert.badCertificate, 'certificate cannot be read')
  }
}
