// What an endpoint shows of itself: a certificate chain with its private key. Loaded once from PEM; the server picks
// one per connection by server name and signature scheme. The encoded Certificate message is made once per identity.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { schemesForKey } from '../crypto/signatures.ts'
import { Alert, alertError } from './alerts.ts'
import { encodeCertificate } from './messages/certificate.ts'
import { canonicalName, wildcardFor } from './server-name.ts'

export interface Identity {
  /** DER, leaf first. */
  readonly certificateChain: readonly Uint8Array[]
  readonly privateKey: KeyObject
}

export interface ServerIdentity extends Identity {
  /** Lower-case names the certificate is for; `*.example.org` covers one more label. */
  readonly names: readonly string[]
}

/** Why a certificate or key cannot be used; the message is one line for people. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
}

/**
 * @param certificatePem leaf first, then intermediates
 * @param keyPem unencrypted private key
 * @throws IdentityError when either cannot be read, they do not belong together, or TLS 1.3 has no use for the key
 */
export function loadIdentity(certificatePem: string, keyPem: string): ServerIdentity {
  const certificateChain = certificatesFromPem(certificatePem)
  if (certificateChain.length === 0)
    throw new IdentityError('the certificate file has no certificate in PEM form')
  const leaf = readCertificate(certificateChain[0])
  const privateKey = readPrivateKey(keyPem)
  if (!leaf.checkPrivateKey(privateKey))
    throw new IdentityError('the private key does not belong to the certificate')
  if (schemesForKey(privateKey).length === 0) {
    throw new IdentityError(
      'the key is of a kind that TLS 1.3 cannot use: take ECDSA, Ed25519 or RSA >= 2048 bits',
    )
  }
  return { certificateChain, privateKey, names: certificateNames(leaf) }
}

/** Every certificate of a PEM text as DER. */
export function certificatesFromPem(pem: string): Uint8Array[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new Uint8Array(readCertificate(block).raw))
}

function readCertificate(source: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(source)
  } catch (error) {
    throw new IdentityError('the certificate cannot be read', { cause: error })
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new IdentityError('the private key cannot be read', { cause: error })
  }
}

/** DNS names and addresses of subjectAltName, as node prints them; quoted (odd) entries are left out. */
function certificateNames(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.split(', ') ?? []
  return entries
    .map((entry) => /^(?:DNS|IP Address):([^"]+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined)
    .map(canonicalName)
}

/** An identity made ready: what does not change from connection to connection. */
export interface PreparedIdentity {
  readonly identity: Identity
  /** Signature schemes of its key, preferred first. */
  readonly schemes: readonly number[]
  /** The whole Certificate message. Shared between connections: never write to it. */
  readonly certificateMessage: Uint8Array
}

const prepared = new WeakMap<Identity, PreparedIdentity>()

export function prepareIdentity(identity: Identity): PreparedIdentity {
  let ready = prepared.get(identity)
  if (ready === undefined) {
    ready = {
      identity,
      schemes: schemesForKey(identity.privateKey),
      certificateMessage: encodeCertificate(identity.certificateChain),
    }
    prepared.set(identity, ready)
  }
  return ready
}

export interface IdentityChoice {
  prepared: PreparedIdentity
  scheme: number
  /** Whether the identity was chosen because of the name. */
  matchedName: boolean
}

/** All identities of a server by name. The first one answers for names that nobody has. */
export class IdentityTable {
  readonly #all: readonly PreparedIdentity[]
  readonly #byName = new Map<string, PreparedIdentity[]>()

  constructor(identities: readonly ServerIdentity[]) {
    this.#all = identities.map(prepareIdentity)
    for (const identity of identities) {
      for (const name of identity.names) this.#add(name, prepareIdentity(identity))
    }
  }

  /**
   * The identity for a name, with the first of its schemes that the client accepts.
   * @param serverName lower case, from server_name
   * @throws handshake_failure when the client accepts no scheme of any candidate (RFC 8446 section 4.4.2.2)
   */
  choose(serverName: string | undefined, acceptedSchemes: readonly number[]): IdentityChoice {
    const named = serverName === undefined ? undefined : this.#named(canonicalName(serverName))
    for (const candidate of named ?? this.#all) {
      const scheme = candidate.schemes.find((id) => acceptedSchemes.includes(id))
      if (scheme !== undefined) return { prepared: candidate, scheme, matchedName: named !== undefined }
    }
    throw alertError(Alert.handshakeFailure, 'no certificate fits the signature algorithms offered')
  }

  #named(name: string): PreparedIdentity[] | undefined {
    const wildcard = wildcardFor(name)
    return this.#byName.get(name) ?? (wildcard === undefined ? undefined : this.#byName.get(wildcard))
  }

  #add(name: string, identity: PreparedIdentity): void {
    const present = this.#byName.get(name)
    if (present === undefined) this.#byName.set(name, [identity])
    else present.push(identity)
  }
}

const tables = new WeakMap<readonly ServerIdentity[], IdentityTable>()

/** The table for a list of identities; made once as long as the same list is passed. */
export function identityTable(identities: readonly ServerIdentity[]): IdentityTable {
  let table = tables.get(identities)
  if (table === undefined) {
    table = new IdentityTable(identities)
    tables.set(identities, table)
  }
  return table
}
