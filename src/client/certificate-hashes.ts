// Accepts a server's certificate by its hash, as browsers do for WebTransport (W3C WebTransport section 5.9,
// serverCertificateHashes): no authority is asked, but the certificate has to be young and of a modern kind.
import { createHash, X509Certificate } from 'node:crypto'
import { Alert } from '../transport/tls/index.ts'
import { MAX_HASHED_CERTIFICATE_DAYS } from './limits.ts'
import type { CertificateVerifier } from './open-session.ts'

/** The hash of a certificate that is accepted. */
export interface WebTransportHash {
  /** Only "sha-256" is known; others match nothing. */
  readonly algorithm: string
  /** Of the whole certificate in DER. */
  readonly value: ArrayBuffer | ArrayBufferView
}

const DAY = 86_400_000

function hexOf(value: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
  return bytes.toString('hex')
}

/**
 * Makes the verification hook of a connection.
 * @param now wall time, ms since 1970
 */
export function hashVerifier(hashes: readonly WebTransportHash[], now: () => number): CertificateVerifier {
  const accepted = new Set(
    hashes.filter(({ algorithm }) => algorithm.toLowerCase() === 'sha-256').map(({ value }) => hexOf(value)),
  )
  return ({ chain }, done) => {
    const reason = objection(chain[0], accepted, now())
    done(reason === undefined ? true : { alert: Alert.badCertificate, reason })
  }
}

/** What is wrong with a certificate; undefined for nothing. */
function objection(
  der: Uint8Array | undefined,
  accepted: ReadonlySet<string>,
  now: number,
): string | undefined {
  if (der === undefined) return 'no certificate was shown'
  if (!accepted.has(createHash('sha256').update(der).digest('hex'))) return 'the certificate has another hash'
  const { validFrom, validTo, publicKey } = new X509Certificate(der)
  const [begin, end] = [Date.parse(validFrom), Date.parse(validTo)]
  if (!(begin <= now && now <= end)) return 'the certificate is expired or not valid yet'
  // The W3C's limits on such certificates: 14 days, and no RSA.
  if (end - begin > MAX_HASHED_CERTIFICATE_DAYS * DAY) return 'the certificate is valid for more than 14 days'
  return publicKey.asymmetricKeyType === 'rsa' ? 'the certificate has an RSA key' : undefined
}
