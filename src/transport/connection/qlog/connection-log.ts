// The log of one connection (draft-ietf-quic-qlog-quic-events): turns what happens in it into events. The connection has
// one only while it is logged, so that otherwise each place that reports something pays one comparison. Created by
// QuicConnection, called by its parts and by HTTP/3.
import type { LifeActor } from '../../../machines/index.ts'
import type { RecoveryEvents, SentPacket } from '../../recovery/index.ts'
import type { StreamSupervision } from '../../streams/index.ts'
import { Cursor, PacketHeader, parsePacketHeader, type TransportParameters } from '../../wire/index.ts'
import type { CloseInfo } from '../closing.ts'
import type { QuicConnection } from '../connection.ts'
import type { RemoteAddress } from '../datagram-batch.ts'
import { describeFrames } from './frames.ts'
import {
  applicationError,
  connectionStateName,
  receiveStateName,
  SPACE_PACKET_TYPES,
  sendStateName,
  transportError,
} from './names.ts'
import { describeHeader, describeParameters, describeProtectedHeader, describeVersions } from './packets.ts'
import type { OpenQlog, QlogCategory, QlogData, QlogSink } from './sink.ts'
import { KeyWatch, RecoveryWatch } from './watch.ts'

const TAG_LENGTH = 16
/** kPacketThreshold, RFC 9002 section 6.1.1. */
const PACKET_THRESHOLD = 3

/** Why a packet was not processed, in the draft's words. */
export type DropTrigger =
  | 'rejected'
  | 'unsupported'
  | 'invalid'
  | 'duplicate'
  | 'decryption_failure'
  | 'key_unavailable'

/** Opens the log of a connection, if it is to be logged. */
export function openConnectionLog(
  connection: QuicConnection,
  open: OpenQlog | undefined,
): ConnectionLog | undefined {
  if (open === undefined) return undefined
  const { role, originalDestinationConnectionId, now } = connection
  const sink = open({ role, originalDestinationConnectionId, time: now })
  return sink === undefined ? undefined : new ConnectionLog(connection, sink)
}

export class ConnectionLog {
  readonly #connection: QuicConnection
  readonly #sink: QlogSink
  readonly #cursor = new Cursor()
  readonly #header = new PacketHeader()
  readonly #keys: KeyWatch
  readonly #recovery: RecoveryWatch
  #state = ''
  #isReplay = false

  constructor(connection: QuicConnection, sink: QlogSink) {
    this.#connection = connection
    this.#sink = sink
    this.#keys = new KeyWatch(connection)
    this.#recovery = new RecoveryWatch(connection)
  }

  /** An event of now. */
  write(name: string, category: QlogCategory, data: QlogData): void {
    this.#sink.write(this.#connection.now, name, category, data)
  }

