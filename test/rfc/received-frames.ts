// Turns the payload of a packet that the connection under test has sent into a list of plain records.
import {
  AckFrame,
  BytesFrame,
  ConnectionCloseFrame,
  CryptoFrame,
  Cursor,
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
  ResetStreamAtFrame,
  readFrameType,
  StreamEndFrame,
  StreamFrame,
} from '../../src/transport/wire/index.ts'

/** One frame; only the fields of its type are set. */
export interface ReceivedFrame {
  type: number
  streamId?: number
  offset?: number
  data?: Uint8Array
  fin?: boolean
  code?: number
  finalSize?: number
  reliableSize?: number
  limit?: number
  largest?: number
  delay?: number
  ranges?: [first: number, last: number][]
  sequence?: number
  retirePriorTo?: number
  id?: Uint8Array
  token?: Uint8Array
  isApplication?: boolean
  frameType?: number
  reason?: string
}

export function readFrames(buffer: Uint8Array, start: number, end: number): ReceivedFrame[] {
  const cursor = new Cursor().reset(buffer, start, end)
  const frames: ReceivedFrame[] = []
  while (cursor.remaining > 0) {
    const type = readFrameType(cursor)
    if (type !== FrameType.padding) frames.push(readFrame(cursor, type))
  }
  return frames
}

function readFrame(cursor: Cursor, type: number): ReceivedFrame {
  const copy = (from: number, length: number) => cursor.buffer.slice(from, from + length)
  if (isStreamFrameType(type)) {
    const out = new StreamFrame()
    parseStream(cursor, type, out)
    const { streamId, offset, fin } = out
    return { type: FrameType.stream, streamId, offset, fin, data: copy(out.dataStart, out.length) }
  }
  switch (type) {
    case FrameType.ping:
    case FrameType.handshakeDone:
      return { type }
    case FrameType.ack:
      return readAck(cursor, type)
    case FrameType.resetStream:
    case FrameType.stopSending: {
      const out = new StreamEndFrame()
      if (type === FrameType.stopSending) parseStopSending(cursor, out)
      else parseResetStream(cursor, out)
      return { type, streamId: out.streamId, code: out.code, finalSize: out.finalSize }
    }
    case FrameType.resetStreamAt: {
      const out = new ResetStreamAtFrame()
      parseResetStreamAt(cursor, out)
      return { type, ...out }
    }
    case FrameType.crypto: {
      const out = new CryptoFrame()
      parseCrypto(cursor, out)
      return { type, offset: out.offset, data: copy(out.dataStart, out.length) }
    }
    case FrameType.newConnectionId: {
      const out = new NewConnectionIdFrame()
      parseNewConnectionId(cursor, out)
      const { sequence, retirePriorTo } = out
      const id = copy(out.cidStart, out.cidLength)
      return { type, sequence, retirePriorTo, id, token: copy(out.tokenStart, 16) }
    }
    case FrameType.retireConnectionId:
      return { type, sequence: parseRetireConnectionId(cursor) }
    case FrameType.pathChallenge:
    case FrameType.pathResponse:
      return { type, data: copy(parsePathData(cursor), 8) }
    case FrameType.connectionClose:
    case FrameType.connectionCloseApplication:
      return readClose(cursor, type)
    case FrameType.newToken:
    case FrameType.datagram:
    case FrameType.datagramWithLength: {
      const out = new BytesFrame()
      if (type === FrameType.newToken) parseNewToken(cursor, out)
      else parseDatagram(cursor, type, out)
      return { type, data: copy(out.dataStart, out.length) }
    }
    default: {
      const out = new LimitFrame()
      parseLimit(cursor, type, out)
      return { type, streamId: out.streamId, limit: out.limit }
    }
  }
}

function readAck(cursor: Cursor, type: number): ReceivedFrame {
  const out = new AckFrame()
  parseAck(cursor, type, out)
  const ranges: [number, number][] = []
  for (let i = 0; i < out.rangeCount; i++) ranges.push([out.starts[i], out.ends[i]])
  return { type, largest: out.largest, delay: out.delay, ranges }
}

function readClose(cursor: Cursor, type: number): ReceivedFrame {
  const out = new ConnectionCloseFrame()
  parseConnectionClose(cursor, type, out)
  const reason = Buffer.from(cursor.buffer.subarray(out.reasonStart, out.reasonStart + out.reasonLength))
  const { code, frameType, isApplication } = out
  return { type, code, frameType, isApplication, reason: reason.toString() }
}
