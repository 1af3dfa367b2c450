// Extension types, the messages in which each may stand (RFC 9846 section 4.3, the table of extensions), and the
// block of extensions as it is read: two parallel lists, views into the message. Used by the message codecs.

import { Alert, alertError } from './alerts.ts'
import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { MAX_EXTENSIONS } from './limits.ts'

export const ExtensionType = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  useSrtp: 14,
  heartbeat: 15,
  alpn: 16,
  signedCertificateTimestamp: 18,
  clientCertificateType: 19,
  serverCertificateType: 20,
  padding: 21,
  compressCertificate: 27,
  recordSizeLimit: 28,
  delegatedCredential: 34,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  certificateAuthorities: 47,
  oidFilters: 48,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  quicTransportParameters: 57,
} as const

/** The columns of that table; a recognised extension may stand in the messages whose bits are set. */
export const MessageBit = {
  clientHello: 1,
  serverHello: 2,
  helloRetryRequest: 4,
  encryptedExtensions: 8,
  certificate: 16,
  certificateRequest: 32,
  newSessionTicket: 64,
} as const

const { clientHello: CH, serverHello: SH, helloRetryRequest: HRR, encryptedExtensions: EE } = MessageBit
const { certificate: CT, certificateRequest: CR, newSessionTicket: NST } = MessageBit

const ALLOWED_IN: ReadonlyMap<number, number> = new Map<number, number>([
  [ExtensionType.serverName, CH | EE | CR],
  [ExtensionType.statusRequest, CH | CR | CT],
  [ExtensionType.supportedGroups, CH | EE],
  [ExtensionType.signatureAlgorithms, CH | CR],
  [ExtensionType.useSrtp, CH | EE],
  [ExtensionType.heartbeat, CH | EE],
  [ExtensionType.alpn, CH | EE],
  [ExtensionType.signedCertificateTimestamp, CH | CR | CT],
  [ExtensionType.clientCertificateType, CH | EE],
  [ExtensionType.serverCertificateType, CH | EE],
  [ExtensionType.padding, CH],
  [ExtensionType.compressCertificate, CH | CR],
  [ExtensionType.recordSizeLimit, CH | EE],
  [ExtensionType.delegatedCredential, CH | CR | CT],
  [ExtensionType.preSharedKey, CH | SH],
  [ExtensionType.earlyData, CH | EE | NST],
  [ExtensionType.supportedVersions, CH | SH | HRR],
  [ExtensionType.cookie, CH | HRR],
  [ExtensionType.pskKeyExchangeModes, CH],
  [ExtensionType.certificateAuthorities, CH | CR],
  [ExtensionType.oidFilters, CR],
  [ExtensionType.postHandshakeAuth, CH],
  [ExtensionType.signatureAlgorithmsCert, CH | CR],
  [ExtensionType.keyShare, CH | SH | HRR],
  [ExtensionType.quicTransportParameters, CH | EE],
])

/** One `Extension extensions<..>` vector, read. Bodies are views into the message. */
export class ExtensionBlock {
  readonly types: number[] = []
  readonly bodies: Uint8Array[] = []

  /** The body of an extension, or undefined when it is absent. */
  body(type: number): Uint8Array | undefined {
    const index = this.types.indexOf(type)
    return index < 0 ? undefined : this.bodies[index]
  }

  /** A reader over the body of an extension, or undefined when it is absent. */
  reader(type: number): ByteReader | undefined {
    const body = this.body(type)
    return body && new ByteReader(body)
  }

  has(type: number): boolean {
    return this.types.includes(type)
  }
}

/**
 * Reads an extensions vector that reaches to the end of the reader.
 * @throws decode_error when it does not; illegal_parameter for a repeated type or one that `message` may not carry
 */
export function readExtensions(reader: ByteReader, message: number, min = 0): ExtensionBlock {
  const block = new ExtensionBlock()
  const inner = new ByteReader(reader.readVector16(min))
  while (inner.remaining > 0) {
    const type = inner.readUint16()
    const body = inner.readVector16()
    if (block.types.length === MAX_EXTENSIONS) throw alertError(Alert.decodeError, 'too many extensions')
    // RFC 8446 section 4.2: "There MUST NOT be more than one extension of the same type in a given block"
    if (block.has(type)) throw alertError(Alert.illegalParameter, `extension ${type} occurs twice`)
    const allowed = ALLOWED_IN.get(type)
    if (allowed !== undefined && (allowed & message) === 0) {
      throw alertError(Alert.illegalParameter, `extension ${type} does not belong into this message`)
    }
    block.types.push(type)
    block.bodies.push(body)
  }
  return block
}

/**
 * RFC 8446 section 4.2: a response to an extension that was not requested is answered by unsupported_extension.
 * @param requested types that our own message carried
 */
export function checkSolicited(block: ExtensionBlock, requested: readonly number[]): void {
  for (const type of block.types) {
    if (!requested.includes(type)) {
      throw alertError(Alert.unsupportedExtension, `extension ${type} was not requested`)
    }
  }
}

/** Writes one extension: type, length, and the body that `writeBody` writes. */
export function writeExtension(
  writer: ByteWriter,
  type: number,
  writeBody: (writer: ByteWriter) => void,
): void {
  writer.writeUint16(type)
  const start = writer.open(2)
  writeBody(writer)
  writer.close(2, start)
}
