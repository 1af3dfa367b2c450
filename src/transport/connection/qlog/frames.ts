// Frames of a packet as qlog objects (draft-ietf-quic-qlog-quic-events, "QUIC Frames"). Parses the plaintext once more,
// and only when the connection is logged. Used by ConnectionLog; never throws, whatever the payload is.
import {
  AckFrame,
  BytesFrame,
  ConnectionCloseFrame,
  CryptoFrame,
  type Cursor,
  FrameType,
  isStreamFrameType,
  LimitFrame,
  NewConnectionIdFrame,
  parseAck,
  parseConnectionClose,
  parseCrypto,
  parseDatagram,
  parseLimit,
  parseNewConnectionId,
  parseNewToken,
  parsePathData,
  parseResetStream,
  parseResetStreamAt,
  parseRetireConnectionId,
  parseStopSending,
  parseStream,
  QuicError,
  ResetStreamAtFrame,
  readFrameType,
  StreamEndFrame,
  StreamFrame,
  skipPadding,
  toHex,
} from '../../wire/index.ts'
import { applicationError, transportError } from './names.ts'
import type { QlogData } from './sink.ts'

const PATH_DATA_LENGTH = 8

const ack = new AckFrame()
const streamEnd = new StreamEndFrame()
const resetAt = new ResetStreamAtFrame()
const crypto = new CryptoFrame()
const bytes = new BytesFrame()
const stream = new StreamFrame()
const limit = new LimitFrame()
const newId = new NewConnectionIdFrame()
const close = new ConnectionCloseFrame()

type Describe = (cursor: Cursor, type: number, ackDelayExponent: number) => QlogData

/** Payload of a frame that carries bytes; `length` beside `raw` is where qlog 0.3 has it. */
function payload(length: number): QlogData {
  return { length, raw: { length, payload_length: length } }
}

function describeAck(cursor: Cursor, type: number, exponent: number): QlogData {
  parseAck(cursor, type, ack)
  const ranges: number[][] = []
  for (let i = ack.rangeCount - 1; i >= 0; i--) {
    const { [i]: start } = ack.starts
    ranges.push(start === ack.ends[i] ? [start] : [start, ack.ends[i]])
  }
  const ecn = ack.hasEcn ? { ect0: ack.ect0, ect1: ack.ect1, ce: ack.ce } : {}
  return { frame_type: 'ack', ack_delay: (ack.delay * 2 ** exponent) / 1000, acked_ranges: ranges, ...ecn }
}

function describeReset(cursor: Cursor): QlogData {
  parseResetStream(cursor, streamEnd)
  const { streamId, code, finalSize } = streamEnd
  return {
    frame_type: 'reset_stream',
    stream_id: streamId,
    ...applicationError('error', code),
    final_size: finalSize,
  }
}

function describeResetAt(cursor: Cursor): QlogData {
  parseResetStreamAt(cursor, resetAt)
  const { streamId, code, finalSize, reliableSize } = resetAt
  return {
    frame_type: 'reset_stream_at',
    stream_id: streamId,
    ...applicationError('error', code),
    final_size: finalSize,
    reliable_size: reliableSize,
  }
}

function describeStopSending(cursor: Cursor): QlogData {
  parseStopSending(cursor, streamEnd)
  return {
    frame_type: 'stop_sending',
    stream_id: streamEnd.streamId,
    ...applicationError('error', streamEnd.code),
  }
}

function describeStream(cursor: Cursor, type: number): QlogData {
  parseStream(cursor, type, stream)
  const { streamId, offset, fin, length } = stream
  return { frame_type: 'stream', stream_id: streamId, offset, fin, ...payload(length) }
}

/** @param field what the draft calls the limit */
function limitDescriber(name: string, field: 'maximum' | 'limit', streamType?: string): Describe {
  return (cursor, type) => {
    parseLimit(cursor, type, limit)
    return {
      frame_type: name,
      stream_id: limit.streamId < 0 ? undefined : limit.streamId,
      stream_type: streamType,
      [field]: limit.limit,
    }
  }
}

function describeNewConnectionId(cursor: Cursor): QlogData {
  parseNewConnectionId(cursor, newId)
  // The reset token stays out: whoever has it can end the connection.
  return {
    frame_type: 'new_connection_id',
    sequence_number: newId.sequence,
    retire_prior_to: newId.retirePriorTo,
    connection_id_length: newId.cidLength,
    connection_id: toHex(cursor.buffer, newId.cidStart, newId.cidLength),
  }
}

