// What a path of certificates must fulfil besides signatures and dates, RFC 5280 sections 4.2 and 6.1: purposes, path
// length, names that an authority may vouch for, critical extensions, weak algorithms. The extensions are decoded by
// pkijs, whose engine checks the rest (see certificate-verification.ts). Called by that file only.

import type { BitString, OctetString } from 'asn1js'
import type {
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  GeneralSubtree,
} from 'pkijs'
import { Alert } from './alerts.ts'

/** Object identifiers, RFC 5280 section 4.2. */
const Extension = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const

const PROCESSED: readonly string[] = Object.values(Extension)

const ANY_PURPOSE = '2.5.29.37.0'
export const Purpose = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const

/** MD5 and SHA-1 signatures: RFC 8446 section 4.4.2.4 forbids the first, deprecates the second. */
const WEAK_SIGNATURES: readonly string[] = [
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]

/** First bit of KeyUsage. */
const DIGITAL_SIGNATURE = 0x80

/** GeneralName choices. */
const DNS_NAME = 2
const IP_ADDRESS = 7

export interface Violation {
  readonly alert: number
  readonly reason: string
}

function violation(alert: number, reason: string): Violation {
  return { alert, reason }
}

function extensionValue<T>(certificate: Certificate, id: string): T | undefined {
  return certificate.extensions?.find((extension) => extension.extnID === id)?.parsedValue as T | undefined
}

/**
 * The first rule that a path breaks, or undefined.
 * @param path leaf first, anchor last
 * @param purpose object identifier of the extended key usage wanted
 */
export function findViolation(path: readonly Certificate[], purpose: string): Violation | undefined {
  return (
    checkLeafUse(path[0]) ??
    checkPurposes(path, purpose) ??
    checkCriticalExtensions(path) ??
    checkAlgorithms(path) ??
    checkPathLength(path) ??
    checkNames(path)
  )
}

function checkLeafUse(leaf: Certificate): Violation | undefined {
  const usage = extensionValue<BitString>(leaf, Extension.keyUsage)
  // RFC 8446 section 4.4.2.2: "the digitalSignature bit MUST be set if the Key Usage extension is present"
  if (usage === undefined || (usage.valueBlock.valueHexView[0] & DIGITAL_SIGNATURE) !== 0) return undefined
  return violation(Alert.unsupportedCertificate, 'the certificate is not for signatures')
}

function checkPurposes(path: readonly Certificate[], purpose: string): Violation | undefined {
  for (const certificate of path) {
    const purposes = extensionValue<ExtKeyUsage>(certificate, Extension.extendedKeyUsage)?.keyPurposes
    if (purposes !== undefined && !purposes.includes(purpose) && !purposes.includes(ANY_PURPOSE)) {
      return violation(Alert.unsupportedCertificate, 'the certificate is not for this purpose')
    }
  }
  return undefined
}

/** RFC 5280 section 4.2: a critical extension that is not understood rejects the certificate. */
function checkCriticalExtensions(path: readonly Certificate[]): Violation | undefined {
  for (const certificate of path) {
    for (const { critical, extnID } of certificate.extensions ?? []) {
      if (critical && !PROCESSED.includes(extnID)) {
        return violation(Alert.unsupportedCertificate, 'a critical extension of the certificate is unknown')
      }
    }
  }
  return undefined
}

/** The anchor's own signature says nothing, so it is left out. */
function checkAlgorithms(path: readonly Certificate[]): Violation | undefined {
  const isWeak = path.slice(0, -1).some((one) => WEAK_SIGNATURES.includes(one.signatureAlgorithm.algorithmId))
  return isWeak ? violation(Alert.badCertificate, 'a certificate is signed with a broken hash') : undefined
}

/** RFC 5280 section 4.2.1.9: certificates between an authority and the leaf, self-issued ones not counted. */
function checkPathLength(path: readonly Certificate[]): Violation | undefined {
  let between = 0
  for (const certificate of path.slice(1)) {
    const allowed = extensionValue<BasicConstraints>(
      certificate,
      Extension.basicConstraints,
    )?.pathLenConstraint
    if (typeof allowed === 'number' && between > allowed) {
      return violation(Alert.unknownCa, 'the chain is longer than an authority allows')
    }
    if (!certificate.issuer.isEqual(certificate.subject)) between++
  }
  return undefined
}

/** RFC 5280 section 4.2.1.10, for DNS names and addresses: every name must be permitted by every authority. */
function checkNames(path: readonly Certificate[]): Violation | undefined {
  const names =
    extensionValue<GeneralNames & { altNames?: GeneralName[] }>(path[0], Extension.subjectAltName)
      ?.altNames ?? []
  for (const authority of path.slice(1)) {
    const constraints = extensionValue<{
      permittedSubtrees?: GeneralSubtree[]
      excludedSubtrees?: GeneralSubtree[]
    }>(authority, Extension.nameConstraints)
    if (constraints === undefined) continue
    const { permittedSubtrees = [], excludedSubtrees = [] } = constraints
    if (names.some((name) => !isPermitted(name, permittedSubtrees, excludedSubtrees))) {
      return violation(Alert.badCertificate, 'an authority may not vouch for a name of the certificate')
    }
  }
  return undefined
}

function isPermitted(
  name: GeneralName,
  permitted: readonly GeneralSubtree[],
  excluded: readonly GeneralSubtree[],
): boolean {
  if (name.type !== DNS_NAME && name.type !== IP_ADDRESS) return true
  if (excluded.some(({ base }) => isWithin(name, base))) return false
  const ofType = permitted.filter(({ base }) => base.type === name.type)
  return ofType.length === 0 || ofType.some(({ base }) => isWithin(name, base))
}

function isWithin(name: GeneralName, base: GeneralName): boolean {
  if (name.type !== base.type) return false
  return name.type === DNS_NAME
    ? isSubdomain(String(name.value).toLowerCase(), String(base.value).toLowerCase())
    : isInNetwork(addressOf(name), addressOf(base))
}

function isSubdomain(name: string, base: string): boolean {
  const suffix = base.startsWith('.') ? base.slice(1) : base
  return suffix === '' || name === suffix || name.endsWith(`.${suffix}`)
}

function addressOf(name: GeneralName): Uint8Array {
  return (name.value as OctetString).valueBlock.valueHexView
}

/** A constraint is an address followed by a mask of the same length. */
function isInNetwork(address: Uint8Array, network: Uint8Array): boolean {
  const { length } = address
  if (network.length !== 2 * length) return false
  return address.every((byte, i) => ((byte ^ network[i]) & network[length + i]) === 0)
}
