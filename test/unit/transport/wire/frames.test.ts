// Frame codecs: RFC 9000 section 19, RFC 9221 section 4.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../../src/transport/wire/index.ts'
import { cursorOf, errorCodeOf, fromHex } from './bytes.ts'

const { FrameType, TransportErrorCode } = wire
const number = fc.maxSafeNat()
const data = fc.uint8Array({ maxLength: 300 })
const text = fc.uint8Array({ maxLength: wire.MAX_REASON_LENGTH })

// Writes at offset 5 of a larger buffer, checks the length, and returns a cursor behind the frame type.
function written(length: number, write: (buffer: Uint8Array, at: number) => number): wire.Cursor {
  const buffer = new Uint8Array(1024)
  const end = write(buffer, 5)
  expect(end - 5).toBe(length)
  const cursor = new wire.Cursor().reset(buffer, 5, end)
  wire.readFrameType(cursor)
  return cursor
}

function bytesAt(cursor: wire.Cursor, start: number, length: number): Uint8Array {
  return cursor.buffer.slice(start, start + length)
}

describe('frames with data', () => {
  it('section 19.8: STREAM survives a round trip in all eight forms', () => {
    fc.assert(
      fc.property(number, number, data, fc.boolean(), fc.boolean(), (id, offset, bytes, fin, hasLength) => {
        const length = wire.streamHeaderLength(id, offset, bytes.length, hasLength)
        const cursor = written(length + bytes.length, (buffer, at) => {
          const next = wire.writeStreamHeader(buffer, at, id, offset, bytes.length, fin, hasLength)
          buffer.set(bytes, next)
          return next + bytes.length
        })
        const frame = new wire.StreamFrame()
        wire.parseStream(cursor, cursor.frameType, frame)
        expect([frame.streamId, frame.offset, frame.length, frame.fin]).toEqual([
          id,
          offset,
          bytes.length,
          fin,
        ])
        expect(bytesAt(cursor, frame.dataStart, frame.length)).toEqual(bytes)
        expect(cursor.remaining).toBe(0)
      }),
    )
  })

  it('section 19.6: CRYPTO, section 19.7: NEW_TOKEN, RFC 9221: DATAGRAM survive a round trip', () => {
    fc.assert(
      fc.property(number, data, fc.boolean(), (offset, bytes, hasLength) => {
        const crypto = new wire.CryptoFrame()
        const cursor = written(wire.cryptoHeaderLength(offset, bytes.length) + bytes.length, (buffer, at) => {
          const next = wire.writeCryptoHeader(buffer, at, offset, bytes.length)
          buffer.set(bytes, next)
          return next + bytes.length
        })
        wire.parseCrypto(cursor, crypto)
        expect([crypto.offset, crypto.length]).toEqual([offset, bytes.length])
        expect(bytesAt(cursor, crypto.dataStart, crypto.length)).toEqual(bytes)

        const datagram = new wire.BytesFrame()
        const header = wire.datagramHeaderLength(bytes.length, hasLength)
        const second = written(header + bytes.length, (buffer, at) => {
          const next = wire.writeDatagramHeader(buffer, at, bytes.length, hasLength)
          buffer.set(bytes, next)
          return next + bytes.length
        })
        wire.parseDatagram(second, second.frameType, datagram)
        expect(bytesAt(second, datagram.dataStart, datagram.length)).toEqual(bytes)

        if (bytes.length === 0) return
        const token = new wire.BytesFrame()
        const third = written(wire.newTokenLength(bytes), (buffer, at) =>
          wire.writeNewToken(buffer, at, bytes),
        )
        wire.parseNewToken(third, token)
        expect(bytesAt(third, token.dataStart, token.length)).toEqual(bytes)
      }),
    )
  })

  it('section 19.7: an empty token is FRAME_ENCODING_ERROR, with the frame type', () => {
    const cursor = cursorOf(fromHex('0700'))
    expect(wire.readFrameType(cursor)).toBe(FrameType.newToken)
    try {
      wire.parseNewToken(cursor, new wire.BytesFrame())
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: TransportErrorCode.FRAME_ENCODING_ERROR, frameType: 7 })
    }
  })

  it('section 19.8: data longer than the packet is FRAME_ENCODING_ERROR', () => {
    const stream = () => wire.parseStream(cursorOf(fromHex('0005aabb')), 0x0a, new wire.StreamFrame())
    expect(errorCodeOf(stream)).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
    const crypto = () => wire.parseCrypto(cursorOf(fromHex('0003aabb')), new wire.CryptoFrame())
    expect(errorCodeOf(crypto)).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
  })

  it('fittingDataLength is the most data whose length field still fits', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(200), fc.integer({ min: 16_300, max: 16_500 })), (space) => {
        const fitting = wire.fittingDataLength(space)
        if (fitting === 0) {
          expect(space).toBeLessThanOrEqual(1)
          return
        }
        expect(fitting + wire.varintLength(fitting)).toBeLessThanOrEqual(space)
        expect(fitting + 1 + wire.varintLength(fitting + 1)).toBeGreaterThan(space)
      }),
    )
  })
})

