// ClientHello, RFC 8446 section 4.1.2 as narrowed by RFC 9001 section 8. Read by the server, written by the client.

import { TransportErrorCode } from '../../wire/errors.ts'
import { Alert, alertError, transportError } from '../alerts.ts'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import {
  type ExtensionBlock,
  ExtensionType,
  MessageBit,
  readExtensions,
  writeExtension,
} from '../extension-block.ts'
import {
  type KeyShareEntry,
  readClientShares,
  readProtocolNames,
  readServerName,
  readUint16ListBody,
  readVersions,
  TLS_1_3,
  writeProtocolNames,
  writeServerName,
  writeShare,
} from '../extension-bodies.ts'
import { bodyReader, encodeMessage, HandshakeType } from '../handshake-type.ts'
import {
  bindersLengthOf,
  type PskOffer,
  readPskModes,
  readPskOffer,
  writePskModes,
  writePskOffer,
} from './pre-shared-key.ts'

/** legacy_version of every TLS 1.3 hello. */
export const LEGACY_VERSION = 0x0303

/** A ClientHello that passed the checks of its own text; views into the message. */
export interface ClientHello {
  random: Uint8Array
  cipherSuites: number[]
  extensions: ExtensionBlock
  serverName: string | undefined
  /** Protocol names offered; empty when the extension is absent. */
  alpn: string[]
  groups: number[]
  signatureSchemes: number[]
  keyShares: KeyShareEntry[]
  transportParameters: Uint8Array
  /** Tickets offered (RFC 8446 section 4.2.11). */
  preSharedKeys: PskOffer | undefined
  /** A pre-shared key together with a key exchange is welcome: the client may be sent tickets. */
  allowsPsk: boolean
  /** early_data: 0-RTT packets follow (section 4.2.10). */
  hasEarlyData: boolean
}

/**
 * Reads a whole ClientHello (with header).
 * @throws protocol_version, missing_extension, illegal_parameter, decode_error; PROTOCOL_VIOLATION for a session id
 */
export function parseClientHello(message: Uint8Array): ClientHello {
  const reader = bodyReader(message)
  const legacyVersion = reader.readUint16()
  const random = reader.readBytes(32)
  const sessionId = reader.readVector8()
  if (sessionId.length > 32) throw alertError(Alert.decodeError, 'session id longer than 32 bytes')
  const cipherSuites = reader.readUint16List(reader.readUint16())
  const compression = reader.readVector8(1)
  const extensions = readHelloExtensions(reader, legacyVersion)
  // RFC 8446 section 4.1.2: "exactly one byte, set to zero"
  if (compression.length !== 1 || compression[0] !== 0) {
    throw alertError(Alert.illegalParameter, 'compression methods other than null')
  }
  // RFC 9001 section 8.4: a non-empty legacy_session_id SHOULD be PROTOCOL_VIOLATION.
  if (sessionId.length > 0) {
    throw transportError(TransportErrorCode.PROTOCOL_VIOLATION, 'TLS middlebox compatibility mode in QUIC')
  }
  return { random, cipherSuites, extensions, ...readOffers(extensions) }
}

function readHelloExtensions(reader: ByteReader, legacyVersion: number): ExtensionBlock {
  // RFC 9846 section 4.2.2: any legacy_version but 0x0303 is protocol_version; so is a hello of TLS 1.2 or before,
  // which has no supported_versions (section 4.3.1) and perhaps no extensions at all.
  if (legacyVersion !== LEGACY_VERSION || reader.remaining === 0) {
    throw alertError(Alert.protocolVersion, 'not a TLS 1.3 ClientHello')
  }
  const extensions = readExtensions(reader, MessageBit.clientHello)
  reader.expectEnd()
  const versions = extensions.reader(ExtensionType.supportedVersions)
  if (versions === undefined || !readVersions(versions).includes(TLS_1_3)) {
    throw alertError(Alert.protocolVersion, 'TLS 1.3 is not offered')
  }
  return extensions
}

