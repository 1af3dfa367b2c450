// The certificates of a server and its keys: several by server name, exchanged while it runs. HTTP/3 takes identities
// from it, the TCP fallback secure contexts; connections that are open keep what they have. Made by start-server.ts.
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { loadIdentity, type ServerIdentity } from '../transport/tls/index.ts'
import type { CertificateAndKey } from './serve.ts'

interface StoredCertificate {
  readonly leaf: X509Certificate
  readonly context: SecureContext
}

/**
 * What HTTP/3 shows of certificates; also the way to find out whether they can be used.
 * @throws RangeError when there are none, IdentityError for a chain or key that cannot be used
 */
export function identitiesOf(certificates: readonly CertificateAndKey[]): ServerIdentity[] {
  if (certificates.length === 0) throw new RangeError('a server needs a certificate')
  return certificates.map(({ cert, key }) => loadIdentity(cert, key))
}

export class CertificateStore {
  /** For new connections; another array after each exchange. */
  identities: readonly ServerIdentity[] = []
  /** Of the TCP fallback, for clients that name no server. */
  first!: SecureContextOptions
  #stored: readonly StoredCertificate[] = []

  readonly #clientAuthorities: readonly string[] | undefined

  /**
   * @param clientAuthorities PEM of those whose clients' certificates count, on the TCP fallback
   * @throws IdentityError for a chain or key that cannot be used
   */
  constructor(certificates: readonly CertificateAndKey[], clientAuthorities?: string | readonly string[]) {
    this.#clientAuthorities = clientAuthorities === undefined ? undefined : [clientAuthorities].flat()
    this.replace(certificates)
  }

  /**
   * Puts others in their place, all or none.
   * @param certificates at least one; the first is shown to clients that ask for a name that none is for
   * @throws IdentityError for a chain or key that cannot be used; nothing has changed then
   */
  replace(certificates: readonly CertificateAndKey[]): void {
    const identities = identitiesOf(certificates)
    const stored = certificates.map(({ cert, key }, index) => ({
      leaf: new X509Certificate(identities[index].certificateChain[0]),
      context: createSecureContext(this.#contextOptions({ cert, key })),
    }))
    this.identities = identities
    this.first = this.#contextOptions(certificates[0])
    this.#stored = stored
  }

  #contextOptions({ cert, key }: CertificateAndKey): SecureContextOptions {
    const ca = this.#clientAuthorities
    return ca === undefined ? { cert, key } : { cert, key, ca: [...ca] }
  }

  /** The context for a client of the TCP fallback that asks for `serverName` (RFC 6066 section 3). */
  contextFor(serverName: string): SecureContext {
    const named = this.#stored.find(
      ({ leaf }) => leaf.checkHost(serverName, { subject: 'never' }) !== undefined,
    )
    return (named ?? this.#stored[0]).context
  }
}
