// How often the peer acknowledges what we send, and we what it sends (draft-ietf-quic-ack-frequency). Off unless the
// setting is on here, and each direction needs the parameter min_ack_delay of the side that acknowledges.
// A part of ControlFrames; the receiving half is in AckTracker.
import type { SentPacket } from '../recovery/index.ts'
import { PACKET_THRESHOLD } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import {
  AckFrequencyFrame,
  type Cursor,
  FrameType,
  parseAckFrequency,
  QuicError,
  TransportErrorCode,
  writeAckFrequency,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import { ACKS_PER_WINDOW, MAX_ACK_THRESHOLD, MAX_REQUESTED_ACK_DELAY, MIN_ACK_DELAY } from './limits.ts'
import { Space } from './packet-space.ts'

const MICROSECONDS = 1_000
/** max_ack_delay of 2^14 ms and more is invalid, RFC 9000 section 18.2. */
const INVALID_ACK_DELAY = 2 ** 14 * MICROSECONDS

const received = new AckFrequencyFrame()

export class AckFrequency implements EntryTarget {
  readonly #connection: QuicConnection
  readonly #request = new AckFrequencyFrame()
  #nextUpdate = 0
  /** Largest sequence number processed; frames that are not newer are obsolete. */
  #processed = -1

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  /** Whether the peer may be sent ACK_FREQUENCY and IMMEDIATE_ACK. */
  get isActive(): boolean {
    const { settings, handshake } = this.#connection
    return settings.ackFrequency && (handshake.peer?.minAckDelay ?? -1) >= 0
  }

  /** Ack-eliciting packets that the peer was last asked to collect. */
  get requestedThreshold(): number {
    return this.#request.threshold
  }

  /** Once per round trip: does the window call for another frequency? Returns whether a frame should be sent. */
  update(now: number): boolean {
    if (now < this.#nextUpdate) return false
    const { recovery, path, isHandshakeComplete } = this.#connection
    this.#nextUpdate = now + recovery.rtt.smoothed
    if (!isHandshakeComplete || !this.isActive) return false
    const { congestion } = recovery
    const packets = congestion.window / path.maxDatagramSize
    // Slow start lives on acknowledgements: there they stay frequent.
    const wanted = congestion.isInSlowStart ? 1 : Math.floor(packets / ACKS_PER_WINDOW) - 1
    const threshold = Math.max(1, Math.min(wanted, MAX_ACK_THRESHOLD))
    const current = this.#request.threshold
    if (threshold === current || (threshold < 2 * current && threshold * 2 > current)) return false
    this.#request.threshold = threshold
    return true
  }

  /** Writes the request that `update` has found due. */
  writeFrame(target: Uint8Array, offset: number, packet: SentPacket): number {
    const { recovery, handshake } = this.#connection
    const request = this.#request
    const peer = handshake.peer!
    const least = peer.minAckDelay / MICROSECONDS
    const delay = Math.max(least, Math.min(recovery.rtt.smoothed / ACKS_PER_WINDOW, MAX_REQUESTED_ACK_DELAY))
    request.sequence++
    request.maxAckDelay = Math.ceil(delay * MICROSECONDS)
    request.reorderingThreshold = PACKET_THRESHOLD
    // Until the peer has the request, either delay may hold.
    recovery.setPeerMaxAckDelay(Math.max(peer.maxAckDelay, delay))
    packet.addEntry(EntryKind.ackFrequency, this, request.sequence, delay)
    return writeAckFrequency(target, offset, request)
  }

  handleAcked(_kind: number, sequence: number, delay: number): void {
    if (sequence === this.#request.sequence) this.#connection.recovery.setPeerMaxAckDelay(delay)
  }

  /** A lost request is sent again, unless a newer one is on its way. */
  handleLost(_kind: number, sequence: number): void {
    if (sequence === this.#request.sequence) this.#connection.control.queueAckFrequency()
  }

  /** @throws QuicError for a delay that the draft forbids, and when we did not announce the extension */
  handleFrame(cursor: Cursor, type: number): void {
    parseAckFrequency(cursor, received)
    this.checkAnnounced(type)
    if (received.maxAckDelay < MIN_ACK_DELAY * MICROSECONDS || received.maxAckDelay >= INVALID_ACK_DELAY) {
      throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'requested max_ack_delay out of range', type)
    }
    if (received.sequence <= this.#processed) return
    this.#processed = received.sequence
    const { acks } = this.#connection.spaces[Space.application]
    acks.setFrequency(received.threshold, received.maxAckDelay / MICROSECONDS, received.reorderingThreshold)
  }

  handleImmediateAck(): void {
    this.checkAnnounced(FrameType.immediateAck)
    this.#connection.spaces[Space.application].acks.acknowledgeAt(this.#connection.now)
  }

  /** To a peer that was not told of the extension these frame types are unknown (RFC 9000 section 12.4). */
  checkAnnounced(type: number): void {
    if (this.#connection.settings.ackFrequency) return
    throw new QuicError(TransportErrorCode.FRAME_ENCODING_ERROR, 'unknown frame type', type)
  }
}

export function handleAckFrequency(connection: QuicConnection, cursor: Cursor, type: number): void {
  connection.control.ackFrequency.handleFrame(cursor, type)
}

export function handleImmediateAck(connection: QuicConnection): void {
  connection.control.ackFrequency.handleImmediateAck()
}
