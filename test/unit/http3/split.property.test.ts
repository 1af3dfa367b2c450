// Properties: any split of a byte stream gives the same events, and no input ends in anything but an HTTP/3 error.
// RFC 9114 sections 7.1 and 9.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameParser, VarintReader } from '../../../src/http3/frames.ts'
import {
  data,
  frame,
  get,
  getFields,
  headers,
  hex,
  post,
  postFields,
  Recorder,
  Session,
  varint,
} from './session.ts'

/** Pieces of `bytes`, cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  const pieces: Buffer[] = []
  let start = 0
  for (const place of [...sorted, bytes.length]) {
    pieces.push(bytes.subarray(start, place))
    start = place
  }
  return pieces
}

function requestEvents(pieces: readonly Uint8Array[], isReading: boolean): unknown {
  const session = new Session('server')
  session.onRequest = (stream) => session.requests.push(new Recorder(stream, isReading))
  const stream = session.accept(0)
  pieces.forEach((piece, index) => {
    stream.receive(piece, index === pieces.length - 1)
  })
  for (const recorder of session.requests) recorder.read()
  const recorder = session.requests[0]
  return {
    head: recorder && [recorder.stream.method, recorder.stream.path, recorder.stream.headers],
    body: recorder?.text,
    log: recorder?.log,
    error: session.error,
    reset: stream.resetCode,
    stop: stream.stopCode,
  }
}

function controlEvents(pieces: readonly Uint8Array[], role: 'server' | 'client'): unknown {
  const session = new Session(role)
  const stream = session.accept(role === 'server' ? 2 : 3)
  for (const piece of pieces) stream.receive(piece)
  return { log: session.log, error: session.error, stop: stream.stopCode }
}

const text = fc.string({ minLength: 0, maxLength: 30 })
const chunk = fc.oneof(
  text.map((value) => data(value)),
  fc
    .tuple(fc.integer({ min: 0, max: 200 }), text)
    .map(([n, value]) => frame(0x1f * n + 0x21, Buffer.from(value))),
)
const validRequest = fc
  .tuple(fc.array(chunk, { maxLength: 6 }), fc.boolean(), text)
  .map(([parts, hasTrailers, value]) =>
    Buffer.concat([
      headers([...postFields, 'x-value', value.replaceAll(/[^ -~]/g, '')]),
      ...parts,
      hasTrailers ? headers(['x-sum', '1']) : hex(''),
    ]),
  )
const anyRequest = fc.oneof(
  validRequest,
  fc.constantFrom(
    Buffer.concat([post, headers(['x', 'y']), data('z')]),
    Buffer.concat([headers([...postFields, 'content-length', '3']), data('ab'), data('cd')]),
    Buffer.concat([get, frame(4, hex(''))]),
    Buffer.concat([post, hex('000561')]),
    headers(['x', 'y']),
    frame(1, hex('0000ff24')),
  ),
)
const places = fc.array(fc.nat(2_000), { maxLength: 12 })

describe('splits', () => {
  it('of a request give the same events, whether the reader is quick or slow', () => {
    fc.assert(
      fc.property(anyRequest, places, fc.boolean(), (bytes, at, isReading) => {
        const whole = requestEvents([bytes], true)
        // A body error can strike before or after the bytes in front of it were read.
        const { body: _, ...split } = requestEvents(cut(bytes, at), isReading) as { body: string }
        const { body: __, ...expected } = whole as { body: string }
        expect(split).toEqual(expected)
      }),
      { numRuns: 400 },
    )
  })

  it('of a valid request give the same body', () => {
    fc.assert(
      fc.property(validRequest, places, fc.boolean(), (bytes, at, isReading) => {
        expect(requestEvents(cut(bytes, at), isReading)).toEqual(requestEvents([bytes], true))
      }),
      { numRuns: 400 },
    )
  })

  it('at every byte of a request give the same events', () => {
    const bytes = Buffer.concat([
      post,
      frame(0x21, hex('0102')),
      data('hello'),
      data('x'.repeat(70)),
      headers(['x', 'y']),
    ])
    const whole = requestEvents([bytes], true)
    for (let place = 0; place <= bytes.length; place++)
      expect(requestEvents(cut(bytes, [place]), true)).toEqual(whole)
    expect(requestEvents(cut(bytes, [...bytes.keys()]), false)).toEqual(whole)
  })

  it('of a control stream give the same events', () => {
    const settings = frame(4, hex('0644000721'))
    const streams = [
      Buffer.concat([
        varint(0),
        settings,
        frame(0x21, Buffer.alloc(300)),
        frame(7, varint(8)),
        frame(7, varint(4)),
      ]),
      Buffer.concat([varint(0), settings, frame(7, varint(4)), frame(7, varint(8))]),
      Buffer.concat([varint(0), settings, settings]),
      Buffer.concat([varint(0), frame(0x0d, varint(1))]),
      Buffer.concat([hex('4002'), hex('20203fe1c7afa025')]),
      Buffer.concat([varint(3), hex('487f800100')]),
      Buffer.concat([varint(0x21), Buffer.alloc(20)]),
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        places,
        fc.constantFrom('server', 'client'),
        (bytes, at, role) => {
          expect(controlEvents(cut(bytes, at), role)).toEqual(controlEvents([bytes], role))
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('frame headers (RFC 9114 section 7.1, RFC 9000 section 16)', () => {
  it('are read in every length of encoding', () => {
    for (const type of ['01', '4001', '80000001', 'c000000000000001']) {
      for (const length of ['05', '4005', '80000005', 'c000000000000005']) {
        const parser = new FrameParser()
        const source = hex(`${type}${length}ff`)
        expect(parser.readHeader(source, 0, source.length)).toBe(source.length - 1)
        expect([parser.type, parser.length]).toEqual([1, 5])
      }
    }
  })

  it('keep the last byte of integers beyond 2^53', () => {
    const reader = new VarintReader()
    const results = [...hex('fffffffffffffffc')].map((byte) => reader.push(byte))
    expect(results.lastIndexOf(true)).toBe(7)
    expect(reader.lowByte & 3).toBe(0)
    expect(reader.value).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
  })
})

describe('random bytes', () => {
  const scraps = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => frame(1, bytes)),
    fc.constantFrom(
      get,
      post,
      data('abc'),
      headers(['x', 'y']),
      headers(getFields.slice(2)),
      frame(0x21, hex('01')),
    ),
  )
  const soup = fc.array(scraps, { maxLength: 6 }).map((parts) => Buffer.concat(parts))
  const code = fc.constantFrom(0x10c, 0x100, 0)

  it('on a request stream end in events or in an HTTP/3 error, never in an exception', () => {
    fc.assert(
      fc.property(
        soup,
        places,
        fc.constantFrom('fin', 'reset', 'stop', 'open'),
        code,
        (bytes, at, ending, errorCode) => {
          const session = new Session('server')
          const stream = session.accept(0)
          for (const piece of cut(bytes, at)) stream.receive(piece)
          if (ending === 'fin') stream.receive(hex(''), true)
          if (ending === 'reset') stream.receiveReset(errorCode)
          if (ending === 'stop') stream.receiveStop(errorCode)
          for (const { stream: request } of session.requests) {
            if (!request.isHeadSent) request.respond(200, [], { body: Buffer.from('x'), end: true })
          }
          // A section ahead of the dynamic table: the stream waits for it.
          const isWaiting = session.h3.decoder.blockedStreams > 0
          stream.close('closed')
          if (session.error !== undefined) expect(session.error).toBeGreaterThanOrEqual(0x100)
          const isSettled =
            session.error !== undefined || stream.isEnded || stream.resetCode !== undefined || isWaiting
          expect(isSettled || ending === 'open' || stream.stopCode !== undefined).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('on a response or a unidirectional stream do no worse', () => {
    fc.assert(
      fc.property(soup, places, fc.constantFrom(0, 3, 7), fc.boolean(), (bytes, at, id, fin) => {
        const session = new Session('client')
        const recorder = new Recorder(session.h3.openRequest(getFields, false)!)
        const stream = id === 0 ? session.transport.streams.get(0)! : session.accept(id)
        const pieces = cut(bytes, at)
        pieces.forEach((piece, index) => {
          stream.receive(piece, fin && index === pieces.length - 1)
        })
        const known = session.error === undefined || (session.error >= 0x100 && session.error <= 0x202)
        expect(known).toBe(true)
        const isWaiting = session.h3.decoder.blockedStreams > 0
        if (id === 0 && fin && session.error === undefined && !isWaiting) {
          expect(recorder.log.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
