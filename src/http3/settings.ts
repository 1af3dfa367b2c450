// The SETTINGS frame, RFC 9114 section 7.2.4, RFC 9204 section 5, RFC 9220 section 3, RFC 9297 section 2.1.1.
// Encoded once per connection for our control stream; parsed once from the peer's.

import { varintLength, writeVarint } from '../transport/wire/varint.ts'
import { connectionError, H3ErrorCode } from './errors.ts'
import { FrameType, StreamType, VarintReader } from './frames.ts'

/** Identifiers of the settings that we know. */
const SettingId = {
  qpackMaxTableCapacity: 0x01,
  maxFieldSectionSize: 0x06,
  qpackBlockedStreams: 0x07,
  enableConnectProtocol: 0x08,
  h3Datagram: 0x33,
  /** HTTP datagrams as of their fourth draft, beside 0x33 for browsers that look for it. */
  h3DatagramDraft04: 0xffd277,
  /** draft-ietf-webtrans-http3-02 section 8.2: what browsers speak. */
  webtransportDraft02: 0x2b603742,
  /** draft-ietf-webtrans-http3 section 9.2. */
  webtransport: 0x2c7cf000,
  webtransportMaxStreamsUni: 0x2b64,
  webtransportMaxStreamsBidi: 0x2b65,
  webtransportMaxData: 0x2b61,
} as const

/** What one endpoint announces. */
export interface H3Settings {
  /** Bytes of dynamic table that the announcer's decoder keeps (RFC 9204 section 5). */
  readonly qpackMaxTableCapacity: number
  /** Streams that may wait for the dynamic table (RFC 9204 section 5). */
  readonly qpackBlockedStreams: number
  /** Bytes as counted by RFC 9114 section 4.2.2; Infinity when not announced. */
  readonly maxFieldSectionSize: number
  /** Extended CONNECT is understood (RFC 9220 section 3). */
  readonly enableConnectProtocol: boolean
  /** HTTP datagrams are understood (RFC 9297 section 2.1.1). */
  readonly h3Datagram: boolean
  /** WebTransport as of draft 02, and as of the current draft. */
  readonly webtransportDraft02: boolean
  readonly webtransport: boolean
  /** Streams that the other side may open in each session at first, and bytes that it may send in it. */
  readonly webtransportMaxStreamsUni: number
  readonly webtransportMaxStreamsBidi: number
  readonly webtransportMaxData: number
}

/** Credit of each WebTransport session at its start (draft-ietf-webtrans-http3 section 5.5). */
const creditSettings = [
  'webtransportMaxStreamsUni',
  'webtransportMaxStreamsBidi',
  'webtransportMaxData',
] as const

/** What holds before the peer's SETTINGS frame has arrived (RFC 9114 section 7.2.4.2). */
export const initialSettings: H3Settings = {
  qpackMaxTableCapacity: 0,
  qpackBlockedStreams: 0,
  maxFieldSectionSize: Number.POSITIVE_INFINITY,
  enableConnectProtocol: false,
  h3Datagram: false,
  webtransportDraft02: false,
  webtransport: false,
  webtransportMaxStreamsUni: 0,
  webtransportMaxStreamsBidi: 0,
  webtransportMaxData: 0,
}

// RFC 9114 section 11.2.2: 0x00 and the HTTP/2 settings without a counterpart are reserved.
const forbiddenIds = new Set([0x00, 0x02, 0x03, 0x04, 0x05])

/** RFC 9114 section 7.2.4.1: reserved identifiers have the form 0x1f * N + 0x21. */
function reservedIdentifier(n: number): number {
  return 0x1f * n + 0x21
}

/**
 * Encodes the beginning of our control stream: stream type and SETTINGS frame.
 * @param settings what we announce
 * @param grease picks the reserved setting that is sent along (RFC 9114 section 7.2.4.1), 0..2^20
 * @returns a buffer of its own
 */
export function encodeControlStreamStart(settings: H3Settings, grease: number): Uint8Array {
  const pairs: number[] = [
    SettingId.qpackMaxTableCapacity,
    settings.qpackMaxTableCapacity,
    SettingId.maxFieldSectionSize,
    settings.maxFieldSectionSize,
    SettingId.qpackBlockedStreams,
    settings.qpackBlockedStreams,
  ]
  if (settings.enableConnectProtocol) pairs.push(SettingId.enableConnectProtocol, 1)
  if (settings.h3Datagram) pairs.push(SettingId.h3Datagram, 1)
  if (settings.webtransportDraft02) {
    pairs.push(SettingId.h3DatagramDraft04, 1, SettingId.webtransportDraft02, 1)
  }
  if (settings.webtransport) pairs.push(SettingId.webtransport, 1)
  for (const name of creditSettings) if (settings[name] > 0) pairs.push(SettingId[name], settings[name])
  pairs.push(reservedIdentifier(grease), grease)
  let length = 0
  for (const number of pairs) length += varintLength(number)
  const bytes = new Uint8Array(2 + varintLength(length) + length)
  let offset = writeVarint(bytes, 0, StreamType.control)
  offset = writeVarint(bytes, offset, FrameType.settings)
  offset = writeVarint(bytes, offset, length)
  for (const number of pairs) offset = writeVarint(bytes, offset, number)
  return bytes
}