  /** The actor runs and nothing has been sent. */
  begin(parameters: TransportParameters): void {
    const { actor, remote, originalDestinationConnectionId } = this.#connection
    const local = { connection_ids: [Buffer.from(this.#connection.localIds.first).toString('hex')] }
    const ids = { original_destination: Buffer.from(originalDestinationConnectionId).toString('hex') }
    this.write('quic:connection_started', 'connectivity', { local, remote: endpointInfo(remote), ...ids })
    this.#noteState(actor)
    actor.subscribe({ next: () => this.#noteState(actor), complete: () => this.#sink.end() })
    this.parametersSet('local', parameters)
  }

  parametersSet(initiator: 'local' | 'remote', parameters: TransportParameters): void {
    this.write('quic:parameters_set', 'transport', describeParameters(initiator, parameters))
  }

  // --- connection and streams ------------------------------------------------------------------------------------

  #noteState(actor: LifeActor): void {
    const state = connectionStateName(actor.getSnapshot().value)
    if (state === this.#state) return
    const old = this.#state === '' ? undefined : this.#state
    this.#state = state
    const { closing } = this.#connection
    const isFirstEnd = state === 'closing' || state === 'draining' || state === 'closed'
    if (isFirstEnd && old !== 'closing' && old !== 'draining' && closing.info !== undefined) {
      this.write('quic:connection_closed', 'connectivity', describeEnd(closing.info))
    }
    this.write('quic:connection_state_updated', 'connectivity', { old, new: state })
    if (state !== 'handshake_complete') return
    const { tls } = this.#connection
    this.write('quic:parameters_set', 'transport', { tls_cipher: tls.cipherSuite?.name })
    const { alpn } = tls
    if (alpn !== undefined) {
      this.write('quic:alpn_information', 'transport', { chosen_alpn: { string_value: alpn } })
    }
  }

  /** Supervision whose stream actors are followed. */
  watchStreams(supervision: StreamSupervision): StreamSupervision {
    return {
      startActor: (table, stream, subject) => {
        const actor = supervision.startActor(table, stream, subject)
        const type = stream.isBidirectional ? 'bidirectional' : 'unidirectional'
        this.#followStream(actor, stream.id, type)
        return actor
      },
    }
  }

  #followStream(actor: LifeActor, id: number, type: string): void {
    const states = new Map<string, string>()
    const note = (): void => {
      for (const [side, state] of streamParts(actor)) {
        const old = states.get(side)
        if (state === old) continue
        states.set(side, state)
        this.write('quic:stream_state_updated', 'transport', {
          stream_id: id,
          stream_type: type,
          old,
          new: state,
          stream_side: side,
        })
      }
    }
    note()
    actor.subscribe(note)
  }

  // --- packets ---------------------------------------------------------------------------------------------------

  /**
   * A packet is about to be protected.
   * @param start where it begins
   * @param payloadStart where its frames begin
   * @param payloadEnd where they end
   */
  packetSent(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    payloadEnd: number,
    packet: SentPacket,
    packetNumber: number,
  ): void {
    const { peerIds, ackDelayExponent } = this.#connection
    const end = payloadEnd + TAG_LENGTH
    if (!parsePacketHeader(buffer, start, end, peerIds.current.length, this.#header)) return
    this.#settleKeys()
    this.#cursor.reset(buffer, payloadStart, payloadEnd)
    this.write('quic:packet_sent', 'transport', {
      ...this.#describePacket(buffer, packetNumber, payloadStart),
      frames: describeFrames(this.#cursor, ackDelayExponent),
      is_mtu_probe_packet: packet.isMtuProbe ? true : undefined,
    })
  }

  /** A packet has been opened; the cursor stands before its frames and is left there. */
  packetReceived(header: PacketHeader, packetNumber: number, payload: Cursor): void {
    const { peerAckDelayExponent } = this.#connection
    this.#settleKeys()
    const { buffer, offset, end } = payload
    copyHeader(header, this.#header)
    this.#cursor.reset(buffer, offset, end)
    this.write('quic:packet_received', 'transport', {
      ...this.#describePacket(buffer, packetNumber, offset),
      frames: describeFrames(this.#cursor, peerAckDelayExponent),
      trigger: this.#isReplay ? 'keys_available' : undefined,
    })
  }

  #describePacket(buffer: Uint8Array, packetNumber: number, payloadStart: number): QlogData {
    const header = this.#header
    const { start, end, packetNumberOffset } = header
    return {
      header: describeHeader(header, buffer, packetNumber, payloadStart - packetNumberOffset),
      raw: { length: end - start, payload_length: end - payloadStart - TAG_LENGTH },
    }
  }

  /** Version Negotiation or Retry. */
  plainPacketReceived(header: PacketHeader, buffer: Uint8Array): void {
    this.write('quic:packet_received', 'transport', {
      ...describeProtected(header, buffer),
      ...describeVersions(header, buffer),
    })
  }

  packetDropped(header: PacketHeader, buffer: Uint8Array, trigger: DropTrigger): void {
    this.write('quic:packet_dropped', 'transport', { ...describeProtected(header, buffer), trigger })
  }

  packetBuffered(header: PacketHeader, buffer: Uint8Array): void {
    const data = { ...describeProtected(header, buffer), trigger: 'keys_unavailable' }
    this.write('quic:packet_buffered', 'transport', data)
  }

  /** What is processed until the next call was buffered, or was not. */
  markReplay(isReplay: boolean): void {
    this.#isReplay = isReplay
  }

  // --- recovery and keys -----------------------------------------------------------------------------------------

  /** Recovery's events, with a look at the losses. */
  watchLosses(events: RecoveryEvents): RecoveryEvents {
    return {
      handleAcked: (space, packet) => events.handleAcked(space, packet),
      handleLost: (space, packet, now) => {
        this.#packetLost(space, packet)
        events.handleLost(space, packet, now)
      },
      handleCongestion: (isPersistent) => events.handleCongestion?.(isPersistent),
    }
  }

  #packetLost(space: number, packet: SentPacket): void {
    const { packetNumber, isMtuProbe } = packet
    const isReordered = this.#connection.recovery.largestAcked(space) >= packetNumber + PACKET_THRESHOLD
    this.write('quic:packet_lost', 'recovery', {
      header: { packet_type: SPACE_PACKET_TYPES[space], packet_number: packetNumber },
      is_mtu_probe_packet: isMtuProbe ? true : undefined,
      trigger: isReordered ? 'reordering_threshold' : 'time_threshold',
    })
  }

  /** All output of this moment has been written: what has become of keys and recovery. */
  settle(): void {
    this.#settleKeys()
    this.#recovery.settle((name, data) => {
      this.write(`quic:${name}`, 'recovery', data)
      // The name under which qvis looks for its congestion graph.
      if (name === 'recovery_metrics_updated') this.write('recovery:metrics_updated', 'recovery', data)
    })
  }

  #settleKeys(): void {
    this.#keys.settle((name, data) => this.write(`quic:${name}`, 'security', data))
  }
}

function describeProtected(header: PacketHeader, buffer: Uint8Array): QlogData {
  return { header: describeProtectedHeader(header, buffer), raw: { length: header.end - header.start } }
}

function copyHeader(from: PacketHeader, to: PacketHeader): void {
  Object.assign(to, from)
}

function endpointInfo({ address, port, family }: RemoteAddress): QlogData {
  return family === 6 ? { ip_v6: address, port_v6: port } : { ip_v4: address, port_v4: port }
}

/** The sides that a stream has, and their states. */
function* streamParts({ sendPhase, receivePhase }: LifeActor): Generator<['sending' | 'receiving', string]> {
  if (sendPhase !== 0) yield ['sending', sendStateName(sendPhase)]
  if (receivePhase !== 0) yield ['receiving', receiveStateName(receivePhase)]
}

const END_TRIGGERS = {
  close: 'application',
  error: 'error',
  idle: 'idle_timeout',
  handshakeTimeout: 'idle_timeout',
  statelessReset: 'stateless_reset',
  versionNegotiation: 'version_mismatch',
  noViablePath: 'error',
} as const

function describeEnd({ code, reason, isApplication, isLocal, cause }: CloseInfo): QlogData {
  const hasCode = cause === 'close' || cause === 'error'
  const error = isApplication
    ? applicationError('application_error', code)
    : transportError('connection_error', code)
  const trigger =
    !isLocal && cause === 'close' && !isApplication && code !== 0 ? 'error' : END_TRIGGERS[cause]
  return { initiator: isLocal ? 'local' : 'remote', ...(hasCode ? error : {}), reason, trigger }
}
