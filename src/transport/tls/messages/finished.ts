// Finished (RFC 8446 section 4.4.4) and NewSessionTicket (section 4.6.1 with RFC 9001 section 4.6.1).

import { TransportErrorCode } from '../../wire/errors.ts'
import { Alert, alertError, transportError } from '../alerts.ts'
import { ExtensionType, MessageBit, readExtensions, writeExtension } from '../extension-block.ts'
import { bodyReader, encodeMessage, HANDSHAKE_HEADER_BYTES, HandshakeType } from '../handshake-type.ts'

/** verify_data as a view. @throws decode_error when it has not the length of the hash */
export function parseFinished(message: Uint8Array, hashLength: number): Uint8Array {
  if (message.length !== HANDSHAKE_HEADER_BYTES + hashLength) {
    throw alertError(Alert.decodeError, 'Finished has not the length of the hash')
  }
  return message.subarray(HANDSHAKE_HEADER_BYTES)
}

export function encodeFinished(verifyData: Uint8Array): Uint8Array {
  return encodeMessage(HandshakeType.finished, (writer) => writer.writeBytes(verifyData), 64)
}

export interface NewSessionTicket {
  /** Seconds. */
  lifetime: number
  ageAdd: number
  nonce: Uint8Array
  ticket: Uint8Array
  allowsEarlyData: boolean
}

/** The only max_early_data_size that QUIC allows. */
const QUIC_EARLY_DATA = 0xffffffff

export function parseNewSessionTicket(message: Uint8Array): NewSessionTicket {
  const reader = bodyReader(message)
  const lifetime = reader.readUint32()
  const ageAdd = reader.readUint32()
  const nonce = reader.readVector8()
  const ticket = reader.readVector16(1)
  const extensions = readExtensions(reader, MessageBit.newSessionTicket)
  reader.expectEnd()
  const earlyData = extensions.reader(ExtensionType.earlyData)
  if (earlyData !== undefined) {
    const size = earlyData.readUint32()
    earlyData.expectEnd()
    // RFC 9001 section 4.6.1: any other value MUST be treated as PROTOCOL_VIOLATION.
    if (size !== QUIC_EARLY_DATA) {
      throw transportError(TransportErrorCode.PROTOCOL_VIOLATION, 'max_early_data_size is not 0xffffffff')
    }
  }
  return { lifetime, ageAdd, nonce, ticket, allowsEarlyData: earlyData !== undefined }
}

export function encodeNewSessionTicket(message: NewSessionTicket): Uint8Array {
  return encodeMessage(HandshakeType.newSessionTicket, (writer) => {
    writer.writeUint32(message.lifetime)
    writer.writeUint32(message.ageAdd)
    writer.writeVector8(message.nonce)
    writer.writeVector16(message.ticket)
    const start = writer.open(2)
    if (message.allowsEarlyData) {
      writeExtension(writer, ExtensionType.earlyData, (w) => w.writeUint32(QUIC_EARLY_DATA))
    }
    writer.close(2, start)
  })
}
