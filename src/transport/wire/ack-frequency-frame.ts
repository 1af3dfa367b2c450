// ACK_FREQUENCY (draft-ietf-quic-ack-frequency): how often the peer is asked to acknowledge. IMMEDIATE_ACK has a type
// and nothing else. Parsed by connection's dispatch, written by its packet builder.
import type { Cursor } from './cursor.ts'
import { FrameType } from './frame-types.ts'
import { writeVarint } from './varint.ts'

export class AckFrequencyFrame {
  sequence = 0
  /** Ack-eliciting packets that may arrive without an acknowledgement. */
  threshold = 1
  /** Requested max_ack_delay, microseconds. */
  maxAckDelay = 0
  /** Packets by which one may be out of order without an immediate acknowledgement; 0 for any. */
  reorderingThreshold = 1
}

/** Parses the body of an ACK_FREQUENCY frame. */
export function parseAckFrequency(cursor: Cursor, out: AckFrequencyFrame): void {
  out.sequence = cursor.readVarint()
  out.threshold = cursor.readVarint()
  out.maxAckDelay = cursor.readVarint()
  out.reorderingThreshold = cursor.readVarint()
}

/** Writes an ACK_FREQUENCY frame: at most 34 bytes. */
export function writeAckFrequency(buffer: Uint8Array, at: number, frame: AckFrequencyFrame): number {
  let offset = writeVarint(buffer, at, FrameType.ackFrequency)
  offset = writeVarint(buffer, offset, frame.sequence)
  offset = writeVarint(buffer, offset, frame.threshold)
  offset = writeVarint(buffer, offset, frame.maxAckDelay)
  return writeVarint(buffer, offset, frame.reorderingThreshold)
}
