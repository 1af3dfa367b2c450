// Codecs of single extension bodies: RFC 8446 sections 4.2.1 to 4.2.8, RFC 6066 section 3, RFC 7301 section 3.1.
// Pure; used by the codecs of ClientHello, ServerHello, EncryptedExtensions and CertificateRequest.

import { Alert, alertError } from './alerts.ts'
import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { MAX_KEY_SHARES, MAX_SERVER_NAME_BYTES } from './limits.ts'

export const TLS_1_3 = 0x0304

/** NameType host_name, the only one there is. */
const HOST_NAME = 0

export interface KeyShareEntry {
  group: number
  keyExchange: Uint8Array
}

/** supported_groups, signature_algorithms and signature_algorithms_cert have one shape. */
export function readUint16ListBody(reader: ByteReader): number[] {
  const list = reader.readUint16List(reader.readUint16())
  reader.expectEnd()
  return list
}

/** supported_versions of a ClientHello: a list with a one-byte length. */
export function readVersions(reader: ByteReader): number[] {
  const list = reader.readUint16List(reader.readUint8())
  reader.expectEnd()
  return list
}

/**
 * server_name of a ClientHello: the host name in lower case, undefined when the list has none.
 * @throws illegal_parameter for a repeated type or a name that is not a host name
 */
export function readServerName(reader: ByteReader): string | undefined {
  const list = new ByteReader(reader.readVector16(1))
  reader.expectEnd()
  let name: string | undefined
  while (list.remaining > 0) {
    const type = list.readUint8()
    const bytes = list.readVector16(1)
    if (type !== HOST_NAME) continue
    // RFC 6066 section 3: "MUST NOT contain more than one name of the same name_type"
    if (name !== undefined) throw alertError(Alert.illegalParameter, 'two host names')
    name = hostName(bytes)
  }
  return name
}

function hostName(bytes: Uint8Array): string {
  if (bytes.length > MAX_SERVER_NAME_BYTES) throw alertError(Alert.illegalParameter, 'host name too long')
  let name = ''
  for (const byte of bytes) {
    // Visible ASCII only: a NUL or a control character never belongs to a name (RFC 6066 section 3).
    if (byte <= 0x20 || byte >= 0x7f) throw alertError(Alert.illegalParameter, 'malformed host name')
    name += String.fromCharCode(byte)
  }
  return name.toLowerCase()
}

export function writeServerName(writer: ByteWriter, name: string): void {
  const list = writer.open(2)
  writer.writeUint8(HOST_NAME)
  writer.writeVector16(asciiBytes(name))
  writer.close(2, list)
}

/** ALPN protocol names, RFC 7301 section 3.1: a non-empty list of non-empty names. */
export function readProtocolNames(reader: ByteReader): string[] {
  const list = new ByteReader(reader.readVector16(2))
  reader.expectEnd()
  const names: string[] = []
  while (list.remaining > 0) names.push(String.fromCharCode(...list.readVector8(1)))
  return names
}

export function writeProtocolNames(writer: ByteWriter, names: readonly string[]): void {
  const list = writer.open(2)
  for (const name of names) writer.writeVector8(asciiBytes(name))
  writer.close(2, list)
}

/** key_share of a ClientHello; may be empty, which asks for a HelloRetryRequest. */
export function readClientShares(reader: ByteReader): KeyShareEntry[] {
  const list = new ByteReader(reader.readVector16())
  reader.expectEnd()
  const shares: KeyShareEntry[] = []
  while (list.remaining > 0) {
    if (shares.length === MAX_KEY_SHARES) throw alertError(Alert.illegalParameter, 'too many key shares')
    shares.push(readShare(list))
  }
  return shares
}

/** key_share of a ServerHello. */
export function readServerShare(reader: ByteReader): KeyShareEntry {
  const share = readShare(reader)
  reader.expectEnd()
  return share
}

function readShare(reader: ByteReader): KeyShareEntry {
  const group = reader.readUint16()
  return { group, keyExchange: reader.readVector16(1) }
}

export function writeShare(writer: ByteWriter, share: KeyShareEntry): void {
  writer.writeUint16(share.group)
  writer.writeVector16(share.keyExchange)
}

/** One two-byte value filling the body: the selected version, or the group of a HelloRetryRequest. */
export function readUint16Body(reader: ByteReader): number {
  const value = reader.readUint16()
  reader.expectEnd()
  return value
}

/** Latin-1 text as bytes: names on the wire are bytes, and every byte survives the way there and back. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
