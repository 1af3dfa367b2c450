// The words of draft-ietf-quic-qlog-quic-events for what has numbers and other names here. Used by the describers.
import { ReceivePhase, SendPhase } from '../../../machines/index.ts'
import { CRYPTO_ERROR_BASE, PacketType, TransportErrorCode } from '../../wire/index.ts'
import type { QlogData } from './sink.ts'

const packetTypes = new Map<number, string>([
  [PacketType.initial, 'initial'],
  [PacketType.zeroRtt, '0RTT'],
  [PacketType.handshake, 'handshake'],
  [PacketType.retry, 'retry'],
  [PacketType.versionNegotiation, 'version_negotiation'],
  [PacketType.oneRtt, '1RTT'],
])

/** @param type a value of PacketType */
export function packetTypeName(type: number): string {
  return packetTypes.get(type) ?? 'unknown'
}

/** Packet types by packet number space. */
export const SPACE_PACKET_TYPES = ['initial', 'handshake', '1RTT'] as const

const transportErrors = new Map<number, string>(
  Object.entries(TransportErrorCode).map(([name, code]) => [code as number, name.toLowerCase()]),
)

/** A transport error as `TransportError` or `CryptoError`; an unknown one keeps its number beside it. */
export function transportError(field: string, code: number): QlogData {
  const alert = code - CRYPTO_ERROR_BASE
  if (alert >= 0 && alert <= 0xff)
    return { [field]: `crypto_error_0x1${alert.toString(16).padStart(2, '0')}` }
  const name = transportErrors.get(code)
  return name === undefined ? { [field]: 'unknown', error_code: code } : { [field]: name }
}

/** The application's codes are unknown to QUIC. */
export function applicationError(field: string, code: number): QlogData {
  return { [field]: 'unknown', error_code: code }
}

/** Hexadecimal, as the four bytes of the header. */
export function versionText(version: number): string {
  return version.toString(16).padStart(8, '0')
}

/** States of the stream machines; those beyond the figures of RFC 9000 section 3 keep a name of their own. */
const sendStates = new Map<number, string>([
  [SendPhase.ready, 'ready'],
  [SendPhase.send, 'send'],
  [SendPhase.dataSent, 'data_sent'],
  [SendPhase.dataRecvd, 'data_received'],
  [SendPhase.resetQueued, 'reset_queued'],
  [SendPhase.resetSent, 'reset_sent'],
  [SendPhase.resetRecvd, 'reset_received'],
  [SendPhase.connectionClosed, 'closed'],
])

const receiveStates = new Map<number, string>([
  [ReceivePhase.recv, 'receive'],
  [ReceivePhase.sizeKnown, 'size_known'],
  [ReceivePhase.dataRecvd, 'data_received'],
  [ReceivePhase.dataRead, 'data_read'],
  [ReceivePhase.resetRecvd, 'reset_received'],
  [ReceivePhase.resetRead, 'reset_read'],
  [ReceivePhase.stopped, 'stopped'],
  [ReceivePhase.connectionClosed, 'closed'],
])

export function sendStateName(phase: number): string {
  return sendStates.get(phase) ?? `phase_${phase}`
}

export function receiveStateName(phase: number): string {
  return receiveStates.get(phase) ?? `phase_${phase}`
}

/** State of the connection machine, whose closed states tell why they are. */
export function connectionStateName(value: unknown): string {
  const state = typeof value === 'string' ? value : Object.keys(value as object)[0]
  if (state === 'handshaking') return 'attempted'
  if (state === 'established') return 'handshake_complete'
  if (state === 'confirmed') return 'handshake_confirmed'
  return state.startsWith('closed') ? 'closed' : state
}
