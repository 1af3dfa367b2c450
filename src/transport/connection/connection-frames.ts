// Frames about the connection (RFC 9000 sections 19.7, 19.9, 19.11, 19.12, 19.14 to 19.20).
import { ConnectionEvent } from '../../machines/index.ts'
import {
  BytesFrame,
  ConnectionCloseFrame,
  type Cursor,
  FrameType,
  LimitFrame,
  NewConnectionIdFrame,
  parseConnectionClose,
  parseDatagram,
  parseLimit,
  parseNewConnectionId,
  parseNewToken,
  parsePathData,
  parseRetireConnectionId,
  QuicError,
  RESET_TOKEN_LENGTH,
  TransportErrorCode,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'

const limitFrame = new LimitFrame()
const newIdFrame = new NewConnectionIdFrame()
const closeFrame = new ConnectionCloseFrame()
const tokenFrame = new BytesFrame()
const datagramFrame = new BytesFrame()

/** RFC 9000 section 19.7: "A server MUST treat receipt of a NEW_TOKEN frame as a connection error". */
export function handleNewToken(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseNewToken(cursor, tokenFrame)
  if (connection.isServer) throw violation('NEW_TOKEN from a client', type)
  const { dataStart, length } = tokenFrame
  connection.handshake.handleNewToken(new Uint8Array(cursor.buffer.subarray(dataStart, dataStart + length)))
}

export function handleMaxData(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  connection.host.handleMaxData(limitFrame.limit)
}

export function handleMaxStreams(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  const kind = type === FrameType.maxStreamsBidi ? 0 : 1
  if (!connection.host.handleMaxStreams(kind, limitFrame.limit)) return
  connection.application?.handleStreamCredit(kind === 0 ? 'bidi' : 'uni')
}

export function handleDataBlocked(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  connection.host.handleCreditConsumed()
}

/** The peer waits for streams: returned credit goes out at once instead of in batches. */
export function handleStreamsBlocked(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseLimit(cursor, type, limitFrame)
  connection.host.forceCredit(type === FrameType.streamsBlockedBidi ? 0 : 1)
}

export function handleNewConnectionId(connection: QuicConnection, cursor: Cursor): void {
  parseNewConnectionId(cursor, newIdFrame)
  const { sequence, retirePriorTo, cidStart, cidLength, tokenStart } = newIdFrame
  const bytes = cursor.buffer.subarray(cidStart, cidStart + cidLength)
  const token = cursor.buffer.subarray(tokenStart, tokenStart + RESET_TOKEN_LENGTH)
  connection.peerIds.add(sequence, retirePriorTo, bytes, token)
  connection.paths.handleIdsRetired()
}

export function handleRetireConnectionId(connection: QuicConnection, cursor: Cursor): void {
  const sequence = parseRetireConnectionId(cursor)
  const { dcidStart, dcidLength } = connection.receiver.header
  connection.localIds.retire(sequence, cursor.buffer, dcidStart, dcidLength)
}

export function handlePathChallenge(connection: QuicConnection, cursor: Cursor): void {
  const start = parsePathData(cursor)
  connection.paths.handleChallenge(cursor.buffer.subarray(start, start + 8))
}

/** RFC 9000 section 19.18: a response to no challenge of ours is ignored. */
export function handlePathResponse(connection: QuicConnection, cursor: Cursor): void {
  const start = parsePathData(cursor)
  connection.paths.handleResponse(cursor.buffer.subarray(start, start + 8))
}

export function handleConnectionClose(connection: QuicConnection, cursor: Cursor, type: number): void {
  parseConnectionClose(cursor, type, closeFrame)
  const { code, frameType, isApplication, reasonStart, reasonLength } = closeFrame
  const reason = Buffer.from(cursor.buffer.subarray(reasonStart, reasonStart + reasonLength)).toString('utf8')
  const info = { code, frameType, isApplication, reason, isLocal: false, cause: 'close' } as const
  connection.end(ConnectionEvent.recvConnectionClose, info)
}

/** RFC 9000 section 19.20: "A server MUST treat receipt of a HANDSHAKE_DONE frame as a connection error". */
export function handleHandshakeDone(connection: QuicConnection, _cursor: Cursor, type: number): void {
  if (connection.isServer) throw violation('HANDSHAKE_DONE from a client', type)
  connection.handshake.handleDone()
}

/** RFC 9221 section 3: datagrams only if we announced them, and none larger than we announced. */
export function handleDatagram(connection: QuicConnection, cursor: Cursor, type: number): void {
  const start = cursor.offset - 1
  parseDatagram(cursor, type, datagramFrame)
  if (cursor.offset - start > connection.settings.maxDatagramFrameSize) {
    throw violation('DATAGRAM frame larger than announced', type)
  }
  connection.stats.datagramFramesReceived++
  const { dataStart, length } = datagramFrame
  connection.application?.handleDatagramFrame?.(cursor.buffer.subarray(dataStart, dataStart + length))
}

function violation(reason: string, frameType: number): QuicError {
  return new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, reason, frameType)
}
