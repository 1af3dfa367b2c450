// Whatever bytes arrive, parsers raise QuicError or nothing, and stay inside the buffer.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../../src/transport/wire/index.ts'

const { FrameType } = wire

type Parser = (cursor: wire.Cursor, type: number) => void

const parsers: [number[], Parser][] = [
  [[0x02, 0x03], (c, t) => wire.parseAck(c, t, new wire.AckFrame())],
  [[0x04], (c) => wire.parseResetStream(c, new wire.StreamEndFrame())],
  [[0x24], (c) => wire.parseResetStreamAt(c, new wire.ResetStreamAtFrame())],
  [[0x05], (c) => wire.parseStopSending(c, new wire.StreamEndFrame())],
  [[0x06], (c) => wire.parseCrypto(c, new wire.CryptoFrame())],
  [[0x07], (c) => wire.parseNewToken(c, new wire.BytesFrame())],
  [
    [0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f],
    (c, t) => wire.parseStream(c, t, new wire.StreamFrame()),
  ],
  [[0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17], (c, t) => wire.parseLimit(c, t, new wire.LimitFrame())],
  [[0x18], (c) => wire.parseNewConnectionId(c, new wire.NewConnectionIdFrame())],
  [[0x19], (c) => wire.parseRetireConnectionId(c)],
  [[0x1a, 0x1b], (c) => wire.parsePathData(c)],
  [[0x1c, 0x1d], (c, t) => wire.parseConnectionClose(c, t, new wire.ConnectionCloseFrame())],
  [[0x30, 0x31], (c, t) => wire.parseDatagram(c, t, new wire.BytesFrame())],
]
const byType = new Map(parsers.flatMap(([types, parse]) => types.map((type) => [type, parse] as const)))

// Reads frames until the bytes end or a parser objects; returns the error.
function parseAll(cursor: wire.Cursor): unknown {
  try {
    while (cursor.remaining > 0) {
      const type = wire.readFrameType(cursor)
      if (type === FrameType.padding) wire.skipPadding(cursor)
      else byType.get(type)?.(cursor, type)
    }
  } catch (error) {
    return error
  }
  return undefined
}

describe('robustness of the frame parsers', () => {
  it('random bytes raise nothing but QuicError, and the cursor stays inside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...byType.keys()), (bytes, type) => {
        const buffer = new Uint8Array(bytes.length + 1)
        buffer[0] = type
        buffer.set(bytes, 1)
        const cursor = new wire.Cursor().reset(buffer)
        const error = parseAll(cursor)
        expect(error === undefined || error instanceof wire.QuicError).toBe(true)
        expect(cursor.offset).toBeLessThanOrEqual(cursor.end)
      }),
      { numRuns: 5000 },
    )
  })

  it('a frame cut at any byte raises FRAME_ENCODING_ERROR', () => {
    const buffer = new Uint8Array(200)
    const end = wire.writeNewConnectionId(buffer, 0, 70, 3, new Uint8Array(8), new Uint8Array(16))
    for (let cut = 1; cut < end; cut++) {
      const error = parseAll(new wire.Cursor().reset(buffer, 0, cut))
      expect(error).toMatchObject({ code: wire.TransportErrorCode.FRAME_ENCODING_ERROR, frameType: 0x18 })
    }
    expect(parseAll(new wire.Cursor().reset(buffer, 0, end))).toBeUndefined()
  })

  it('random bytes as transport parameters raise nothing but TRANSPORT_PARAMETER_ERROR', () => {
    const role = fc.constantFrom('client', 'server')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), role, (bytes, from) => {
        try {
          wire.decodeTransportParameters(bytes, from)
        } catch (error) {
          expect(error).toMatchObject({ code: wire.TransportErrorCode.TRANSPORT_PARAMETER_ERROR })
        }
      }),
      { numRuns: 3000 },
    )
  })
})
