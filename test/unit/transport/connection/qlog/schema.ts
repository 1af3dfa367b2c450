// Required fields of draft-ietf-quic-qlog-quic-events (and h3-events, main-schema), typed in by hand from their CDDL;
// what is wrong with an event comes back as text.
import type { LoggedEvent } from './memory-log.ts'

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const uint: Check = (value) => Number.isInteger(value) && (value as number) >= 0
const number: Check = (value) => typeof value === 'number'
const flag: Check = (value) => typeof value === 'boolean'
const hex: Check = (value) => typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value)
const object: Check = (value) => typeof value === 'object' && value !== null
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string)

interface Shape {
  readonly required: Readonly<Record<string, Check>>
  readonly optional?: Readonly<Record<string, Check>>
}

const packetHeader: Shape = {
  required: {
    packet_type: oneOf('initial', 'handshake', '0RTT', '1RTT', 'retry', 'version_negotiation', 'unknown'),
  },
  optional: {
    packet_number: uint,
    packet_number_length: uint,
    key_phase_bit: flag,
    spin_bit: flag,
    length: uint,
    token: object,
    version: hex,
    scil: uint,
    dcil: uint,
    scid: hex,
    dcid: hex,
  },
}

const ranges: Check = (value) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((range) => (range.length === 1 || range.length === 2) && range.every(uint))

const frameShapes: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  padding: {},
  ping: {},
  ack: { acked_ranges: ranges, ack_delay: number },
  reset_stream: { stream_id: uint, error: text, final_size: uint },
  stop_sending: { stream_id: uint, error: text },
  crypto: { offset: uint, raw: object },
  new_token: { token: object },
  stream: { stream_id: uint, offset: uint, fin: flag, raw: object },
  max_data: { maximum: uint },
  max_stream_data: { stream_id: uint, maximum: uint },
  max_streams: { stream_type: oneOf('unidirectional', 'bidirectional'), maximum: uint },
  data_blocked: { limit: uint },
  stream_data_blocked: { stream_id: uint, limit: uint },
  streams_blocked: { stream_type: oneOf('unidirectional', 'bidirectional'), limit: uint },
  new_connection_id: { sequence_number: uint, retire_prior_to: uint, connection_id: hex },
  retire_connection_id: { sequence_number: uint },
  path_challenge: { data: hex },
  path_response: { data: hex },
  connection_close: { error_space: oneOf('transport', 'application'), error: text },
  handshake_done: {},
  unknown: { frame_type_bytes: uint },
  datagram: { raw: object },
}

const frames: Check = (value) =>
  Array.isArray(value) &&
  value.every((frame) => {
    const shape = frameShapes[frame.frame_type]
    return shape !== undefined && Object.entries(shape).every(([field, check]) => check(frame[field]))
  })

const isHeader: Check = (value) => object(value) && faults(packetHeader, value as object).length === 0
const packetTrigger = oneOf('retransmit_reordered', 'keys_available', 'pto_probe')
const keyType: Check = (value) =>
  /^(client|server)_(initial|handshake|0rtt|1rtt)_secret$/.test(value as string)
const metrics = [
  'min_rtt',
  'smoothed_rtt',
  'latest_rtt',
  'rtt_variance',
  'pto_count',
  'congestion_window',
  'bytes_in_flight',
  'ssthresh',
  'pacing_rate',
]
const http3Frame: Check = (value) => object(value) && text((value as { frame_type: string }).frame_type)

const shapes: Readonly<Record<string, Shape>> = {
  'quic:connection_started': { required: { local: object, remote: object } },
  'quic:connection_closed': {
    required: {},
    optional: {
      initiator: oneOf('local', 'remote'),
      connection_error: text,
      application_error: text,
      error_code: uint,
      reason: text,
      trigger: oneOf(
        'idle_timeout',
        'application',
        'error',
        'version_mismatch',
        'stateless_reset',
        'aborted',
      ),
    },
  },
  'quic:connection_state_updated': { required: { new: text }, optional: { old: text } },
  'quic:parameters_set': {
    required: {},
    optional: { initiator: oneOf('local', 'remote'), tls_cipher: text, max_idle_timeout: uint },
  },
  'quic:alpn_information': { required: {}, optional: { chosen_alpn: object } },
  'quic:packet_sent': { required: { header: isHeader, frames }, optional: { raw: object } },
  'quic:packet_received': {
    required: { header: isHeader },
    optional: { frames, raw: object, trigger: packetTrigger, supported_versions: object },
  },
  'quic:packet_dropped': {
    required: { header: isHeader },
    optional: {
      trigger: oneOf(
        'rejected',
        'unsupported',
        'invalid',
        'duplicate',
        'decryption_failure',
        'key_unavailable',
      ),
    },
  },
  'quic:packet_buffered': {
    required: { header: isHeader },
    optional: { trigger: oneOf('keys_unavailable') },
  },
  'quic:packet_lost': {
    required: { header: isHeader },
    optional: { trigger: oneOf('reordering_threshold', 'time_threshold'), is_mtu_probe_packet: flag },
  },
  'quic:stream_state_updated': {
    required: { stream_id: uint, new: text, stream_side: oneOf('sending', 'receiving') },
    optional: { old: text, stream_type: oneOf('unidirectional', 'bidirectional') },
  },
  'quic:timer_updated': {
    required: { event_type: oneOf('set', 'expired', 'cancelled') },
    optional: { timer_type: oneOf('loss_timeout'), delta: number },
  },
  'quic:key_updated': { required: { key_type: keyType }, optional: { key_phase: uint } },
  'quic:key_discarded': { required: { key_type: keyType }, optional: { key_phase: uint } },
  'quic:recovery_metrics_updated': {
    required: {},
    optional: Object.fromEntries(metrics.map((name) => [name, number])),
  },
  'recovery:metrics_updated': { required: {} },
  'quic:congestion_state_updated': { required: { new: text }, optional: { old: text } },
  'http3:parameters_set': { required: {}, optional: { initiator: oneOf('local', 'remote') } },
  'http3:frame_created': { required: { stream_id: uint, frame: http3Frame } },
  'http3:frame_parsed': { required: { stream_id: uint, frame: http3Frame } },
}

function faults(shape: Shape, data: object): string[] {
  const found: string[] = []
  const fields = data as Record<string, unknown>
  for (const [field, check] of Object.entries(shape.required)) {
    if (!check(fields[field])) found.push(`${field}: ${JSON.stringify(fields[field])}`)
  }
  for (const [field, check] of Object.entries(shape.optional ?? {})) {
    if (fields[field] !== undefined && !check(fields[field]))
      found.push(`${field}: ${JSON.stringify(fields[field])}`)
  }
  return found
}

/** Everything that the drafts would not accept about an event. */
export function schemaFaults({ time, name, data }: LoggedEvent): string[] {
  const shape = shapes[name]
  if (shape === undefined) return [`${name} is no event of the drafts`]
  const found = typeof time === 'number' && time >= 0 ? [] : [`time ${time}`]
  return [...found, ...faults(shape, data)].map((fault) => `${name}: ${fault}`)
}