function readOffers(extensions: ExtensionBlock) {
  const resumption = readResumption(extensions)
  const transportParameters = extensions.body(ExtensionType.quicTransportParameters)
  if (transportParameters === undefined) {
    // RFC 9001 section 8.2: "MUST close the connection with an error of type 0x016d"
    throw alertError(Alert.missingExtension, 'no quic_transport_parameters')
  }
  const serverName = extensions.reader(ExtensionType.serverName)
  const alpn = extensions.reader(ExtensionType.alpn)
  const groups = readUint16ListBody(required(extensions, ExtensionType.supportedGroups))
  const schemes = extensions.reader(ExtensionType.signatureAlgorithms)
  // RFC 8446 section 9.2: only a hello with a pre-shared key may leave signature_algorithms out.
  if (schemes === undefined && resumption.preSharedKeys === undefined) {
    throw alertError(Alert.missingExtension, 'no signature_algorithms')
  }
  const keyShares = readClientShares(required(extensions, ExtensionType.keyShare))
  checkKeyShares(keyShares, groups)
  return {
    serverName: serverName && readServerName(serverName),
    alpn: alpn ? readProtocolNames(alpn) : [],
    groups,
    signatureSchemes: schemes === undefined ? [] : readUint16ListBody(schemes),
    keyShares,
    transportParameters,
    ...resumption,
  }
}

/** RFC 8446 section 9.2: what a handshake with certificates cannot do without. */
function required(extensions: ExtensionBlock, type: number): ByteReader {
  const reader = extensions.reader(type)
  if (reader === undefined) throw alertError(Alert.missingExtension, `extension ${type} is missing`)
  return reader
}

function readResumption(extensions: ExtensionBlock) {
  const modes = extensions.reader(ExtensionType.pskKeyExchangeModes)
  const allowsPsk = modes !== undefined && readPskModes(modes)
  const hasEarlyData = extensions.has(ExtensionType.earlyData)
  extensions.reader(ExtensionType.earlyData)?.expectEnd()
  checkPreSharedKey(extensions)
  const offer = extensions.reader(ExtensionType.preSharedKey)
  return { preSharedKeys: offer && readPskOffer(offer), allowsPsk, hasEarlyData }
}

function checkPreSharedKey(extensions: ExtensionBlock): void {
  if (!extensions.has(ExtensionType.preSharedKey)) {
    // RFC 8446 section 4.2.10: early data goes with a pre-shared key.
    if (extensions.has(ExtensionType.earlyData)) {
      throw alertError(Alert.illegalParameter, 'early_data without pre_shared_key')
    }
    return
  }
  // RFC 8446 section 4.2.11: "MUST be the last extension in the ClientHello"
  if (extensions.types.at(-1) !== ExtensionType.preSharedKey) {
    throw alertError(Alert.illegalParameter, 'pre_shared_key is not the last extension')
  }
  // RFC 8446 section 4.2.9: pre_shared_key without psk_key_exchange_modes aborts the handshake.
  if (!extensions.has(ExtensionType.pskKeyExchangeModes)) {
    throw alertError(Alert.missingExtension, 'pre_shared_key without psk_key_exchange_modes')
  }
}

/** RFC 8446 section 4.2.8: one share per group, and only for groups that supported_groups lists. */
function checkKeyShares(shares: readonly KeyShareEntry[], groups: readonly number[]): void {
  for (let i = 0; i < shares.length; i++) {
    const { group } = shares[i]
    if (!groups.includes(group)) throw alertError(Alert.illegalParameter, `share for unlisted group ${group}`)
    for (let j = 0; j < i; j++) {
      if (shares[j].group === group) throw alertError(Alert.illegalParameter, `two shares for group ${group}`)
    }
  }
}

/** What may differ between the two ClientHellos around a HelloRetryRequest. */
const CHANGEABLE: readonly number[] = [
  ExtensionType.keyShare,
  ExtensionType.earlyData,
  ExtensionType.cookie,
  ExtensionType.preSharedKey,
  ExtensionType.padding,
]

/**
 * RFC 8446 section 4.1.2: the second ClientHello is the first one but for the changes asked for.
 * @throws illegal_parameter when anything else differs
 */
export function checkSecondHello(first: ClientHello, second: ClientHello, group: number): void {
  const same =
    equalBytes(first.random, second.random) &&
    first.cipherSuites.join() === second.cipherSuites.join() &&
    fixedTypes(first.extensions).join() === fixedTypes(second.extensions).join() &&
    fixedTypes(first.extensions).every((type) =>
      equalBytes(first.extensions.body(type)!, second.extensions.body(type)!),
    )
  if (!same) throw alertError(Alert.illegalParameter, 'the second ClientHello differs from the first')
  // RFC 8446 section 4.2.8: the list of shares is replaced by a single one from the group asked for.
  if (second.keyShares.length !== 1 || second.keyShares[0].group !== group) {
    throw alertError(Alert.illegalParameter, 'the second ClientHello lacks the share asked for')
  }
  if (second.extensions.has(ExtensionType.earlyData) || second.extensions.has(ExtensionType.cookie)) {
    throw alertError(Alert.illegalParameter, 'early_data or an unasked cookie in the second ClientHello')
  }
}

