// Judges a server's certificate chain against trust anchors, at the time of this machine. Used by connect.ts.
import { getCACertificates, rootCertificates } from 'node:tls'
import { Alert, certificatesFromPem, verifyChain } from '../transport/tls/index.ts'
import type { CertificateVerifier } from './open-session.ts'

/** Trust anchors as DER; Node.js's own are read once, when first needed. */
let systemAnchors: readonly Uint8Array[] | undefined

function anchorsOf(ca: string | readonly string[] | undefined): readonly Uint8Array[] {
  if (ca !== undefined) return (typeof ca === 'string' ? [ca] : ca).flatMap((pem) => certificatesFromPem(pem))
  systemAnchors ??= (getCACertificates?.('default') ?? rootCertificates).flatMap((pem) => certificatesFromPem(pem))
  return systemAnchors
}

/**
 * Makes the verification hook of a client connection.
 * @param ca PEM certificates to trust instead of those of Node.js
 * @throws Error when a given certificate cannot be read
 */
export function certificateVerifier(ca: string | readonly string[] | undefined): CertificateVerifier {
  const trustAnchors = anchorsOf(ca)
  return ({ chain, serverName }, done) => {
    verifyChain({ chain, trustAnchors, serverName, now: new Date(), purpose: 'server' }).then(done, (error: unknown) =>
      done({ alert: Alert.internalError, reason: error instanceof Error ? error.message : String(error) }),
    )
  }
}
