// Certificate, CertificateRequest and CertificateVerify, RFC 8446 sections 4.3.2, 4.4.2 and 4.4.3: the messages by
// which either side authenticates. Used by the server and by the client.

import { Alert, alertError } from '../alerts.ts'
import { ByteReader } from '../byte-reader.ts'
import {
  checkSolicited,
  ExtensionType,
  MessageBit,
  readExtensions,
  writeExtension,
} from '../extension-block.ts'
import { asciiBytes, readUint16ListBody } from '../extension-bodies.ts'
import { bodyReader, encodeMessage, HANDSHAKE_HEADER_BYTES, HandshakeType } from '../handshake-type.ts'
import { MAX_CHAIN_LENGTH } from '../limits.ts'

/**
 * The certificates of a Certificate message, leaf first, copied out of it; empty for an empty list.
 * @throws illegal_parameter for a context (both sides' is empty during the handshake), unsupported_extension for an
 *   entry's extension (we request none), bad_certificate for too long a chain, decode_error
 */
export function parseCertificate(message: Uint8Array): Uint8Array[] {
  const reader = bodyReader(message)
  if (reader.readVector8().length > 0) {
    throw alertError(Alert.illegalParameter, 'certificate_request_context is not empty')
  }
  const list = new ByteReader(reader.readVector24())
  reader.expectEnd()
  const chain: Uint8Array[] = []
  while (list.remaining > 0) {
    if (chain.length === MAX_CHAIN_LENGTH)
      throw alertError(Alert.badCertificate, 'certificate chain too long')
    chain.push(new Uint8Array(list.readVector24(1)))
    checkSolicited(readExtensions(list, MessageBit.certificate), [])
  }
  return chain
}

/** Whether a Certificate message has an empty list, by its length: context, list length, nothing else. */
export function isEmptyCertificate(message: Uint8Array): boolean {
  return message.length === HANDSHAKE_HEADER_BYTES + 4
}

/** @param chain DER, leaf first; empty when a client has nothing to show */
export function encodeCertificate(chain: readonly Uint8Array[]): Uint8Array {
  return encodeMessage(HandshakeType.certificate, (writer) => {
    writer.writeUint8(0)
    const list = writer.open(3)
    for (const certificate of chain) {
      writer.writeVector24(certificate)
      writer.writeUint16(0)
    }
    writer.close(3, list)
  })
}

/**
 * The signature schemes that a CertificateRequest accepts.
 * @throws illegal_parameter for a context, missing_extension without signature_algorithms, decode_error
 */
export function parseCertificateRequest(message: Uint8Array): number[] {
  const reader = bodyReader(message)
  // RFC 8446 section 4.3.2: zero length unless used for post-handshake authentication, which QUIC forbids.
  if (reader.readVector8().length > 0) {
    throw alertError(Alert.illegalParameter, 'certificate_request_context is not empty')
  }
  const extensions = readExtensions(reader, MessageBit.certificateRequest)
  reader.expectEnd()
  const schemes = extensions.reader(ExtensionType.signatureAlgorithms)
  if (schemes === undefined) throw alertError(Alert.missingExtension, 'no signature_algorithms')
  return readUint16ListBody(schemes)
}

export function encodeCertificateRequest(schemes: readonly number[]): Uint8Array {
  return encodeMessage(
    HandshakeType.certificateRequest,
    (writer) => {
      writer.writeUint8(0)
      const start = writer.open(2)
      writeExtension(writer, ExtensionType.signatureAlgorithms, (w) => w.writeUint16List(schemes))
      writer.close(2, start)
    },
    64,
  )
}

export interface CertificateVerify {
  scheme: number
  signature: Uint8Array
}

export function parseCertificateVerify(message: Uint8Array): CertificateVerify {
  const reader = bodyReader(message)
  const scheme = reader.readUint16()
  const signature = reader.readVector16()
  reader.expectEnd()
  return { scheme, signature }
}

export function encodeCertificateVerify(scheme: number, signature: Uint8Array): Uint8Array {
  return encodeMessage(HandshakeType.certificateVerify, (writer) => {
    writer.writeUint16(scheme)
    writer.writeVector16(signature)
  })
}

const SERVER_CONTEXT = asciiBytes('TLS 1.3, server CertificateVerify\0')
const CLIENT_CONTEXT = asciiBytes('TLS 1.3, client CertificateVerify\0')
const PADDING_BYTES = 64

/**
 * What a CertificateVerify signs, RFC 8446 section 4.4.3: 64 spaces, who signs, a zero, the transcript hash.
 * @param signer whose CertificateVerify it is
 */
export function signedContent(signer: 'server' | 'client', transcriptHash: Uint8Array): Uint8Array {
  const context = signer === 'server' ? SERVER_CONTEXT : CLIENT_CONTEXT
  const content = new Uint8Array(PADDING_BYTES + context.length + transcriptHash.length).fill(0x20)
  content.set(context, PADDING_BYTES)
  content.set(transcriptHash, PADDING_BYTES + context.length)
  return content
}
