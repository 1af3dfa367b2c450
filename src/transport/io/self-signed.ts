// A certificate for development, made when none is given: P-256, 13 days, so that browsers accept it by its hash
// (WebTransport's serverCertificateHashes allow 14 days at most) or by its key's hash (--ignore-certificate-errors-
// spki-list). Called by the command line and by serve({ tls: 'self-signed' }). Reads the clock and makes keys.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isAddressLiteral } from '../tls/server-name.ts'

export interface SelfSignedOptions {
  /** Host names and address literals; `localhost`, 127.0.0.1 and ::1 when absent. */
  readonly names?: readonly string[]
  /** Lifetime in days, 13 when absent. */
  readonly days?: number
  /** Begin of the lifetime, milliseconds since 1970; the system's clock when absent. */
  readonly now?: number
}

export interface SelfSigned {
  readonly certPem: string
  readonly keyPem: string
  /** SHA-256 of the public key (SubjectPublicKeyInfo), base64. */
  readonly spkiHash: string
  /** SHA-256 of the certificate, base64. */
  readonly certificateHash: string
  /** The same in hexadecimal. */
  readonly certificateHashHex: string
}

const DEFAULT_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']
const DEFAULT_DAYS = 13
const DAY_MS = 86_400_000
/** Clocks of peers may be behind ours. */
const CLOCK_SKEW_MS = 3_600_000
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'

type Pkijs = typeof import('pkijs')
type Asn1js = typeof import('asn1js')

/** Makes a key and a certificate that it signs itself. */
export async function createSelfSigned(options: SelfSignedOptions = {}): Promise<SelfSigned> {
  const [pkijs, asn1js] = await Promise.all([import('pkijs'), import('asn1js')])
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const certificate = unsignedCertificate(pkijs, asn1js, options)
  certificate.subjectPublicKeyInfo = new pkijs.PublicKeyInfo({ schema: asn1js.fromBER(spki).result })
  const der = signedBytes(asn1js, certificate, privateKey)
  return {
    certPem: pem(der),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    spkiHash: createHash('sha256').update(spki).digest('base64'),
    certificateHash: createHash('sha256').update(der).digest('base64'),
    certificateHashHex: createHash('sha256').update(der).digest('hex'),
  }
}

function unsignedCertificate(pkijs: Pkijs, asn1js: Asn1js, options: SelfSignedOptions) {
  const { names = DEFAULT_NAMES, days = DEFAULT_DAYS, now = Date.now() } = options
  const certificate = new pkijs.Certificate()
  certificate.version = 2
  certificate.serialNumber = new asn1js.Integer({ valueHex: serialNumber() })
  const value = new asn1js.Utf8String({ value: names[0] })
  certificate.subject.typesAndValues.push(new pkijs.AttributeTypeAndValue({ type: '2.5.4.3', value }))
  certificate.issuer = certificate.subject
  const begin = now - CLOCK_SKEW_MS
  certificate.notBefore.value = new Date(begin)
  certificate.notAfter.value = new Date(begin + days * DAY_MS)
  certificate.extensions = extensions(pkijs, asn1js, names)
  const algorithm = new pkijs.AlgorithmIdentifier({ algorithmId: ECDSA_WITH_SHA256 })
  certificate.signature = algorithm
  certificate.signatureAlgorithm = algorithm
  return certificate
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 bytes. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = (bytes[0] & 0x7f) | 0x40
  return bytes.buffer
}

function extensions(pkijs: Pkijs, asn1js: Asn1js, names: readonly string[]) {
  const altNames = new pkijs.GeneralNames({
    names: names.map((name) =>
      isAddressLiteral(name)
        ? new pkijs.GeneralName({ type: 7, value: new asn1js.OctetString({ valueHex: addressBytes(name) }) })
        : new pkijs.GeneralName({ type: 2, value: name }),
    ),
  })
  const digitalSignature = new asn1js.BitString({ unusedBits: 7, valueHex: Uint8Array.of(0x80).buffer })
  const serverAuth = new pkijs.ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.1'] })
  return (
    [
      ['2.5.29.19', true, new pkijs.BasicConstraints().toSchema()],
      ['2.5.29.15', true, digitalSignature],
      ['2.5.29.37', false, serverAuth.toSchema()],
      ['2.5.29.17', false, altNames.toSchema()],
    ] as const
  ).map(([extnID, critical, value]) => new pkijs.Extension({ extnID, critical, extnValue: value.toBER() }))
}

function signedBytes(
  asn1js: Asn1js,
  certificate: InstanceType<Pkijs['Certificate']>,
  key: KeyObject,
): Uint8Array {
  const signature = sign('sha256', new Uint8Array(certificate.encodeTBS().toBER()), key)
  certificate.signatureValue = new asn1js.BitString({ valueHex: new Uint8Array(signature).buffer })
  return new Uint8Array(certificate.toSchema(true).toBER())
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** An address literal as its four or sixteen bytes. */
function addressBytes(address: string): ArrayBuffer {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number).buffer
  const [head, tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  const bytes = groups.flatMap((group) => {
    const number = Number.parseInt(group, 16)
    return [number >> 8, number & 0xff]
  })
  return Uint8Array.from(bytes).buffer
}
