// Which frames may appear where, and how streams may end: RFC 9114 sections 4.1, 6.2, 7.1, 7.2, with the h3spec cases.
import { describe, expect, it } from 'vitest'
import { data, frame, get, headers, hex, post, Session, varint } from './session.ts'

function onRequest(bytes: Uint8Array, role: 'server' | 'client' = 'server', fin = false): number | undefined {
  const session = new Session(role)
  if (role === 'server') session.request(bytes, fin)
  else {
    session.h3.openRequest([':method', 'GET', ':scheme', 'https', ':authority', 'a', ':path', '/'], false)
    session.transport.streams.get(0)!.receive(bytes, fin)
  }
  return session.error
}

function onControl(bytes: Uint8Array, role: 'server' | 'client' = 'server'): number | undefined {
  const session = new Session(role)
  session.control(bytes)
  return session.error
}

const grease = frame(0x21, Buffer.from('anything'))

describe('request streams (RFC 9114 sections 4.1 and 7.2)', () => {
  it.each([
    ['H1 DATA before HEADERS', Buffer.concat([frame(0, Buffer.alloc(0)), get])],
    ['DATA after trailers', Buffer.concat([post, headers(['x', 'y']), data('z')])],
    ['HEADERS after trailers', Buffer.concat([post, headers(['x', 'y']), headers(['x', 'y'])])],
    ['SETTINGS', Buffer.concat([get, frame(4, Buffer.alloc(0))])],
    ['GOAWAY', Buffer.concat([get, frame(7, varint(0))])],
    ['MAX_PUSH_ID', Buffer.concat([get, frame(0x0d, varint(0))])],
    ['H11 CANCEL_PUSH', Buffer.concat([frame(3, Buffer.alloc(0)), get])],
    ['PUSH_PROMISE of a client', Buffer.concat([get, frame(5, hex('000000'))])],
    ['PRIORITY_UPDATE (RFC 9218 section 7.2)', frame(0xf0700, varint(0))],
    ['HTTP/2 PRIORITY', frame(2, Buffer.alloc(5))],
    ['HTTP/2 PING', frame(6, Buffer.alloc(8))],
    ['HTTP/2 WINDOW_UPDATE', frame(8, Buffer.alloc(4))],
    ['HTTP/2 CONTINUATION', frame(9, Buffer.alloc(0))],
  ])('%s at a server is H3_FRAME_UNEXPECTED', (_, bytes) => {
    expect(onRequest(bytes)).toBe(0x105)
  })

  it('PUSH_PROMISE at a client that allowed no push is H3_ID_ERROR (section 7.2.5)', () => {
    expect(onRequest(frame(5, hex('000000')), 'client')).toBe(0x108)
    expect(onRequest(frame(5, hex('')), 'client')).toBe(0x106)
  })

  it('DATA between an interim and the final response is H3_FRAME_UNEXPECTED (section 4.1)', () => {
    expect(onRequest(Buffer.concat([headers([':status', '103']), data('x')]), 'client')).toBe(0x105)
  })

  it('unknown frames are skipped everywhere (section 9)', () => {
    const session = new Session('server')
    session.request(Buffer.concat([grease, post, grease, data('a'), grease, headers(['x', 'y']), grease]))
    expect(session.requests[0].text).toBe('a')
    expect(session.requests[0].log).toEqual(['trailers x|y', 'end'])
  })

  it.each([
    ['type only', hex('01')],
    ['half a type', hex('40')],
    ['HEADERS cut', get.subarray(0, get.length - 1)],
    ['DATA cut', Buffer.concat([post, hex('000561')])],
    ['DATA without a byte of payload', Buffer.concat([post, hex('0005')])],
    ['unknown frame cut', Buffer.concat([get, hex('210561')])],
  ])('a frame truncated by the FIN is H3_FRAME_ERROR: %s (section 7.1)', (_, bytes) => {
    expect(onRequest(bytes, 'server', true)).toBe(0x106)
  })

  it('a stream without a request is reset with H3_REQUEST_INCOMPLETE (section 4.1)', () => {
    for (const bytes of [Buffer.alloc(0), grease]) {
      const session = new Session('server')
      const stream = session.request(bytes)
      expect([session.error, stream.resetCode]).toEqual([undefined, 0x10d])
    }
  })

  it('H12 invalid static index is QPACK_DECOMPRESSION_FAILED', () => {
    expect(onRequest(frame(1, hex('0000d1d750093132372e302e302e31c1ff24')))).toBe(0x200)
  })

  it('an empty HEADERS frame has no section prefix and is QPACK_DECOMPRESSION_FAILED', () => {
    expect(onRequest(frame(1, hex('')))).toBe(0x200)
  })
})

