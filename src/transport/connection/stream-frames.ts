// Frames about one stream (RFC 9000 sections 19.4, 19.5, 19.8, 19.10, 19.13; draft-ietf-quic-reliable-stream-reset).
import {
  type Cursor,
  FrameType,
  LimitFrame,
  parseLimit,
  parseResetStream,
  parseResetStreamAt,
  parseStopSending,
  parseStream,
  QuicError,
  ResetStreamAtFrame,
  StreamEndFrame,
  StreamFrame,
  TransportErrorCode,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'

const streamFrame = new StreamFrame()
const endFrame = new StreamEndFrame()
const resetAtFrame = new ResetStreamAtFrame()
const limitFrame = new LimitFrame()

export function handleStream(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseStream(cursor, type, streamFrame)
  const { streamId, offset, dataStart, length, fin } = streamFrame
  const stream = connection.host.table.forFrame(streamId, 'receiving')
  stream?.receiving?.handleStream(offset, cursor.buffer.subarray(dataStart, dataStart + length), fin)
}

export function handleResetStream(connection: QuicConnection, cursor: Cursor): void {
  parseResetStream(cursor, endFrame)
  const { streamId, code, finalSize } = endFrame
  connection.host.table.forFrame(streamId, 'receiving')?.receiving?.handleReset(code, finalSize)
}

export function handleResetStreamAt(connection: QuicConnection, cursor: Cursor): void {
  // To a peer that was not told of the extension the frame type is unknown (RFC 9000 section 12.4).
  if (!connection.settings.resetStreamAt) {
    throw new QuicError(
      TransportErrorCode.FRAME_ENCODING_ERROR,
      'unknown frame type',
      FrameType.resetStreamAt,
    )
  }
  parseResetStreamAt(cursor, resetAtFrame)
  const { streamId, code, finalSize, reliableSize } = resetAtFrame
  const stream = connection.host.table.forFrame(streamId, 'receiving')
  stream?.receiving?.handleResetAt(code, finalSize, reliableSize)
}

export function handleStopSending(connection: QuicConnection, cursor: Cursor): void {
  parseStopSending(cursor, endFrame)
  const { streamId, code } = endFrame
  connection.host.table.forFrame(streamId, 'sending')?.handleStopSending(code)
}

export function handleMaxStreamData(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  const { streamId, limit } = limitFrame
  connection.host.table.forFrame(streamId, 'sending')?.handleMaxStreamData(limit)
}

export function handleStreamDataBlocked(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  connection.host.table.forFrame(limitFrame.streamId, 'receiving')
}