function fixedTypes(extensions: ExtensionBlock): number[] {
  return extensions.types.filter((type) => !CHANGEABLE.includes(type))
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** What the client puts into its ClientHello. */
export interface ClientHelloOffer {
  random: Uint8Array
  cipherSuites: readonly number[]
  serverName: string | undefined
  alpn: readonly string[]
  groups: readonly number[]
  signatureSchemes: readonly number[]
  keyShares: readonly KeyShareEntry[]
  transportParameters: Uint8Array
  cookie: Uint8Array | undefined
  /** Tickets are welcome: psk_key_exchange_modes. */
  allowsPsk?: boolean | undefined
  /** The ticket to offer, last of all extensions; its binder is left zero. */
  preSharedKey?: { readonly ticket: Uint8Array; readonly obfuscatedAge: number; readonly hashLength: number }
  hasEarlyData?: boolean | undefined
}

/** Encodes a ClientHello; legacy_session_id stays empty (RFC 9001 section 8.4). */
export function encodeClientHello(offer: ClientHelloOffer): Uint8Array {
  return encodeMessage(HandshakeType.clientHello, (writer) => {
    writer.writeUint16(LEGACY_VERSION)
    writer.writeBytes(offer.random)
    writer.writeUint8(0)
    writer.writeUint16List(offer.cipherSuites)
    writer.writeVector8(Uint8Array.of(0))
    const start = writer.open(2)
    writeOffers(writer, offer)
    writer.close(2, start)
  })
}

function writeOffers(writer: ByteWriter, offer: ClientHelloOffer): void {
  const { serverName, cookie } = offer
  if (serverName !== undefined) {
    writeExtension(writer, ExtensionType.serverName, (w) => writeServerName(w, serverName))
  }
  writeExtension(writer, ExtensionType.supportedVersions, (w) => {
    w.writeUint8(2)
    w.writeUint16(TLS_1_3)
  })
  writeExtension(writer, ExtensionType.supportedGroups, (w) => w.writeUint16List(offer.groups))
  writeExtension(writer, ExtensionType.signatureAlgorithms, (w) => w.writeUint16List(offer.signatureSchemes))
  writeExtension(writer, ExtensionType.keyShare, (w) => {
    const list = w.open(2)
    for (const share of offer.keyShares) writeShare(w, share)
    w.close(2, list)
  })
  if (offer.alpn.length > 0) {
    writeExtension(writer, ExtensionType.alpn, (w) => writeProtocolNames(w, offer.alpn))
  }
  writeExtension(writer, ExtensionType.quicTransportParameters, (w) =>
    w.writeBytes(offer.transportParameters),
  )
  if (cookie !== undefined) {
    writeExtension(writer, ExtensionType.cookie, (w) => w.writeVector16(cookie))
  }
  if (offer.allowsPsk === true) writeExtension(writer, ExtensionType.pskKeyExchangeModes, writePskModes)
  if (offer.hasEarlyData === true) writeExtension(writer, ExtensionType.earlyData, () => {})
  const { preSharedKey: psk } = offer
  if (psk !== undefined) {
    writeExtension(writer, ExtensionType.preSharedKey, (w) =>
      writePskOffer(w, psk.ticket, psk.obfuscatedAge, psk.hashLength),
    )
  }
}

/** The part of a ClientHello of ours that its binder covers. */
export function helloWithoutBinder(hello: Uint8Array, hashLength: number): Uint8Array {
  return hello.subarray(0, hello.length - bindersLengthOf(hashLength))
}

/** The types that `encodeClientHello` wrote: only these may be answered. */
export function offeredTypes(offer: ClientHelloOffer): number[] {
  const types: number[] = [
    ExtensionType.supportedVersions,
    ExtensionType.supportedGroups,
    ExtensionType.signatureAlgorithms,
    ExtensionType.keyShare,
    ExtensionType.quicTransportParameters,
  ]
  if (offer.serverName !== undefined) types.push(ExtensionType.serverName)
  if (offer.alpn.length > 0) types.push(ExtensionType.alpn)
  if (offer.preSharedKey !== undefined) types.push(ExtensionType.preSharedKey)
  if (offer.hasEarlyData === true) types.push(ExtensionType.earlyData)
  return types
}
