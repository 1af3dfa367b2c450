// Transport parameters (RFC 9000 section 18, max_datagram_frame_size of RFC 9221, version_information of
// RFC 9368). Encoded and decoded by connection; tls carries the bytes.
import { MAX_CONNECTION_ID_LENGTH, RESET_TOKEN_LENGTH } from './connection-id.ts'
import { Cursor } from './cursor.ts'
import { QuicError, TransportErrorCode } from './errors.ts'
import { MAX_TRANSPORT_PARAMETERS } from './limits.ts'
import { varintLength, writeUint16, writeUint32, writeVarint } from './varint.ts'

export type Role = 'client' | 'server'

export interface PreferredAddress {
  /** 4 and 16 bytes; all zero with port 0 when the family is not offered. */
  ipv4: Uint8Array
  ipv4Port: number
  ipv6: Uint8Array
  ipv6Port: number
  connectionId: Uint8Array
  /** 16 bytes. */
  statelessResetToken: Uint8Array
}

export interface VersionInformation {
  chosen: number
  available: number[]
}

export interface TransportParameters {
  originalDestinationConnectionId: Uint8Array | undefined
  /** ms, 0 = none. */
  maxIdleTimeout: number
  /** 16 bytes. */
  statelessResetToken: Uint8Array | undefined
  /** bytes. */
  maxUdpPayloadSize: number
  /** bytes; so are the next three. */
  initialMaxData: number
  initialMaxStreamDataBidiLocal: number
  initialMaxStreamDataBidiRemote: number
  initialMaxStreamDataUni: number
  initialMaxStreamsBidi: number
  initialMaxStreamsUni: number
  ackDelayExponent: number
  /** ms. */
  maxAckDelay: number
  disableActiveMigration: boolean
  preferredAddress: PreferredAddress | undefined
  activeConnectionIdLimit: number
  initialSourceConnectionId: Uint8Array | undefined
  retrySourceConnectionId: Uint8Array | undefined
  /** bytes, 0 = DATAGRAM frames are not accepted. */
  maxDatagramFrameSize: number
  /** Microseconds (draft-ietf-quic-ack-frequency); -1 = the extension is not supported. */
  minAckDelay: number
  versionInformation: VersionInformation | undefined
  /** Packets may come without the fixed bit (RFC 9287). */
  greaseQuicBit: boolean
  /** RESET_STREAM_AT frames are understood (draft-ietf-quic-reliable-stream-reset). */
  resetStreamAt: boolean
  /** A reserved parameter to send (RFC 9000 section 18.1); never set by decoding. */
  grease: { id: number; value: Uint8Array } | undefined
}

/** Values that hold when a parameter is absent (RFC 9000 section 18.2). A fresh object per call. */
export function defaultTransportParameters(): TransportParameters {
  return {
    originalDestinationConnectionId: undefined,
    maxIdleTimeout: 0,
    statelessResetToken: undefined,
    maxUdpPayloadSize: 65527,
    initialMaxData: 0,
    initialMaxStreamDataBidiLocal: 0,
    initialMaxStreamDataBidiRemote: 0,
    initialMaxStreamDataUni: 0,
    initialMaxStreamsBidi: 0,
    initialMaxStreamsUni: 0,
    ackDelayExponent: 3,
    maxAckDelay: 25,
    disableActiveMigration: false,
    preferredAddress: undefined,
    activeConnectionIdLimit: 2,
    initialSourceConnectionId: undefined,
    retrySourceConnectionId: undefined,
    maxDatagramFrameSize: 0,
    minAckDelay: -1,
    versionInformation: undefined,
    greaseQuicBit: false,
    resetStreamAt: false,
    grease: undefined,
  }
}

type NumberName = {
  [K in keyof TransportParameters]: TransportParameters[K] extends number ? K : never
}[keyof TransportParameters]

type BytesName =
  | 'originalDestinationConnectionId'
  | 'statelessResetToken'
  | 'initialSourceConnectionId'
  | 'retrySourceConnectionId'

interface NumberRow {
  name: NumberName
  min: number
  max: number
  isStreamCount?: true
}

const ANY = Number.MAX_SAFE_INTEGER

