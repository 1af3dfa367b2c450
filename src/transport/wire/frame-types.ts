// Frame types (RFC 9000 section 19, DATAGRAM of RFC 9221) and what follows from the type alone.
// Used by the dispatch table of connection and by the packet builder.
import type { Cursor } from './cursor.ts'
import { TransportErrorCode } from './errors.ts'
import { varintLength } from './varint.ts'

export const FrameType = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  ackEcn: 0x03,
  resetStream: 0x04,
  stopSending: 0x05,
  crypto: 0x06,
  newToken: 0x07,
  /** 0x08..0x0f: bits 0x04 offset present, 0x02 length present, 0x01 FIN. */
  stream: 0x08,
  streamMax: 0x0f,
  maxData: 0x10,
  maxStreamData: 0x11,
  maxStreamsBidi: 0x12,
  maxStreamsUni: 0x13,
  dataBlocked: 0x14,
  streamDataBlocked: 0x15,
  streamsBlockedBidi: 0x16,
  streamsBlockedUni: 0x17,
  newConnectionId: 0x18,
  retireConnectionId: 0x19,
  pathChallenge: 0x1a,
  pathResponse: 0x1b,
  connectionClose: 0x1c,
  connectionCloseApplication: 0x1d,
  handshakeDone: 0x1e,
  /** draft-ietf-quic-ack-frequency. */
  immediateAck: 0x1f,
  /** draft-ietf-quic-reliable-stream-reset. */
  resetStreamAt: 0x24,
  datagram: 0x30,
  datagramWithLength: 0x31,
  /** draft-ietf-quic-ack-frequency. */
  ackFrequency: 0xaf,
} as const

/** The three optional parts that the type of a STREAM frame announces (RFC 9000 section 19.8). */
export const StreamFrameBit = { fin: 0x01, length: 0x02, offset: 0x04 } as const

/**
 * Reads the type of the next frame and remembers it in the cursor for errors.
 * @throws QuicError PROTOCOL_VIOLATION when it is not in its shortest form (RFC 9000 section 12.4)
 */
export function readFrameType(cursor: Cursor): number {
  const start = cursor.offset
  cursor.frameType = 0
  const type = cursor.readVarint()
  cursor.frameType = type
  if (type >= 0x40 || cursor.offset - start > 1) {
    // RFC 9000 section 12.4: "An endpoint MAY treat the receipt of a frame type that uses a longer encoding
    // than necessary as a connection error of type PROTOCOL_VIOLATION."
    if (varintLength(type) !== cursor.offset - start) {
      cursor.fail('frame type not in shortest form', TransportErrorCode.PROTOCOL_VIOLATION)
    }
  }
  return type
}

export function isStreamFrameType(type: number): boolean {
  return type >= FrameType.stream && type <= FrameType.streamMax
}

/** Whether a frame makes its packet ack-eliciting: all but ACK, PADDING, CONNECTION_CLOSE (RFC 9002 section 2). */
export function isAckEliciting(type: number): boolean {
  return (
    type !== FrameType.padding &&
    type !== FrameType.ack &&
    type !== FrameType.ackEcn &&
    type !== FrameType.connectionClose &&
    type !== FrameType.connectionCloseApplication
  )
}

/** Whether a frame is a probing frame (RFC 9000 section 9.1). */
export function isProbing(type: number): boolean {
  return (
    type === FrameType.pathChallenge ||
    type === FrameType.pathResponse ||
    type === FrameType.newConnectionId ||
    type === FrameType.padding
  )
}