function describePath(name: string): Describe {
  return (cursor) => {
    const start = parsePathData(cursor)
    return { frame_type: name, data: toHex(cursor.buffer, start, PATH_DATA_LENGTH) }
  }
}

function describeClose(cursor: Cursor, type: number): QlogData {
  parseConnectionClose(cursor, type, close)
  const { isApplication, code, frameType, reasonStart, reasonLength } = close
  const reason = Buffer.from(cursor.buffer.subarray(reasonStart, reasonStart + reasonLength)).toString('utf8')
  return {
    frame_type: 'connection_close',
    error_space: isApplication ? 'application' : 'transport',
    ...(isApplication ? applicationError('error', code) : transportError('error', code)),
    reason,
    trigger_frame_type: isApplication || frameType === 0 ? undefined : frameType,
  }
}

function describePadding(cursor: Cursor): QlogData {
  const start = cursor.offset - 1
  skipPadding(cursor)
  const length = cursor.offset - start
  return { frame_type: 'padding', raw: { length, payload_length: length } }
}

const describers: ReadonlyMap<number, Describe> = new Map<number, Describe>([
  [FrameType.padding, describePadding],
  [FrameType.ping, () => ({ frame_type: 'ping' })],
  [FrameType.ack, describeAck],
  [FrameType.ackEcn, describeAck],
  [FrameType.resetStream, describeReset],
  [FrameType.resetStreamAt, describeResetAt],
  [FrameType.stopSending, describeStopSending],
  [
    FrameType.crypto,
    (cursor) => {
      parseCrypto(cursor, crypto)
      return { frame_type: 'crypto', offset: crypto.offset, ...payload(crypto.length) }
    },
  ],
  [
    FrameType.newToken,
    (cursor) => {
      parseNewToken(cursor, bytes)
      return { frame_type: 'new_token', token: { type: 'resumption', raw: { length: bytes.length } } }
    },
  ],
  [FrameType.maxData, limitDescriber('max_data', 'maximum')],
  [FrameType.maxStreamData, limitDescriber('max_stream_data', 'maximum')],
  [FrameType.maxStreamsBidi, limitDescriber('max_streams', 'maximum', 'bidirectional')],
  [FrameType.maxStreamsUni, limitDescriber('max_streams', 'maximum', 'unidirectional')],
  [FrameType.dataBlocked, limitDescriber('data_blocked', 'limit')],
  [FrameType.streamDataBlocked, limitDescriber('stream_data_blocked', 'limit')],
  [FrameType.streamsBlockedBidi, limitDescriber('streams_blocked', 'limit', 'bidirectional')],
  [FrameType.streamsBlockedUni, limitDescriber('streams_blocked', 'limit', 'unidirectional')],
  [FrameType.newConnectionId, describeNewConnectionId],
  [
    FrameType.retireConnectionId,
    (cursor) => ({ frame_type: 'retire_connection_id', sequence_number: parseRetireConnectionId(cursor) }),
  ],
  [FrameType.pathChallenge, describePath('path_challenge')],
  [FrameType.pathResponse, describePath('path_response')],
  [FrameType.connectionClose, describeClose],
  [FrameType.connectionCloseApplication, describeClose],
  [FrameType.handshakeDone, () => ({ frame_type: 'handshake_done' })],
  [FrameType.datagram, describeDatagram],
  [FrameType.datagramWithLength, describeDatagram],
])

function describeDatagram(cursor: Cursor, type: number): QlogData {
  parseDatagram(cursor, type, bytes)
  return { frame_type: 'datagram', ...payload(bytes.length) }
}

/**
 * Describes every frame up to the cursor's end; what cannot be parsed ends the list as an `unknown` frame.
 * @param ackDelayExponent of the sender of the packet
 */
export function describeFrames(cursor: Cursor, ackDelayExponent: number): QlogData[] {
  const frames: QlogData[] = []
  while (cursor.remaining > 0) {
    const start = cursor.offset
    try {
      const type = readFrameType(cursor)
      const describe = isStreamFrameType(type) ? describeStream : describers.get(type)
      if (describe === undefined) throw new QuicError(0, 'unknown frame', type)
      frames.push(describe(cursor, type, ackDelayExponent))
    } catch (error) {
      if (!(error instanceof QuicError)) throw error
      frames.push({
        frame_type: 'unknown',
        frame_type_bytes: cursor.frameType,
        raw: { length: cursor.end - start },
      })
      break
    }
  }
  return frames
}