describe('control stream (RFC 9114 section 6.2.1)', () => {
  it.each([
    ['H6 MAX_PUSH_ID first', frame(0x0d, varint(1))],
    ['a reserved type first (section 9)', grease],
    ['DATA first', data('x')],
  ])('%s is H3_MISSING_SETTINGS', (_, bytes) => {
    const session = new Session('server')
    session.accept(2).receive(Buffer.concat([varint(0), bytes]))
    expect(session.error).toBe(0x10a)
  })

  it.each([
    ['H7 DATA', frame(0, Buffer.alloc(0))],
    ['H8 HEADERS', frame(1, Buffer.alloc(0))],
    ['H9 second SETTINGS', frame(4, Buffer.alloc(0))],
    ['PUSH_PROMISE', frame(5, hex('00'))],
    ['HTTP/2 frame types', frame(6, hex('00'))],
  ])('%s is H3_FRAME_UNEXPECTED', (_, bytes) => {
    expect(onControl(bytes)).toBe(0x105)
    expect(onControl(bytes, 'client')).toBe(0x105)
  })

  it('MAX_PUSH_ID and PRIORITY_UPDATE of a server are H3_FRAME_UNEXPECTED (RFC 9114 7.2.7, RFC 9218 7.2)', () => {
    expect(onControl(frame(0x0d, varint(1)), 'client')).toBe(0x105)
    expect(onControl(frame(0xf0700, varint(0)), 'client')).toBe(0x105)
  })

  it('unknown frames are skipped at any length', () => {
    expect(
      onControl(Buffer.concat([frame(0x21, Buffer.alloc(40_000)), frame(0x0d, varint(1))])),
    ).toBeUndefined()
  })

  it('H10 HTTP/2 settings and H16 repeated ones are H3_SETTINGS_ERROR (section 7.2.4)', () => {
    for (const payload of [
      '0740640240c80150000680008000',
      '0740640150000680008000074064',
      '0001',
      '0801',
      '0802',
    ]) {
      const session = new Session('server')
      session.accept(2).receive(Buffer.concat([varint(0), frame(4, hex(payload))]))
      expect([payload, session.error]).toEqual([payload, payload === '0801' ? undefined : 0x109])
    }
  })

  it('truncated SETTINGS are H3_FRAME_ERROR, large ones H3_EXCESSIVE_LOAD', () => {
    for (const [payload, code] of [
      [hex('06'), 0x106],
      [hex('0640'), 0x106],
      [Buffer.alloc(257, 0x21), 0x107],
    ] as const) {
      const session = new Session('server')
      session.accept(2).receive(Buffer.concat([varint(0), frame(4, payload)]))
      expect(session.error).toBe(code)
    }
  })

  it.each([
    ['GOAWAY without identifier', frame(7, hex('')), 0x106],
    ['GOAWAY with a cut identifier', frame(7, hex('40')), 0x106],
    ['GOAWAY with more bytes', frame(7, hex('0000')), 0x106],
    ['MAX_PUSH_ID of nine bytes', frame(0x0d, Buffer.alloc(9)), 0x106],
    [
      'MAX_PUSH_ID that decreases (section 7.2.7)',
      Buffer.concat([frame(0x0d, varint(5)), frame(0x0d, varint(4))]),
      0x108,
    ],
    ['CANCEL_PUSH for a push never promised (section 7.2.3)', frame(3, varint(0)), 0x108],
    ['PRIORITY_UPDATE for another kind of stream', frame(0xf0700, varint(2)), 0x108],
    ['PRIORITY_UPDATE for a push', frame(0xf0701, varint(0)), 0x108],
    ['PRIORITY_UPDATE of 257 bytes', frame(0xf0700, Buffer.alloc(257)), 0x107],
  ])('%s', (_, bytes, code) => {
    expect(onControl(bytes)).toBe(code)
  })

  it('takes PRIORITY_UPDATE for a request that is not open yet (RFC 9218 section 7.2)', () => {
    expect(onControl(frame(0xf0700, Buffer.concat([varint(4), Buffer.from('u=1, i')])))).toBeUndefined()
  })
})

