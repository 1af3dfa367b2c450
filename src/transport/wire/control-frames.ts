// Frames about streams, credit and paths (RFC 9000 sections 19.4, 19.5, 19.9-19.18 and 19.20).
// Parsed by connection's dispatch, written by its packet builder.
import { MAX_CONNECTION_ID_LENGTH, RESET_TOKEN_LENGTH } from './connection-id.ts'
import type { Cursor } from './cursor.ts'
import { FrameType } from './frame-types.ts'
import { varintLength, writeVarint } from './varint.ts'

const PATH_DATA_LENGTH = 8

/** RESET_STREAM; STOP_SENDING uses the first two fields. */
export class StreamEndFrame {
  streamId = 0
  code = 0
  finalSize = 0
}

/** RESET_STREAM_AT: what comes before `reliableSize` bytes arrives all the same. */
export class ResetStreamAtFrame extends StreamEndFrame {
  reliableSize = 0
}

/** Every frame that raises or reports a limit. streamId is -1 when the frame names no stream. */
export class LimitFrame {
  streamId = -1
  /** Bytes, or a number of streams for MAX_STREAMS and STREAMS_BLOCKED. */
  limit = 0
}

/** NEW_CONNECTION_ID; bytes stay in cursor.buffer. */
export class NewConnectionIdFrame {
  sequence = 0
  retirePriorTo = 0
  cidStart = 0
  cidLength = 0
  /** Offset of the 16-byte stateless reset token. */
  tokenStart = 0
}

/** Parses the body of a RESET_STREAM frame (RFC 9000 section 19.4). */
export function parseResetStream(cursor: Cursor, out: StreamEndFrame): void {
  out.streamId = cursor.readStreamId()
  out.code = cursor.readVarint()
  out.finalSize = cursor.readVarint()
}

/** Size of a RESET_STREAM frame in bytes. */
export function resetStreamLength(streamId: number, code: number, finalSize: number): number {
  return 1 + varintLength(streamId) + varintLength(code) + varintLength(finalSize)
}

/** Writes a RESET_STREAM frame. */
export function writeResetStream(
  buffer: Uint8Array,
  at: number,
  streamId: number,
  code: number,
  finalSize: number,
): number {
  buffer[at] = FrameType.resetStream
  return writeVarint(buffer, writeVarint(buffer, writeVarint(buffer, at + 1, streamId), code), finalSize)
}

/**
 * Parses the body of a RESET_STREAM_AT frame (draft-ietf-quic-reliable-stream-reset section 4).
 * @throws QuicError FRAME_ENCODING_ERROR when it promises more than there is
 */
export function parseResetStreamAt(cursor: Cursor, out: ResetStreamAtFrame): void {
  parseResetStream(cursor, out)
  out.reliableSize = cursor.readVarint()
  // Section 4: "If the Reliable Size is larger than the Final Size", the connection ends.
  if (out.reliableSize > out.finalSize) cursor.fail('reliable size above final size')
}

/** Writes a RESET_STREAM_AT frame: at most 33 bytes. */
export function writeResetStreamAt(buffer: Uint8Array, at: number, frame: ResetStreamAtFrame): number {
  const offset = writeResetStream(buffer, at, frame.streamId, frame.code, frame.finalSize)
  buffer[at] = FrameType.resetStreamAt
  return writeVarint(buffer, offset, frame.reliableSize)
}

/** Parses the body of a STOP_SENDING frame (RFC 9000 section 19.5). */
export function parseStopSending(cursor: Cursor, out: StreamEndFrame): void {
  out.streamId = cursor.readStreamId()
  out.code = cursor.readVarint()
  out.finalSize = 0
}

/** Size of a STOP_SENDING frame in bytes. */
export function stopSendingLength(streamId: number, code: number): number {
  return 1 + varintLength(streamId) + varintLength(code)
}

/** Writes a STOP_SENDING frame. */
export function writeStopSending(buffer: Uint8Array, at: number, streamId: number, code: number): number {
  buffer[at] = FrameType.stopSending
  return writeVarint(buffer, writeVarint(buffer, at + 1, streamId), code)
}

/**
 * Parses MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS, DATA_BLOCKED, STREAM_DATA_BLOCKED or STREAMS_BLOCKED.
 * @param type maxData..streamsBlockedUni
 * @throws QuicError FRAME_ENCODING_ERROR for more than 2^60 streams
 */
export function parseLimit(cursor: Cursor, type: number, out: LimitFrame): void {
  out.streamId = -1
  switch (type) {
    case FrameType.maxStreamData:
    case FrameType.streamDataBlocked:
      out.streamId = cursor.readStreamId()
      out.limit = cursor.readVarint()
      break
    case FrameType.maxStreamsBidi:
    case FrameType.maxStreamsUni:
    case FrameType.streamsBlockedBidi:
    case FrameType.streamsBlockedUni:
      // RFC 9000 sections 19.11 and 19.14: more than 2^60 "MUST be treated as a connection error".
      out.limit = cursor.readStreamCount()
      break
    default:
      out.limit = cursor.readVarint()
  }
}

/** Size in bytes of a limit frame without stream. */
export function limitLength(limit: number): number {
  return 1 + varintLength(limit)
}