/** The settings on whose values early data may rely, as bytes to compare: a server that changes one refuses it. */
export function settingsState(settings: H3Settings): Uint8Array {
  const { maxFieldSectionSize: size, qpackMaxTableCapacity, qpackBlockedStreams } = settings
  const { enableConnectProtocol, h3Datagram, webtransportDraft02, webtransport } = settings
  const flags = [enableConnectProtocol, h3Datagram, webtransportDraft02, webtransport].map(Number)
  const credit = creditSettings.map((name) => settings[name])
  return Buffer.from([size, qpackMaxTableCapacity, qpackBlockedStreams, ...flags, ...credit].join())
}

/**
 * Holds a server's SETTINGS against those of the last connection, under which it has accepted early data.
 * @throws H3Error H3_SETTINGS_ERROR for a value that early data may have violated (RFC 9114 section 7.2.4.2),
 *   QPACK_DECODER_STREAM_ERROR for another table capacity (RFC 9204 section 3.2.3)
 */
export function checkRememberedSettings(remembered: H3Settings, settings: H3Settings): void {
  const { maxFieldSectionSize: size } = settings
  const isOmitted = size === Number.POSITIVE_INFINITY && remembered.maxFieldSectionSize !== size
  const isLess =
    isOmitted ||
    size < remembered.maxFieldSectionSize ||
    settings.qpackBlockedStreams < remembered.qpackBlockedStreams ||
    // RFC 8441 section 3, RFC 9297 section 2.1.1: once offered, never withdrawn.
    (remembered.enableConnectProtocol && !settings.enableConnectProtocol) ||
    (remembered.h3Datagram && !settings.h3Datagram) ||
    // draft-ietf-webtrans-http3 section 3.2: "reduces any flow control values from the cached previous values".
    creditSettings.some((name) => settings[name] < remembered[name])
  if (isLess) settingsError('a setting was reduced although early data was accepted')
  const capacity = remembered.qpackMaxTableCapacity
  if (capacity !== 0 && capacity !== settings.qpackMaxTableCapacity) {
    const code = H3ErrorCode.QPACK_DECODER_STREAM_ERROR
    throw connectionError(code, 'the table capacity was changed although early data was accepted')
  }
}

function settingsError(reason: string): never {
  throw connectionError(H3ErrorCode.H3_SETTINGS_ERROR, reason)
}

function readFlag(value: number, name: string): boolean {
  // RFC 9220 section 3 and RFC 9297 section 2.1.1: any other value is an error.
  if (value > 1) settingsError(`${name} is neither 0 nor 1`)
  return value === 1
}

/**
 * Parses the payload of a SETTINGS frame.
 * @param payload the whole payload
 * @returns the peer's settings; absent ones have their initial value
 * @throws H3Error H3_SETTINGS_ERROR for reserved, repeated or out-of-range settings, H3_FRAME_ERROR when truncated
 */
export function parseSettings(payload: Uint8Array): H3Settings {
  const values = new Map<number, number>()
  const reader = new VarintReader()
  let id = -1
  for (const byte of payload) {
    if (!reader.push(byte)) continue
    if (id < 0) {
      id = reader.value
      continue
    }
    if (forbiddenIds.has(id)) settingsError(`setting 0x${id.toString(16)} belongs to HTTP/2`)
    // RFC 9114 section 7.2.4: "MUST NOT occur more than once"; an error is allowed.
    if (values.has(id)) settingsError(`setting 0x${id.toString(16)} occurs twice`)
    values.set(id, reader.value)
    id = -1
  }
  if (id >= 0 || reader.isPartial) throw connectionError(H3ErrorCode.H3_FRAME_ERROR, 'truncated SETTINGS')
  return {
    qpackMaxTableCapacity: values.get(SettingId.qpackMaxTableCapacity) ?? 0,
    qpackBlockedStreams: values.get(SettingId.qpackBlockedStreams) ?? 0,
    maxFieldSectionSize: values.get(SettingId.maxFieldSectionSize) ?? Number.POSITIVE_INFINITY,
    enableConnectProtocol: readFlag(values.get(SettingId.enableConnectProtocol) ?? 0, 'extended CONNECT'),
    h3Datagram:
      readFlag(values.get(SettingId.h3Datagram) ?? 0, 'HTTP datagrams') ||
      values.get(SettingId.h3DatagramDraft04) === 1,
    webtransportDraft02: values.get(SettingId.webtransportDraft02) === 1,
    // draft-ietf-webtrans-http3 section 3.1: "MUST treat values greater than "1" as a connection error".
    webtransport: readFlag(values.get(SettingId.webtransport) ?? 0, 'WebTransport'),
    webtransportMaxStreamsUni: values.get(SettingId.webtransportMaxStreamsUni) ?? 0,
    webtransportMaxStreamsBidi: values.get(SettingId.webtransportMaxStreamsBidi) ?? 0,
    webtransportMaxData: values.get(SettingId.webtransportMaxData) ?? 0,
  }
}
