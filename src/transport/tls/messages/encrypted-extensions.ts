// EncryptedExtensions, RFC 8446 section 4.3.1. Read by the client, written by the server.

import { Alert, alertError } from '../alerts.ts'
import {
  checkSolicited,
  ExtensionType,
  MessageBit,
  readExtensions,
  writeExtension,
} from '../extension-block.ts'
import { readProtocolNames, writeProtocolNames } from '../extension-bodies.ts'
import { bodyReader, encodeMessage, HandshakeType } from '../handshake-type.ts'

export interface EncryptedExtensions {
  alpn: string
  transportParameters: Uint8Array
  /** The server takes our 0-RTT packets (RFC 8446 section 4.2.10). */
  acceptsEarlyData: boolean
}

/**
 * @param requested extension types of our ClientHello
 * @param offered protocol names of our ClientHello
 * @throws unsupported_extension, no_application_protocol, missing_extension, illegal_parameter, decode_error
 */
export function parseEncryptedExtensions(
  message: Uint8Array,
  requested: readonly number[],
  offered: readonly string[],
): EncryptedExtensions {
  const reader = bodyReader(message)
  const extensions = readExtensions(reader, MessageBit.encryptedExtensions)
  reader.expectEnd()
  checkSolicited(extensions, requested)
  // RFC 6066 section 3: the server's server_name extension has an empty body.
  extensions.reader(ExtensionType.serverName)?.expectEnd()
  const transportParameters = extensions.body(ExtensionType.quicTransportParameters)
  if (transportParameters === undefined) {
    // RFC 9001 section 8.2
    throw alertError(Alert.missingExtension, 'no quic_transport_parameters')
  }
  const names = extensions.reader(ExtensionType.alpn)
  if (names === undefined) {
    // RFC 9001 section 8.1: "if ALPN negotiation fails": no_application_protocol
    throw alertError(Alert.noApplicationProtocol, 'the server chose no application protocol')
  }
  extensions.reader(ExtensionType.earlyData)?.expectEnd()
  return {
    alpn: chosenProtocol(readProtocolNames(names), offered),
    transportParameters,
    acceptsEarlyData: extensions.has(ExtensionType.earlyData),
  }
}

/** RFC 7301 section 3.1: the answer has exactly one name, one of those offered. */
function chosenProtocol(names: readonly string[], offered: readonly string[]): string {
  if (names.length !== 1 || !offered.includes(names[0])) {
    throw alertError(Alert.illegalParameter, 'application protocol was not offered')
  }
  return names[0]
}

/**
 * @param acknowledgeName whether the client's server_name took part in the choice (RFC 6066 section 3)
 * @param acceptsEarlyData whether 0-RTT packets are processed
 */
export function encodeEncryptedExtensions(
  alpn: string,
  transportParameters: Uint8Array,
  acknowledgeName: boolean,
  acceptsEarlyData = false,
): Uint8Array {
  return encodeMessage(
    HandshakeType.encryptedExtensions,
    (writer) => {
      const start = writer.open(2)
      if (acknowledgeName) writeExtension(writer, ExtensionType.serverName, () => {})
      writeExtension(writer, ExtensionType.alpn, (w) => writeProtocolNames(w, [alpn]))
      writeExtension(writer, ExtensionType.quicTransportParameters, (w) => w.writeBytes(transportParameters))
      if (acceptsEarlyData) writeExtension(writer, ExtensionType.earlyData, () => {})
      writer.close(2, start)
    },
    256,
  )
}