/**
 * Writes MAX_DATA, MAX_STREAMS, DATA_BLOCKED or STREAMS_BLOCKED.
 * @param type frame type of a limit frame without stream
 */
export function writeLimit(buffer: Uint8Array, at: number, type: number, limit: number): number {
  buffer[at] = type
  return writeVarint(buffer, at + 1, limit)
}

/** Size in bytes of a limit frame with stream. */
export function streamLimitLength(streamId: number, limit: number): number {
  return 1 + varintLength(streamId) + varintLength(limit)
}

/**
 * Writes MAX_STREAM_DATA or STREAM_DATA_BLOCKED.
 * @param type maxStreamData or streamDataBlocked
 */
export function writeStreamLimit(
  buffer: Uint8Array,
  at: number,
  type: number,
  streamId: number,
  limit: number,
): number {
  buffer[at] = type
  return writeVarint(buffer, writeVarint(buffer, at + 1, streamId), limit)
}

/**
 * Parses the body of a NEW_CONNECTION_ID frame (RFC 9000 section 19.15).
 * @throws QuicError FRAME_ENCODING_ERROR for a length outside 1..20 or a Retire Prior To above the sequence
 */
export function parseNewConnectionId(cursor: Cursor, out: NewConnectionIdFrame): void {
  out.sequence = cursor.readVarint()
  out.retirePriorTo = cursor.readVarint()
  if (out.retirePriorTo > out.sequence) cursor.fail('retire prior to above sequence number')
  out.cidLength = cursor.readUint8()
  // RFC 9000 section 19.15: "Values less than 1 and greater than 20 are invalid".
  if (out.cidLength < 1 || out.cidLength > MAX_CONNECTION_ID_LENGTH) cursor.fail('connection ID length')
  out.cidStart = cursor.skip(out.cidLength)
  out.tokenStart = cursor.skip(RESET_TOKEN_LENGTH)
}

/** Size of a NEW_CONNECTION_ID frame in bytes. */
export function newConnectionIdLength(sequence: number, retirePriorTo: number, cidLength: number): number {
  return 1 + varintLength(sequence) + varintLength(retirePriorTo) + 1 + cidLength + RESET_TOKEN_LENGTH
}

/**
 * Writes a NEW_CONNECTION_ID frame.
 * @param resetToken 16 bytes
 */
export function writeNewConnectionId(
  buffer: Uint8Array,
  at: number,
  sequence: number,
  retirePriorTo: number,
  cid: Uint8Array,
  resetToken: Uint8Array,
): number {
  buffer[at] = FrameType.newConnectionId
  let next = writeVarint(buffer, writeVarint(buffer, at + 1, sequence), retirePriorTo)
  buffer[next++] = cid.length
  buffer.set(cid, next)
  next += cid.length
  buffer.set(resetToken, next)
  return next + RESET_TOKEN_LENGTH
}

/** Parses the body of a RETIRE_CONNECTION_ID frame and returns the sequence number (RFC 9000 section 19.16). */
export function parseRetireConnectionId(cursor: Cursor): number {
  return cursor.readVarint()
}

/** Size of a RETIRE_CONNECTION_ID frame in bytes. */
export function retireConnectionIdLength(sequence: number): number {
  return 1 + varintLength(sequence)
}

/** Writes a RETIRE_CONNECTION_ID frame. */
export function writeRetireConnectionId(buffer: Uint8Array, at: number, sequence: number): number {
  buffer[at] = FrameType.retireConnectionId
  return writeVarint(buffer, at + 1, sequence)
}

/**
 * Parses the body of PATH_CHALLENGE or PATH_RESPONSE (RFC 9000 sections 19.17 and 19.18).
 * @returns offset of the 8 bytes of data in cursor.buffer
 */
export function parsePathData(cursor: Cursor): number {
  return cursor.skip(PATH_DATA_LENGTH)
}

/** Size of a PATH_CHALLENGE or PATH_RESPONSE frame in bytes. */
export const PATH_FRAME_LENGTH = 1 + PATH_DATA_LENGTH

/**
 * Writes PATH_CHALLENGE or PATH_RESPONSE.
 * @param type pathChallenge or pathResponse
 * @param data 8 bytes
 */
export function writePathFrame(buffer: Uint8Array, at: number, type: number, data: Uint8Array): number {
  buffer[at] = type
  buffer.set(data, at + 1)
  return at + PATH_FRAME_LENGTH
}

/** Writes a frame that is its type alone: PING or HANDSHAKE_DONE. */
export function writeBareFrame(buffer: Uint8Array, at: number, type: number): number {
  buffer[at] = type
  return at + 1
}

/**
 * Fills [at, end) with PADDING frames (RFC 9000 section 19.1).
 * @returns end
 */
export function writePadding(buffer: Uint8Array, at: number, end: number): number {
  buffer.fill(FrameType.padding, at, end)
  return end
}

/** Skips the PADDING frames at the cursor, whose first byte the caller has read. */
export function skipPadding(cursor: Cursor): void {
  const buffer = cursor.buffer
  let offset = cursor.offset
  while (offset < cursor.end && buffer[offset] === FrameType.padding) offset++
  cursor.offset = offset
}
