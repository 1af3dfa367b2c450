// Certificates of clients: judged against the authorities that the server trusts, and shown to handlers. Used by
// start-server.ts and the exchanges.
import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions, QuicConnection } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import { trustAnchorsFromPem, verifyChain } from '../transport/tls/index.ts'
import type { ClientCertificateOptions } from './serve.ts'

type Verifier = NonNullable<ConnectionOptions['verifyCertificate']>

/**
 * Makes the verification hook of a server's connections.
 * @throws IdentityError when an authority cannot be read
 */
export function clientVerifier({ ca }: ClientCertificateOptions, clock: Clock): Verifier {
  const trustAnchors = trustAnchorsFromPem(...[ca].flat())
  return ({ chain }, done) => {
    void verifyChain({ chain, trustAnchors, now: clock.wallTime(), purpose: 'clientAuth' }).then(done)
  }
}

const decoded = new WeakMap<QuicConnection, X509Certificate>()

/** The verified certificate of a connection's client; decoded once. */
export function clientCertificateOf(connection: QuicConnection): X509Certificate | undefined {
  const [leaf] = connection.tls.peerCertificates
  if (leaf === undefined) return undefined
  let certificate = decoded.get(connection)
  if (certificate === undefined) {
    certificate = new X509Certificate(leaf)
    decoded.set(connection, certificate)
  }
  return certificate
}