// RFC 9000 section 18.2: ranges outside of which a value is invalid.
const numberRows = new Map<number, NumberRow>([
  [0x01, { name: 'maxIdleTimeout', min: 0, max: ANY }],
  [0x03, { name: 'maxUdpPayloadSize', min: 1200, max: ANY }],
  [0x04, { name: 'initialMaxData', min: 0, max: ANY }],
  [0x05, { name: 'initialMaxStreamDataBidiLocal', min: 0, max: ANY }],
  [0x06, { name: 'initialMaxStreamDataBidiRemote', min: 0, max: ANY }],
  [0x07, { name: 'initialMaxStreamDataUni', min: 0, max: ANY }],
  [0x08, { name: 'initialMaxStreamsBidi', min: 0, max: ANY, isStreamCount: true }],
  [0x09, { name: 'initialMaxStreamsUni', min: 0, max: ANY, isStreamCount: true }],
  [0x0a, { name: 'ackDelayExponent', min: 0, max: 20 }],
  [0x0b, { name: 'maxAckDelay', min: 0, max: 2 ** 14 - 1 }],
  [0x0e, { name: 'activeConnectionIdLimit', min: 2, max: ANY }],
  [0x20, { name: 'maxDatagramFrameSize', min: 0, max: ANY }],
  [0xff04de1b, { name: 'minAckDelay', min: 0, max: ANY }],
])

interface BytesRow {
  name: BytesName
  min: number
  max: number
  serverOnly: boolean
}

const bytesRows = new Map<number, BytesRow>([
  [
    0x00,
    { name: 'originalDestinationConnectionId', min: 0, max: MAX_CONNECTION_ID_LENGTH, serverOnly: true },
  ],
  [0x02, { name: 'statelessResetToken', min: RESET_TOKEN_LENGTH, max: RESET_TOKEN_LENGTH, serverOnly: true }],
  [0x0f, { name: 'initialSourceConnectionId', min: 0, max: MAX_CONNECTION_ID_LENGTH, serverOnly: false }],
  [0x10, { name: 'retrySourceConnectionId', min: 0, max: MAX_CONNECTION_ID_LENGTH, serverOnly: true }],
])

/** Parameters that say everything by being there; a value is an error in each of their specifications. */
const flagRows = new Map<number, 'disableActiveMigration' | 'resetStreamAt' | 'greaseQuicBit'>([
  [0x0c, 'disableActiveMigration'],
  [0x1d, 'resetStreamAt'],
  [0x2ab2, 'greaseQuicBit'],
])

const PREFERRED_ADDRESS = 0x0d
const VERSION_INFORMATION = 0x11

function invalid(reason: string): never {
  throw new QuicError(TransportErrorCode.TRANSPORT_PARAMETER_ERROR, reason)
}

/**
 * Encodes transport parameters; those at their default are left out.
 * @param role who sends them: a client's never contain what only servers may send
 */
export function encodeTransportParameters(parameters: TransportParameters, role: Role): Uint8Array {
  const defaults = defaultTransportParameters()
  const parts: Uint8Array[] = []
  for (const [id, row] of numberRows) {
    const value = parameters[row.name]
    if (value !== defaults[row.name]) parts.push(encodeNumber(id, value))
  }
  for (const [id, row] of bytesRows) {
    const value = parameters[row.name]
    if (value !== undefined && (role === 'server' || !row.serverOnly)) parts.push(encodeBytes(id, value))
  }
  for (const [id, name] of flagRows) if (parameters[name]) parts.push(encodeBytes(id, new Uint8Array(0)))
  if (parameters.preferredAddress !== undefined && role === 'server') {
    parts.push(encodeBytes(PREFERRED_ADDRESS, preferredAddressBytes(parameters.preferredAddress)))
  }
  if (parameters.versionInformation !== undefined) {
    parts.push(encodeBytes(VERSION_INFORMATION, versionInformationBytes(parameters.versionInformation)))
  }
  if (parameters.grease !== undefined) parts.push(encodeBytes(parameters.grease.id, parameters.grease.value))
  return concatenate(parts)
}

function encodeNumber(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return encodeBytes(id, bytes)
}

function encodeBytes(id: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(varintLength(id) + varintLength(value.length) + value.length)
  bytes.set(value, writeVarint(bytes, writeVarint(bytes, 0, id), value.length))
  return bytes
}

function preferredAddressBytes(address: PreferredAddress): Uint8Array {
  const bytes = new Uint8Array(4 + 2 + 16 + 2 + 1 + address.connectionId.length + RESET_TOKEN_LENGTH)
  bytes.set(address.ipv4, 0)
  writeUint16(bytes, 4, address.ipv4Port)
  bytes.set(address.ipv6, 6)
  let at = writeUint16(bytes, 22, address.ipv6Port)
  bytes[at++] = address.connectionId.length
  bytes.set(address.connectionId, at)
  bytes.set(address.statelessResetToken, at + address.connectionId.length)
  return bytes
}

function versionInformationBytes(information: VersionInformation): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * information.available.length)
  let at = writeUint32(bytes, 0, information.chosen)
  for (const version of information.available) at = writeUint32(bytes, at, version)
  return bytes
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/**
 * Decodes transport parameters; byte strings are copied.
 * @param bytes content of the quic_transport_parameters extension
 * @param fromRole who sent them
 * @throws QuicError TRANSPORT_PARAMETER_ERROR for everything that RFC 9000 section 18 forbids
 */
