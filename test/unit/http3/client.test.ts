// The client role: requests, responses, GOAWAY. RFC 9114 sections 4.1, 4.3.2, 5.2.
import { describe, expect, it } from 'vitest'
import { framesOf } from './frames-of.ts'
import { data, frame, getFields, headers, hex, postFields, Recorder, Session, varint } from './session.ts'

function open(fields = getFields, hasBody = false, isReading = true) {
  const session = new Session('client')
  const request = session.h3.openRequest(fields, hasBody)!
  const recorder = new Recorder(request, isReading)
  const stream = session.transport.streams.get(request.id)!
  return { session, request, recorder, stream }
}

const ok = headers([':status', '200'])

describe('requests of a client (RFC 9114 section 4.1)', () => {
  it('sends the head and ends the stream when there is no body', () => {
    const { stream, request } = open()
    expect(framesOf(stream.output)).toEqual([`H ${getFields.join('|')}`])
    expect(stream.isEnded).toBe(true)
    expect(request.method).toBe('GET')
  })

  it('sends body and trailers', () => {
    const { stream, request } = open(postFields, true)
    request.write(Buffer.from('abc'))
    request.sendTrailers(['x', 'y'])
    request.end()
    expect(framesOf(stream.output)).toEqual([`H ${postFields.join('|')}`, 'D abc', 'H x|y'])
    expect([stream.isEnded, stream.stopCode]).toEqual([true, undefined])
  })

  it.each([
    [['GET']],
    [[':method', 'GET']],
    [[...getFields, 'connection', 'close']],
    [[...getFields, 'te', 'gzip']],
    [[...getFields, 'X', '1']],
    [[...getFields, 'x', 'a\nb']],
    [[...getFields, 'x', '\u20ac']],
    [['x', 'y', ...getFields]],
    [[':method', 'CONNECT', ':authority', 'a', ':protocol', 'websocket', ':scheme', 'https', ':path', '/']],
  ])('refuses %j with a TypeError and opens no stream', (fields) => {
    const session = new Session('client')
    expect(() => session.h3.openRequest(fields, false)).toThrow(TypeError)
    expect(session.transport.credit.bidi).toBe(100)
  })

  it('sends :protocol after the server announced extended CONNECT (RFC 9220 section 3)', () => {
    const fields = [
      ':method',
      'CONNECT',
      ':protocol',
      'x',
      ':scheme',
      'https',
      ':authority',
      'a',
      ':path',
      '/',
    ]
    const session = new Session('client')
    session.accept(3).receive(Buffer.concat([varint(0), frame(4, hex('0801'))]))
    const request = session.h3.openRequest(fields, true)!
    expect(framesOf(session.transport.streams.get(request.id)!.output)).toEqual([`H ${fields.join('|')}`])
  })

  it('returns undefined without stream credit and says when there is some again', () => {
    const session = new Session('client')
    session.transport.credit.bidi = 0
    expect(session.h3.openRequest(getFields, false)).toBeUndefined()
    session.h3.handleStreamCredit('bidi')
    expect(session.log).toEqual(['credit'])
  })
})