describe('control frames', () => {
  it('sections 19.4 and 19.5: RESET_STREAM and STOP_SENDING survive a round trip', () => {
    fc.assert(
      fc.property(number, number, number, (id, code, finalSize) => {
        const frame = new wire.StreamEndFrame()
        const reset = written(wire.resetStreamLength(id, code, finalSize), (buffer, at) =>
          wire.writeResetStream(buffer, at, id, code, finalSize),
        )
        wire.parseResetStream(reset, frame)
        expect([frame.streamId, frame.code, frame.finalSize]).toEqual([id, code, finalSize])
        const stop = written(wire.stopSendingLength(id, code), (buffer, at) =>
          wire.writeStopSending(buffer, at, id, code),
        )
        wire.parseStopSending(stop, frame)
        expect([frame.streamId, frame.code, frame.finalSize]).toEqual([id, code, 0])
      }),
    )
  })

  it('RESET_STREAM_AT survives a round trip, and promises no more than there is (its draft, section 4)', () => {
    fc.assert(
      fc.property(number, number, number, number, (id, code, finalSize, reliableSize) => {
        const sent = Object.assign(new wire.ResetStreamAtFrame(), {
          streamId: id,
          code,
          finalSize,
          reliableSize,
        })
        const received = new wire.ResetStreamAtFrame()
        const bytes = new Uint8Array(40)
        const end = wire.writeResetStreamAt(bytes, 0, sent)
        const cursor = new wire.Cursor().reset(bytes, 0, end)
        expect(wire.readFrameType(cursor)).toBe(FrameType.resetStreamAt)
        const code_ = errorCodeOf(() => wire.parseResetStreamAt(cursor, received))
        if (reliableSize > finalSize) expect(code_).toBe(wire.TransportErrorCode.FRAME_ENCODING_ERROR)
        else expect(received).toEqual(sent)
        expect(cursor.remaining).toBe(0)
      }),
    )
  })

  it('sections 19.9 to 19.14: limit frames survive a round trip', () => {
    const plain = fc.constantFrom(0x10, 0x12, 0x13, 0x14, 0x16, 0x17)
    const withStream = fc.constantFrom(FrameType.maxStreamData, FrameType.streamDataBlocked)
    fc.assert(
      fc.property(plain, withStream, number, number, (type, streamType, id, limit) => {
        const frame = new wire.LimitFrame()
        const first = written(wire.limitLength(limit), (buffer, at) =>
          wire.writeLimit(buffer, at, type, limit),
        )
        expect(first.frameType).toBe(type)
        wire.parseLimit(first, type, frame)
        expect([frame.streamId, frame.limit]).toEqual([-1, limit])
        const second = written(wire.streamLimitLength(id, limit), (buffer, at) =>
          wire.writeStreamLimit(buffer, at, streamType, id, limit),
        )
        wire.parseLimit(second, streamType, frame)
        expect([frame.streamId, frame.limit]).toEqual([id, limit])
      }),
    )
  })

  it('sections 4.6, 19.11 and 19.14: MAX_STREAMS and STREAMS_BLOCKED above 2^60 are FRAME_ENCODING_ERROR', () => {
    const exactly = 'd000000000000000'
    const above = 'd000000000000001'
    for (const type of [0x12, 0x13, 0x16, 0x17]) {
      const parse = (hex: string) => () =>
        wire.parseLimit(cursorOf(fromHex(hex)), type, new wire.LimitFrame())
      expect(errorCodeOf(parse(exactly))).toBeUndefined()
      expect(errorCodeOf(parse(above))).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
      expect(errorCodeOf(parse('ffffffffffffffff'))).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
      expect(errorCodeOf(parse('c020000000000000'))).toBeUndefined()
    }
  })

  it('sections 19.15 and 19.16: NEW_CONNECTION_ID and RETIRE_CONNECTION_ID survive a round trip', () => {
    const cid = fc.uint8Array({ minLength: 1, maxLength: 20 })
    const token = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(number, number, cid, token, (a, b, id, reset) => {
        const sequence = Math.max(a, b)
        const prior = Math.min(a, b)
        const frame = new wire.NewConnectionIdFrame()
        const cursor = written(wire.newConnectionIdLength(sequence, prior, id.length), (buffer, at) =>
          wire.writeNewConnectionId(buffer, at, sequence, prior, id, reset),
        )
        wire.parseNewConnectionId(cursor, frame)
        expect([frame.sequence, frame.retirePriorTo]).toEqual([sequence, prior])
        expect(bytesAt(cursor, frame.cidStart, frame.cidLength)).toEqual(id)
        expect(bytesAt(cursor, frame.tokenStart, 16)).toEqual(reset)
        const retire = written(wire.retireConnectionIdLength(a), (buffer, at) =>
          wire.writeRetireConnectionId(buffer, at, a),
        )
        expect(wire.parseRetireConnectionId(retire)).toBe(a)
      }),
    )
  })

  it('section 19.15: lengths 0 and 21, and Retire Prior To above the sequence, are FRAME_ENCODING_ERROR', () => {
    const rest = '11'.repeat(40)
    const parse = (hex: string) => () =>
      wire.parseNewConnectionId(cursorOf(fromHex(hex)), new wire.NewConnectionIdFrame())
    expect(errorCodeOf(parse(`050514${rest}`))).toBeUndefined()
    for (const head of ['050500', '050515', '050604']) {
      expect(errorCodeOf(parse(head + rest))).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
    }
  })

  it('sections 19.17 and 19.18: path frames carry eight bytes; PING, HANDSHAKE_DONE and PADDING none', () => {
    const bytes = fromHex('0123456789abcdef')
    for (const type of [FrameType.pathChallenge, FrameType.pathResponse]) {
      const cursor = written(wire.PATH_FRAME_LENGTH, (buffer, at) =>
        wire.writePathFrame(buffer, at, type, bytes),
      )
      expect(cursor.frameType).toBe(type)
      expect(bytesAt(cursor, wire.parsePathData(cursor), 8)).toEqual(bytes)
    }
    const ping = written(1, (buffer, at) => wire.writeBareFrame(buffer, at, FrameType.ping))
    expect([ping.frameType, ping.remaining]).toEqual([FrameType.ping, 0])
    const padded = cursorOf(fromHex('0000000001'))
    expect(wire.readFrameType(padded)).toBe(FrameType.padding)
    wire.skipPadding(padded)
    expect(wire.readFrameType(padded)).toBe(FrameType.ping)
    const filled = new Uint8Array(4).fill(9)
    expect(wire.writePadding(filled, 1, 3)).toBe(3)
    expect([...filled]).toEqual([9, 0, 0, 9])
  })

  it('section 19.19: CONNECTION_CLOSE survives a round trip in both forms', () => {
    fc.assert(
      fc.property(fc.boolean(), number, fc.nat(0x40), text, (isApplication, code, type, reason) => {
        const frame = new wire.ConnectionCloseFrame()
        const cursor = written(wire.connectionCloseLength(isApplication, code, type, reason), (buffer, at) =>
          wire.writeConnectionClose(buffer, at, isApplication, code, type, reason),
        )
        wire.parseConnectionClose(cursor, cursor.frameType, frame)
        expect([frame.isApplication, frame.code]).toEqual([isApplication, code])
        expect(frame.frameType).toBe(isApplication ? 0 : type)
        expect(bytesAt(cursor, frame.reasonStart, frame.reasonLength)).toEqual(reason)
      }),
    )
  })

  it('a long reason phrase is cut when written and when parsed', () => {
    const reason = new Uint8Array(600).fill(0x61)
    const length = wire.connectionCloseLength(true, 0, 0, reason)
    expect(length).toBe(1 + 1 + 2 + wire.MAX_REASON_LENGTH)
    const long = new Uint8Array(700)
    wire.writeVarint(long, wire.writeVarint(long, 0, 1), 600)
    const frame = new wire.ConnectionCloseFrame()
    const cursor = new wire.Cursor().reset(long, 0, 603)
    wire.parseConnectionClose(cursor, FrameType.connectionCloseApplication, frame)
    expect([frame.reasonLength, cursor.remaining]).toEqual([wire.MAX_REASON_LENGTH, 0])
  })
})

describe('frame types, section 12.4', () => {
  it('a frame type that is not in its shortest form is PROTOCOL_VIOLATION', () => {
    for (const hex of ['4001', '80000001', 'c000000000000001', '80000040']) {
      expect(errorCodeOf(() => wire.readFrameType(cursorOf(fromHex(hex))))).toBe(
        TransportErrorCode.PROTOCOL_VIOLATION,
      )
    }
    expect(wire.readFrameType(cursorOf(fromHex('4040')))).toBe(0x40)
  })

  it('ack-eliciting is everything but ACK, PADDING and CONNECTION_CLOSE (RFC 9002 section 2)', () => {
    const quiet = new Set<number>([0x00, 0x02, 0x03, 0x1c, 0x1d])
    const probing = new Set<number>([0x00, 0x18, 0x1a, 0x1b])
    for (const type of Object.values(FrameType)) {
      expect(wire.isAckEliciting(type)).toBe(!quiet.has(type))
      expect(wire.isProbing(type)).toBe(probing.has(type))
      expect(wire.isStreamFrameType(type)).toBe(type === 0x08 || type === 0x0f)
    }
  })
})