export function decodeTransportParameters(bytes: Uint8Array, fromRole: Role): TransportParameters {
  const parameters = defaultTransportParameters()
  const seen = new Set<number>()
  const cursor = new Cursor().reset(bytes)
  const value = new Cursor()
  let count = 0
  try {
    while (cursor.remaining > 0) {
      if (++count > MAX_TRANSPORT_PARAMETERS) invalid('too many parameters')
      const id = cursor.readVarint()
      const length = cursor.readVarint()
      const start = cursor.skip(length)
      // Saturated IDs cannot be told apart, and are all unknown.
      if (id !== Number.MAX_SAFE_INTEGER && seen.has(id)) invalid('duplicate parameter')
      seen.add(id)
      decodeParameter(parameters, id, value.reset(bytes, start, start + length), fromRole)
    }
  } catch (error) {
    if (error instanceof QuicError && error.code === TransportErrorCode.FRAME_ENCODING_ERROR) {
      invalid('truncated parameter')
    }
    throw error
  }
  // draft-ietf-quic-ack-frequency section 3: a "min_ack_delay that is greater than the max_ack_delay".
  if (parameters.minAckDelay > parameters.maxAckDelay * 1_000) invalid('minAckDelay above maxAckDelay')
  return parameters
}

function decodeParameter(parameters: TransportParameters, id: number, value: Cursor, from: Role): void {
  const numberRow = numberRows.get(id)
  const bytesRow = bytesRows.get(id)
  const flag = flagRows.get(id)
  if (numberRow !== undefined) {
    parameters[numberRow.name] = decodeNumber(value, numberRow)
  } else if (bytesRow !== undefined) {
    // RFC 9000 section 18.2: "A client MUST NOT include any server-only transport parameter".
    if (bytesRow.serverOnly && from === 'client') invalid(`${bytesRow.name} from a client`)
    if (value.remaining < bytesRow.min || value.remaining > bytesRow.max) invalid(`${bytesRow.name} length`)
    parameters[bytesRow.name] = value.readBytes(value.remaining).slice()
  } else if (flag !== undefined) {
    if (value.remaining !== 0) invalid(`${flag} length`)
    parameters[flag] = true
  } else if (id === PREFERRED_ADDRESS) {
    if (from === 'client') invalid('preferredAddress from a client')
    parameters.preferredAddress = decodePreferredAddress(value)
  } else if (id === VERSION_INFORMATION) {
    parameters.versionInformation = decodeVersionInformation(value, from)
  }
}

function decodeNumber(value: Cursor, row: NumberRow): number {
  const number =
    row.isStreamCount === true
      ? value.readStreamCount(TransportErrorCode.TRANSPORT_PARAMETER_ERROR)
      : value.readVarint()
  if (value.remaining !== 0) invalid(`${row.name} length`)
  if (number < row.min || number > row.max) invalid(`${row.name} out of range`)
  return number
}

function decodePreferredAddress(value: Cursor): PreferredAddress {
  const ipv4 = new Uint8Array(value.readBytes(4))
  const ipv4Port = value.readUint16()
  const ipv6 = new Uint8Array(value.readBytes(16))
  const ipv6Port = value.readUint16()
  const length = value.readUint8()
  // RFC 9000 section 18.2: a zero-length connection ID here is a TRANSPORT_PARAMETER_ERROR.
  if (length < 1 || length > MAX_CONNECTION_ID_LENGTH) invalid('preferredAddress connection ID length')
  const connectionId = new Uint8Array(value.readBytes(length))
  const statelessResetToken = new Uint8Array(value.readBytes(RESET_TOKEN_LENGTH))
  if (value.remaining !== 0) invalid('preferredAddress length')
  return { ipv4, ipv4Port, ipv6, ipv6Port, connectionId, statelessResetToken }
}

function decodeVersionInformation(value: Cursor, from: Role): VersionInformation {
  if (value.remaining === 0 || value.remaining % 4 !== 0) invalid('versionInformation length')
  const chosen = value.readUint32()
  const available: number[] = []
  while (value.remaining > 0) available.push(value.readUint32())
  // RFC 9368 section 4: zero versions, and a client's chosen version missing from its list, fail parsing.
  if (chosen === 0 || available.includes(0)) invalid('versionInformation with version 0')
  if (from === 'client' && !available.includes(chosen)) invalid('chosen version not available')
  return { chosen, available }
}

/**
 * A reserved parameter that receivers must ignore (RFC 9000 section 18.1: ids 31 * N + 27).
 * @param random at least 3 random bytes: two choose the id, the rest is the value (at most 16 bytes)
 */
export function greaseParameter(random: Uint8Array): { id: number; value: Uint8Array } {
  const id = 31 * ((random[0] << 8) | random[1]) + 27
  return { id, value: random.slice(2, 18) }
}
