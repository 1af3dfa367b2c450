// Packet headers and transport parameters as qlog objects (draft-ietf-quic-qlog-quic-events, "PacketHeader" and
// "parameters_set"). Used by ConnectionLog.
import {
  type PacketHeader,
  PacketType,
  type TransportParameters,
  toHex,
  versionAt,
  versionCount,
} from '../../wire/index.ts'
import { packetTypeName, versionText } from './names.ts'
import type { QlogData } from './sink.ts'

const KEY_PHASE_BIT = 0x04
const SPIN_BIT = 0x20

/** What every long header has, and the destination ID of a short one. */
function describeIds(header: PacketHeader, buffer: Uint8Array): QlogData {
  const { type, version, dcidStart, dcidLength, scidStart, scidLength } = header
  const dcid = toHex(buffer, dcidStart, dcidLength)
  if (type === PacketType.oneRtt) return { dcid }
  return {
    version: versionText(version),
    scil: scidLength,
    dcil: dcidLength,
    scid: toHex(buffer, scidStart, scidLength),
    dcid,
  }
}

/** Header of a packet whose protection is still on, or that has none. */
export function describeProtectedHeader(header: PacketHeader, buffer: Uint8Array): QlogData {
  const token = header.type === PacketType.retry ? describeToken(header.tokenLength) : {}
  return { packet_type: packetTypeName(header.type), ...token, ...describeIds(header, buffer) }
}

/** @param length packet number and payload, bytes */
export function describeHeader(
  header: PacketHeader,
  buffer: Uint8Array,
  packetNumber: number,
  packetNumberLength: number,
): QlogData {
  const { type, start, tokenLength } = header
  const packet = {
    packet_type: packetTypeName(type),
    packet_number: packetNumber,
    packet_number_length: packetNumberLength,
  }
  if (type === PacketType.oneRtt) {
    const bits = {
      spin_bit: (buffer[start] & SPIN_BIT) !== 0,
      key_phase_bit: (buffer[start] & KEY_PHASE_BIT) !== 0,
    }
    return { ...packet, ...bits, ...describeIds(header, buffer) }
  }
  const token = type === PacketType.initial ? describeToken(tokenLength) : {}
  const length = header.end - header.packetNumberOffset
  return { ...packet, length, ...token, ...describeIds(header, buffer) }
}

/** The token itself stays out: it stands for an address. */
function describeToken(length: number): QlogData {
  return length === 0 ? {} : { token: { raw: { length } } }
}

/** Versions of a Version Negotiation packet. */
export function describeVersions(header: PacketHeader, buffer: Uint8Array): QlogData {
  if (header.type !== PacketType.versionNegotiation) return {}
  const versions: string[] = []
  for (let i = 0; i < versionCount(header); i++) versions.push(versionText(versionAt(buffer, header, i)))
  return { supported_versions: versions }
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes)
}

/** Transport parameters of one side; the stateless reset token stays out, since it can end the connection. */
export function describeParameters(initiator: 'local' | 'remote', p: TransportParameters): QlogData {
  return {
    initiator,
    original_destination_connection_id: hex(p.originalDestinationConnectionId),
    initial_source_connection_id: hex(p.initialSourceConnectionId),
    retry_source_connection_id: hex(p.retrySourceConnectionId),
    disable_active_migration: p.disableActiveMigration,
    max_idle_timeout: p.maxIdleTimeout,
    max_udp_payload_size: p.maxUdpPayloadSize,
    ack_delay_exponent: p.ackDelayExponent,
    max_ack_delay: p.maxAckDelay,
    active_connection_id_limit: p.activeConnectionIdLimit,
    initial_max_data: p.initialMaxData,
    initial_max_stream_data_bidi_local: p.initialMaxStreamDataBidiLocal,
    initial_max_stream_data_bidi_remote: p.initialMaxStreamDataBidiRemote,
    initial_max_stream_data_uni: p.initialMaxStreamDataUni,
    initial_max_streams_bidi: p.initialMaxStreamsBidi,
    initial_max_streams_uni: p.initialMaxStreamsUni,
    max_datagram_frame_size: p.maxDatagramFrameSize,
    reset_stream_at: p.resetStreamAt,
  }
}
