// One table: frame type, packet types in which it may appear, handler (RFC 9000 section 12.4, table 3).
// Called by receive for every packet that has been opened.
import { type Cursor, isAckEliciting, QuicError, readFrameType, TransportErrorCode } from '../wire/index.ts'
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
  /** Bits: 1 Initial, 2 Handshake, 4 0-RTT and 1-RTT. */
  readonly allowed: number
  readonly handle: FrameHandler
}

const IH_1 = 7
const ___1 = 4

const RULES: (FrameRule | undefined)[] = []

function rule(first: number, last: number, allowed: number, handle: FrameHandler): void {
  for (let type = first; type <= last; type++) RULES[type] = { allowed, handle }
}

rule(0x00, 0x00, IH_1, handlePadding)
rule(0x01, 0x01, IH_1, handlePing)
rule(0x02, 0x03, IH_1, handleAck)
rule(0x04, 0x04, ___1, handleResetStream)
rule(0x05, 0x05, ___1, handleStopSending)
rule(0x06, 0x06, IH_1, handleCrypto)
rule(0x07, 0x07, ___1, handleNewToken)
rule(0x08, 0x0f, ___1, handleStream)
rule(0x10, 0x10, ___1, handleMaxData)
rule(0x11, 0x11, ___1, handleMaxStreamData)
rule(0x12, 0x13, ___1, handleMaxStreams)
rule(0x14, 0x14, ___1, handleDataBlocked)
rule(0x15, 0x15, ___1, handleStreamDataBlocked)
rule(0x16, 0x17, ___1, handleStreamsBlocked)
rule(0x18, 0x18, ___1, handleNewConnectionId)
rule(0x19, 0x19, ___1, handleRetireConnectionId)
rule(0x1a, 0x1a, ___1, handlePathChallenge)
rule(0x1b, 0x1b, ___1, handlePathResponse)
rule(0x1c, 0x1c, IH_1, handleConnectionClose)
rule(0x1d, 0x1d, ___1, handleConnectionClose)
rule(0x1e, 0x1e, ___1, handleHandshakeDone)
rule(0x30, 0x31, ___1, handleDatagram)

/**
 * Handles all frames of a packet. Returns whether one of them was ack-eliciting.
 * @throws QuicError with the code of the section that the packet violates
 */
export function dispatchFrames(connection: QuicConnection, cursor: Cursor, space: PacketSpace): boolean {
  if (cursor.remaining === 0) {
    // RFC 9000 section 12.4: "An endpoint MUST treat receipt of a packet containing no frames as a connection error".
    throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'packet without frames')
  }
  const bit = 1 << space.index
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
    entry.handle(connection, cursor, type, space)
    if (connection.isEnding) break
  }
  return ackEliciting
}
