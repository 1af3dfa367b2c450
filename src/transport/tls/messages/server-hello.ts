// ServerHello and HelloRetryRequest, RFC 8446 sections 4.1.3 and 4.1.4: one structure, told apart by its random.
// Read by the client, written by the server.

import { Alert, alertError } from '../alerts.ts'
import {
  type ExtensionBlock,
  ExtensionType,
  MessageBit,
  readExtensions,
  writeExtension,
} from '../extension-block.ts'
import {
  type KeyShareEntry,
  readServerShare,
  readUint16Body,
  TLS_1_3,
  writeShare,
} from '../extension-bodies.ts'
import { bodyReader, encodeMessage, HANDSHAKE_HEADER_BYTES, HandshakeType } from '../handshake-type.ts'
import { LEGACY_VERSION } from './client-hello.ts'

/** SHA-256 of "HelloRetryRequest", RFC 8446 section 4.1.3. */
const RETRY_RANDOM = Uint8Array.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'.match(/../g)!,
  (hex) => Number.parseInt(hex, 16),
)

export interface ServerHello {
  random: Uint8Array
  cipherSuite: number
  extensions: ExtensionBlock
  /** Present in every ServerHello that we accept. */
  keyShare: KeyShareEntry | undefined
  /** Which of the offered tickets was taken (RFC 8446 section 4.2.11). */
  selectedIdentity: number | undefined
}

export interface HelloRetryRequest {
  cipherSuite: number
  extensions: ExtensionBlock
  group: number | undefined
  cookie: Uint8Array | undefined
}

/** Whether a message of type server_hello is a HelloRetryRequest. Too short a message is not one. */
export function isHelloRetryRequest(message: Uint8Array): boolean {
  const start = HANDSHAKE_HEADER_BYTES + 2
  if (message.length < start + RETRY_RANDOM.length) return false
  return RETRY_RANDOM.every((byte, i) => message[start + i] === byte)
}

/** @throws protocol_version, illegal_parameter, missing_extension, decode_error */
export function parseServerHello(message: Uint8Array): ServerHello {
  const { random, cipherSuite, extensions } = parseCommon(message, MessageBit.serverHello)
  const share = extensions.reader(ExtensionType.keyShare)
  const selected = extensions.reader(ExtensionType.preSharedKey)
  return {
    random,
    cipherSuite,
    extensions,
    keyShare: share && readServerShare(share),
    selectedIdentity: selected && readUint16Body(selected),
  }
}

/** @throws protocol_version, illegal_parameter, decode_error */
export function parseHelloRetryRequest(message: Uint8Array): HelloRetryRequest {
  const { cipherSuite, extensions } = parseCommon(message, MessageBit.helloRetryRequest)
  const group = extensions.reader(ExtensionType.keyShare)
  const cookie = extensions.reader(ExtensionType.cookie)
  const value = cookie?.readVector16(1)
  cookie?.expectEnd()
  return {
    cipherSuite,
    extensions,
    group: group && readUint16Body(group),
    cookie: value && new Uint8Array(value),
  }
}

function parseCommon(message: Uint8Array, bit: number) {
  const reader = bodyReader(message)
  const legacyVersion = reader.readUint16()
  const random = reader.readBytes(32)
  const sessionId = reader.readVector8()
  const cipherSuite = reader.readUint16()
  const compression = reader.readUint8()
  // RFC 9846 section 4.2.3; a hello without extensions is one of TLS 1.2, which QUIC forbids (RFC 9001 section 4.2).
  if (legacyVersion !== LEGACY_VERSION || reader.remaining === 0) {
    throw alertError(Alert.protocolVersion, 'not a TLS 1.3 ServerHello')
  }
  // RFC 8446 section 4.1.3: what does not match the ClientHello is illegal_parameter. Ours has no session id.
  if (sessionId.length > 0) throw alertError(Alert.illegalParameter, 'session id was not sent')
  if (compression !== 0) throw alertError(Alert.illegalParameter, 'compression method is not null')
  const extensions = readExtensions(reader, bit)
  reader.expectEnd()
  const version = extensions.reader(ExtensionType.supportedVersions)
  if (version === undefined) throw alertError(Alert.protocolVersion, 'a version before TLS 1.3')
  // RFC 8446 section 4.2.1: a version that was not offered is illegal_parameter.
  if (readUint16Body(version) !== TLS_1_3) throw alertError(Alert.illegalParameter, 'version was not offered')
  return { random, cipherSuite, extensions }
}

/**
 * @param random 32 bytes
 * @param selectedIdentity position of the accepted ticket in the client's offer
 */
export function encodeServerHello(
  random: Uint8Array,
  cipherSuite: number,
  share: KeyShareEntry,
  selectedIdentity?: number,
): Uint8Array {
  return encodeHello(random, cipherSuite, (writer) => writeShare(writer, share), selectedIdentity)
}

/** Asks for a share of `group`. */
export function encodeHelloRetryRequest(cipherSuite: number, group: number): Uint8Array {
  return encodeHello(RETRY_RANDOM, cipherSuite, (writer) => writer.writeUint16(group))
}

function encodeHello(
  random: Uint8Array,
  cipherSuite: number,
  writeKeyShare: Parameters<typeof writeExtension>[2],
  selectedIdentity?: number,
): Uint8Array {
  return encodeMessage(
    HandshakeType.serverHello,
    (writer) => {
      writer.writeUint16(LEGACY_VERSION)
      writer.writeBytes(random)
      writer.writeUint8(0)
      writer.writeUint16(cipherSuite)
      writer.writeUint8(0)
      const start = writer.open(2)
      writeExtension(writer, ExtensionType.supportedVersions, (w) => w.writeUint16(TLS_1_3))
      writeExtension(writer, ExtensionType.keyShare, writeKeyShare)
      if (selectedIdentity !== undefined) {
        writeExtension(writer, ExtensionType.preSharedKey, (w) => w.writeUint16(selectedIdentity))
      }
      writer.close(2, start)
    },
    128,
  )
}
