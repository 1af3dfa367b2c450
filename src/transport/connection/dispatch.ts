// One table: frame type, packet types in which it may appear, handler (RFC 9000 section 12.4, table 3).
// Called by receive for every packet that has been opened.
import {
  type Cursor,
  FrameType,
  isAckEliciting,
  QuicError,
  readFrameType,
  TransportErrorCode,
} from '../wire/index.ts'
import { handleAckFrequency, handleImmediateAck } from './ack-frequency.ts'
import type { QuicConnection } from './connection.ts'
import {
  handleConnectionClose,
  handleDataBlocked,
  handleDatagram,
  handleHandshakeDone,
  handleMaxData,
  handleMaxStreams,
  handleNewConnectionId,
  handleNewToken,
  handlePathChallenge,
  handlePathResponse,
  handleRetireConnectionId,
  handleStreamsBlocked,
} from './connection-frames.ts'
import { handleAck, handleCrypto, handlePadding, handlePing } from './packet-frames.ts'
import type { PacketSpace } from './packet-space.ts'
import {
  handleMaxStreamData,
  handleResetStream,
  handleResetStreamAt,
  handleStopSending,
  handleStream,
  handleStreamDataBlocked,
} from './stream-frames.ts'

/** Handles the body of one frame; the cursor stands behind its type. */
export type FrameHandler = (
  connection: QuicConnection,
  cursor: Cursor,
  type: number,
  space: PacketSpace,
) => void

interface FrameRule {
  /** Bits: 1 Initial, 2 Handshake, 4 1-RTT, 8 0-RTT. */
  readonly allowed: number
  readonly handle: FrameHandler
}

// The column "Pkts" of the table.
const IH01 = 15
const IH_1 = 7
const __01 = 12
const ___1 = 4

/** RFC 9000 section 9.1: "All other frames are 'non-probing frames'." */
const PROBING_FRAMES: ReadonlySet<number> = new Set([
  FrameType.padding,
  FrameType.newConnectionId,
  FrameType.pathChallenge,
  FrameType.pathResponse,
])

/** The bit of 0-RTT packets, which share a space with 1-RTT packets; the others are 1 << space. */
export const ZERO_RTT_BIT = 8

const RULES: (FrameRule | undefined)[] = []

function rule(first: number, last: number, allowed: number, handle: FrameHandler): void {
  for (let type = first; type <= last; type++) RULES[type] = { allowed, handle }
}

rule(0x00, 0x00, IH01, handlePadding)
rule(0x01, 0x01, IH01, handlePing)
rule(0x02, 0x03, IH_1, handleAck)
rule(0x04, 0x04, __01, handleResetStream)
rule(0x05, 0x05, __01, handleStopSending)
rule(0x06, 0x06, IH_1, handleCrypto)
rule(0x07, 0x07, ___1, handleNewToken)
rule(0x08, 0x0f, __01, handleStream)
rule(0x10, 0x10, __01, handleMaxData)
rule(0x11, 0x11, __01, handleMaxStreamData)
rule(0x12, 0x13, __01, handleMaxStreams)
rule(0x14, 0x14, __01, handleDataBlocked)
rule(0x15, 0x15, __01, handleStreamDataBlocked)
rule(0x16, 0x17, __01, handleStreamsBlocked)
rule(0x18, 0x18, __01, handleNewConnectionId)
rule(0x19, 0x19, ___1, handleRetireConnectionId)
rule(0x1a, 0x1a, __01, handlePathChallenge)
rule(0x1b, 0x1b, ___1, handlePathResponse)
rule(0x1c, 0x1c, IH01, handleConnectionClose)
rule(0x1d, 0x1d, __01, handleConnectionClose)
rule(0x1e, 0x1e, ___1, handleHandshakeDone)
rule(0x1f, 0x1f, ___1, handleImmediateAck)
rule(0x24, 0x24, __01, handleResetStreamAt)
rule(0xaf, 0xaf, ___1, handleAckFrequency)
rule(0x30, 0x31, __01, handleDatagram)

/**
 * Handles all frames of a packet. Returns whether one of them was ack-eliciting.
 * @param bit of the packet's type
 * @throws QuicError with the code of the section that the packet violates
 */
export function dispatchFrames(
  connection: QuicConnection,
  cursor: Cursor,
  space: PacketSpace,
  bit: number,
): boolean {
  if (cursor.remaining === 0) {
    // RFC 9000 section 12.4: "An endpoint MUST treat receipt of a packet containing no frames as a connection error".
    throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'packet without frames')
  }
  let ackEliciting = false
  while (cursor.remaining > 0) {
    const type = readFrameType(cursor)
    const entry = RULES[type]
    if (entry === undefined) {
      throw new QuicError(TransportErrorCode.FRAME_ENCODING_ERROR, 'unknown frame type', type)
    }
    if ((entry.allowed & bit) === 0) {
      throw new QuicError(
        TransportErrorCode.PROTOCOL_VIOLATION,
        'frame not permitted in this packet type',
        type,
      )
    }
    if (isAckEliciting(type)) ackEliciting = true
    if (!PROBING_FRAMES.has(type)) connection.receiver.isProbing = false
    entry.handle(connection, cursor, type, space)
    if (connection.isEnding) break
  }
  return ackEliciting
}