describe('unidirectional streams (RFC 9114 section 6.2)', () => {
  it.each([
    ['control', varint(0)],
    ['QPACK encoder', varint(2)],
    ['QPACK decoder', varint(3)],
  ])('a second %s stream is H3_STREAM_CREATION_ERROR', (_, type) => {
    const session = new Session('server')
    session.accept(2).receive(type)
    session.accept(6).receive(type)
    expect(session.error).toBe(0x103)
  })

  it.each([
    ['control', varint(0)],
    ['QPACK encoder', varint(2)],
    ['QPACK decoder', varint(3)],
  ])(
    'H14 the end or reset of the %s stream is H3_CLOSED_CRITICAL_STREAM, right after the type too',
    (_, type) => {
      const ended = new Session('server')
      ended.accept(2).receive(type, true)
      expect(ended.error).toBe(0x104)
      const reset = new Session('server')
      const stream = reset.accept(2)
      stream.receive(type)
      stream.receiveReset(0x100)
      expect(reset.error).toBe(0x104)
    },
  )

  it('STOP_SENDING for one of our critical streams is H3_CLOSED_CRITICAL_STREAM', () => {
    for (const id of [3, 7, 11]) {
      const session = new Session('server')
      session.transport.streams.get(id)!.receiveStop(0x100)
      expect(session.error).toBe(0x104)
    }
  })

  it('a stream may end or be reset before its type is known', () => {
    const session = new Session('server')
    session.accept(2).receive(Buffer.alloc(0), true)
    session.accept(6).receive(hex('40'), true)
    session.accept(10).receiveReset(0)
    expect(session.error).toBeUndefined()
  })

  it('unknown types are stopped with H3_STREAM_CREATION_ERROR and are no connection error', () => {
    const session = new Session('server')
    const stream = session.accept(2)
    stream.receive(hex('40'))
    stream.receive(hex('21616263'))
    stream.receiveReset(0)
    expect(stream.stopCode).toBe(0x103)
    expect(session.error).toBeUndefined()
  })

  it('a push stream is H3_STREAM_CREATION_ERROR at a server, H3_ID_ERROR at a client that allowed none', () => {
    const server = new Session('server')
    server.accept(2).receive(varint(1))
    expect(server.error).toBe(0x103)
    const client = new Session('client')
    const stream = client.accept(3)
    stream.receive(varint(1))
    expect(client.error).toBeUndefined()
    stream.receive(varint(0))
    expect(client.error).toBe(0x108)
  })

  it('a bidirectional stream of a server is H3_STREAM_CREATION_ERROR (section 6.1)', () => {
    const client = new Session('client')
    client.accept(1)
    expect(client.error).toBe(0x103)
  })

  it('H13 and H15: errors of the QPACK streams carry their own codes', () => {
    const encoder = new Session('server')
    encoder.accept(2).receive(hex('023fe1c7afa025'))
    expect(encoder.error).toBe(0x201)
    const decoder = new Session('server')
    decoder.accept(2).receive(hex('0300'))
    expect(decoder.error).toBe(0x202)
  })

  it('only the first error is reported', () => {
    const session = new Session('server')
    session.accept(2).receive(varint(0), true)
    session.accept(6).receive(varint(0))
    expect(session.error).toBe(0x104)
  })
})