describe('responses at a client (RFC 9114 sections 4.1 and 4.3.2)', () => {
  it('delivers interim responses, head, body, trailers, end', () => {
    const { stream, recorder, request } = open()
    const early = headers([':status', '103', 'link', '<a>'])
    stream.receive(Buffer.concat([early, headers([':status', '200', 'etag', '1']), data('hi')]))
    stream.receive(headers(['x', 'y']), true)
    expect(recorder.log).toEqual(['informational 103 link|<a>', 'head 200 etag|1', 'trailers x|y', 'end'])
    expect(recorder.text).toBe('hi')
    expect([request.status, request.responseHeaders]).toEqual([200, ['etag', '1']])
  })

  it.each([
    ['no :status', headers(['x', 'y'])],
    [':status twice', headers([':status', '200', ':status', '200'])],
    [':status of two digits', headers([':status', '20'])],
    [':status with letters', headers([':status', '2x0'])],
    [':status 101 (section 4.5)', headers([':status', '101'])],
    [':status 600', headers([':status', '600'])],
    [':path in a response', headers([':status', '200', ':path', '/'])],
    [':status after a field', headers(['x', 'y', ':status', '200'])],
    ['connection-specific fields', headers([':status', '200', 'connection', 'close'])],
    ['te', headers([':status', '200', 'te', 'trailers'])],
    ['no final response', headers([':status', '103'])],
    ['nothing', Buffer.alloc(0)],
    [
      'a body that is too short',
      Buffer.concat([headers([':status', '200', 'content-length', '3']), data('ab')]),
    ],
    [
      'a body that is too long',
      Buffer.concat([headers([':status', '200', 'content-length', '3']), data('abcd')]),
    ],
    ['a second final response', Buffer.concat([ok, headers([':status', '200'])])],
    ['content in a 204', Buffer.concat([headers([':status', '204']), data('x')])],
  ])('%s is malformed: H3_MESSAGE_ERROR', (_, bytes) => {
    const { session, stream, recorder } = open()
    stream.receive(bytes, true)
    expect(recorder.log.at(-1)).toBe('reset 10e local')
    expect([stream.resetCode, session.error]).toEqual([0x10e, undefined])
  })

  it('a response to HEAD, and 304, may declare a length without content', () => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '304'],
    ]) {
      const { stream, recorder } = open([':method', method, ...getFields.slice(2)])
      stream.receive(headers([':status', status, 'content-length', '99']), true)
      expect(recorder.log).toEqual([`head ${status} content-length|99`, 'end'])
    }
  })

  it('content in a response to HEAD is malformed', () => {
    const { stream, recorder } = open([':method', 'HEAD', ...getFields.slice(2)])
    stream.receive(Buffer.concat([ok, data('x')]), true)
    expect(recorder.log).toEqual(['head 200 ', 'reset 10e local'])
  })

  it('early response with STOP_SENDING(H3_NO_ERROR) is used (section 4.1)', () => {
    const { stream, recorder, request } = open(postFields, true)
    stream.receive(Buffer.concat([ok, data('done')]), true)
    stream.receiveStop(0x100)
    expect(request.write(Buffer.from('more'))).toBe(false)
    expect(recorder.text).toBe('done')
    expect(recorder.log).toEqual(['head 200 ', 'end', 'stop 100'])
  })

  it('keeps the last bytes when the stream is gone before they are read', () => {
    const { stream, recorder, session } = open(getFields, false, false)
    stream.receive(Buffer.concat([ok, data('late')]), true)
    stream.close('closed')
    expect(recorder.log).toEqual(['head 200 '])
    expect(session.h3.lingering.size).toBe(1)
    recorder.read()
    expect(recorder.text).toBe('late')
    expect(recorder.log).toEqual(['head 200 ', 'end', 'closed closed'])
    expect(session.h3.lingering.size).toBe(0)
  })

  it('tells of the close last, even when the read of the last bytes brings it', () => {
    for (const isReading of [true, false]) {
      const { stream, recorder } = open(getFields, false, isReading)
      stream.closesWhenRead = true
      stream.receive(Buffer.concat([ok, data('ab'), data('cd'), headers(['x', 'y'])]), true)
      recorder.read()
      expect(recorder.text).toBe('abcd')
      expect(recorder.log).toEqual(['head 200 ', 'trailers x|y', 'end', 'closed closed'])
    }
  })

  it('forgets unread bytes when the connection is gone', () => {
    const { stream, recorder, session } = open(getFields, false, false)
    stream.receive(Buffer.concat([ok, data('late')]), true)
    stream.close('closed')
    session.h3.handleClosed()
    expect(recorder.log).toEqual(['head 200 ', 'closed closed'])
    expect(session.h3.lingering.size).toBe(0)
    expect(session.log).toEqual(['closed'])
  })
})

describe('GOAWAY at a client (RFC 9114 section 5.2)', () => {
  it('rejects the requests from its ID on and opens no more', () => {
    const session = new Session('client')
    const [first, second] = [0, 4].map(() => new Recorder(session.h3.openRequest(getFields, false)!))
    session.control(frame(7, varint(4)))
    expect(first.log).toEqual([])
    expect(second.log).toEqual(['reset 10b local'])
    expect(session.transport.streams.get(4)?.resetCode).toBe(0x10c)
    expect(session.h3.openRequest(getFields, false)).toBeUndefined()
    expect(session.log).toEqual(['settings Infinity', 'goaway 4'])
  })

  it('takes 2^62-4 and then smaller IDs', () => {
    const session = new Session('client')
    session.control(
      Buffer.concat([frame(7, hex('fffffffffffffffc')), frame(7, varint(8)), frame(7, varint(8))]),
    )
    expect(session.error).toBeUndefined()
    expect(session.h3.isDraining).toBe(true)
  })

  it.each([
    ['an ID that increases', Buffer.concat([frame(7, varint(4)), frame(7, varint(8))])],
    ['the ID of another kind of stream', frame(7, varint(5))],
    ['2^62-1', frame(7, hex('ffffffffffffffff'))],
  ])('%s is H3_ID_ERROR', (_, bytes) => {
    const session = new Session('client')
    session.control(bytes)
    expect(session.error).toBe(0x108)
  })
})
