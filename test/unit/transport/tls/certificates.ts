// Certificates for the tests of TLS: an authority, intermediates and leaves of every kind of key, made with pkijs and
// signed by node:crypto. Every option that a test of chain verification needs to get wrong can be set.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'

export type KeyKind = 'p256' | 'p384' | 'ed25519' | 'rsa' | 'rsaPss'

export interface CertificateOptions {
  readonly subject: string
  readonly key?: KeyKind
  readonly issuer?: TestCertificate
  /** Whose key and name to certify once more. */
  readonly again?: TestCertificate
  readonly names?: readonly string[]
  readonly addresses?: readonly string[]
  readonly isAuthority?: boolean
  readonly pathLength?: number
  /** Milliseconds since 1970. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly usages?: readonly string[]
  readonly keyUsage?: number
  readonly permittedNames?: readonly string[]
  readonly excludedNames?: readonly string[]
  readonly criticalUnknown?: boolean
  readonly requireExplicitPolicy?: number
  readonly breakSignature?: boolean
}

export interface TestCertificate {
  readonly der: Uint8Array
  readonly pem: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly subject: pkijs.RelativeDistinguishedNames
}

export const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

const keys = new Map<string, { privateKey: KeyObject; publicKey: KeyObject }>()

function makeKey(kind: KeyKind) {
  if (kind === 'p256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (kind === 'p384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  // RSA keys take long to make: one of each kind serves all tests.
  let pair = keys.get(kind)
  if (pair === undefined) {
    const options = { modulusLength: 2048 }
    pair = kind === 'rsa' ? generateKeyPairSync('rsa', options) : generateKeyPairSync('rsa-pss', options)
    keys.set(kind, pair)
  }
  return pair
}

function bytesOf(encoded: { toBER(): ArrayBuffer }): Uint8Array {
  return new Uint8Array(encoded.toBER())
}

function extension(id: string, critical: boolean, value: { toBER(): ArrayBuffer }): pkijs.Extension {
  return new pkijs.Extension({ extnID: id, critical, extnValue: value.toBER() })
}

function subtrees(names: readonly string[]): pkijs.GeneralSubtree[] {
  return names.map((value) => new pkijs.GeneralSubtree({ base: new pkijs.GeneralName({ type: 2, value }) }))
}

function ipBytes(address: string): ArrayBuffer {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number).buffer
  const bytes = new Uint8Array(16)
  bytes[15] = Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)
  return bytes.buffer
}

function extensionsOf(options: CertificateOptions): pkijs.Extension[] {
  const list: pkijs.Extension[] = []
  if (options.isAuthority !== undefined) {
    const { isAuthority: cA, pathLength: pathLenConstraint } = options
    const value = new pkijs.BasicConstraints(
      pathLenConstraint === undefined ? { cA } : { cA, pathLenConstraint },
    )
    list.push(extension('2.5.29.19', true, value.toSchema()))
  }
  const usage = options.keyUsage ?? (options.isAuthority ? 0x06 : 0x80)
  const unused = { unusedBits: usage === 0x80 ? 7 : 1, valueHex: Uint8Array.of(usage).buffer }
  list.push(extension('2.5.29.15', true, new asn1js.BitString(unused)))
  if (options.usages) {
    list.push(
      extension('2.5.29.37', false, new pkijs.ExtKeyUsage({ keyPurposes: [...options.usages] }).toSchema()),
    )
  }
  const names = [
    ...(options.names ?? []).map((value) => new pkijs.GeneralName({ type: 2, value })),
    ...(options.addresses ?? []).map(
      (value) =>
        new pkijs.GeneralName({ type: 7, value: new asn1js.OctetString({ valueHex: ipBytes(value) }) }),
    ),
  ]
  if (names.length > 0) list.push(extension('2.5.29.17', false, new pkijs.GeneralNames({ names }).toSchema()))
  if (options.permittedNames || options.excludedNames) {
    const value = new pkijs.NameConstraints({
      ...(options.permittedNames && { permittedSubtrees: subtrees(options.permittedNames) }),
      ...(options.excludedNames && { excludedSubtrees: subtrees(options.excludedNames) }),
    })
    list.push(extension('2.5.29.30', true, value.toSchema()))
  }
  if (options.requireExplicitPolicy !== undefined) {
    const { requireExplicitPolicy } = options
    list.push(extension('2.5.29.36', true, new pkijs.PolicyConstraints({ requireExplicitPolicy }).toSchema()))
  }
  if (options.criticalUnknown) list.push(extension('1.3.6.1.4.1.55555.1', true, new asn1js.Null()))
  return list
}

const ALGORITHMS: Record<string, readonly [oid: string, hash: string | null]> = {
  'ec:prime256v1': ['1.2.840.10045.4.3.2', 'sha256'],
  'ec:secp384r1': ['1.2.840.10045.4.3.3', 'sha384'],
  ed25519: ['1.3.101.112', null],
  rsa: ['1.2.840.113549.1.1.11', 'sha256'],
}

function algorithmOf(key: KeyObject): readonly [string, string | null] {
  const curve = key.asymmetricKeyDetails?.namedCurve
  return ALGORITHMS[curve ? `ec:${curve}` : key.asymmetricKeyType!]
}

let serial = 1

export function issue(options: CertificateOptions): TestCertificate {
  const pair = options.again ?? makeKey(options.key ?? 'p256')
  const certificate = new pkijs.Certificate()
  certificate.version = 2
  certificate.serialNumber = new asn1js.Integer({ value: serial++ })
  certificate.subject.typesAndValues.push(
    new pkijs.AttributeTypeAndValue({
      type: '2.5.4.3',
      value: new asn1js.Utf8String({ value: options.subject }),
    }),
  )
  certificate.issuer = options.issuer?.subject ?? certificate.subject
  certificate.notBefore.value = new Date(options.notBefore ?? NOW - DAY)
  certificate.notAfter.value = new Date(options.notAfter ?? NOW + 13 * DAY)
  certificate.extensions = extensionsOf(options)
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' })
  certificate.subjectPublicKeyInfo = new pkijs.PublicKeyInfo({ schema: asn1js.fromBER(spki).result })
  const signer = options.issuer?.privateKey ?? pair.privateKey
  const [oid, hash] = algorithmOf(signer)
  const algorithm = new pkijs.AlgorithmIdentifier({ algorithmId: oid })
  certificate.signature = algorithm
  certificate.signatureAlgorithm = algorithm
  const signature = new Uint8Array(sign(hash, bytesOf(certificate.encodeTBS()), signer))
  if (options.breakSignature) signature[signature.length - 1] ^= 1
  certificate.signatureValue = new asn1js.BitString({ valueHex: signature.buffer })
  const der = bytesOf(certificate.toSchema(true))
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  const { privateKey, publicKey } = pair
  return { der, pem, privateKey, publicKey, subject: certificate.subject }
}

export function keyPem(certificate: TestCertificate): string {
  return certificate.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}
