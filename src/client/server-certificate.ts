// Judges a server's certificate chain against trust anchors, at the time of this machine. Used by connect.ts.
import type { X509Certificate } from 'node:crypto'
import { getCACertificates, rootCertificates } from 'node:tls'
import { trustAnchorsFromPem, verifyChain } from '../transport/tls/index.ts'
import type { CertificateVerifier } from './open-session.ts'

/** Trust anchors of Node.js, parsed once, when first needed. */
let systemAnchors: readonly X509Certificate[] | undefined

function anchorsOf(ca: string | readonly string[] | undefined): readonly X509Certificate[] {
  if (ca !== undefined) return trustAnchorsFromPem(...(typeof ca === 'string' ? [ca] : ca))
  // Node.js before 22.15 has no getCACertificates.
  systemAnchors ??= trustAnchorsFromPem(...(getCACertificates?.('default') ?? rootCertificates))
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
    const name = serverName === undefined ? {} : { serverName }
    void verifyChain({ chain, trustAnchors, ...name, now: Date.now(), purpose: 'serverAuth' }).then(done)
  }
}
