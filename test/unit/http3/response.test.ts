// Sending a response: frames, content-length, messages without content, refused fields. RFC 9114 sections 4.1 to 4.3.
import { describe, expect, it } from 'vitest'
import { framesOf } from './frames-of.ts'
import { data, get, getFields, headers, postFields, Recorder, Session } from './session.ts'

function exchange(fields = getFields) {
  const session = new Session('server')
  const stream = session.request(headers(fields))
  return { session, stream, request: session.requests[0].stream, log: session.requests[0].log }
}

const text = (value: string) => Buffer.from(value, 'latin1')

describe('response frames (RFC 9114 section 4.1)', () => {
  it('sends interim responses, head, body and trailers in order', () => {
    const { stream, request } = exchange()
    request.sendInformational(103, ['link', '</a.css>'])
    request.respond(200, ['content-type', 'text/html; charset=utf-8'])
    request.write(text('hello '))
    request.write(text('world'))
    request.sendTrailers(['x-sum', 'ok'])
    request.end()
    expect(framesOf(stream.output)).toEqual([
      'H :status|103|link|</a.css>',
      'H :status|200|content-type|text/html; charset=utf-8',
      'D hello ',
      'D world',
      'H x-sum|ok',
    ])
    expect(stream.isEnded).toBe(true)
  })

  it('opens one DATA frame for a body of declared length: chunks are passed on as they are', () => {
    const { stream, request } = exchange()
    const chunk = text('x'.repeat(5000))
    request.respond(200, ['content-length', '10000'])
    request.write(chunk)
    request.write(chunk)
    request.end()
    expect(stream.written.length).toBe(3)
    expect(stream.written[1]).toBe(chunk)
    expect(framesOf(stream.output)).toEqual([`H :status|200|content-length|10000`, `D ${'x'.repeat(10_000)}`])
  })

  it('passes large chunks on by reference behind a frame header, and copies small ones behind theirs', () => {
    const { stream, request } = exchange()
    const large = text('L'.repeat(4097))
    request.respond(200, [], { body: large })
    request.write(large)
    request.write(text('S'.repeat(4096)))
    expect(stream.written.map((chunk) => chunk === large)).toEqual([false, true, false, true, false])
    expect(framesOf(stream.output).slice(1)).toEqual([`D ${large}`, `D ${large}`, `D ${'S'.repeat(4096)}`])
  })

  it('codes every status: indexed, by name reference', () => {
    for (const status of [200, 304, 404, 431, 503, 599]) {
      const { stream, request } = exchange()
      request.respond(status, [])
      expect(framesOf(stream.output)).toEqual([`H :status|${status}`])
    }
  })

  it('sends heads with long fields', () => {
    const { stream, request } = exchange()
    const value = '~'.repeat(20_000)
    request.respond(200, ['x-long', value])
    expect(framesOf(stream.output)).toEqual([`H :status|200|x-long|${value}`])
  })

  it('never changes a piece that was given to the stream', () => {
    const pieces: { piece: Uint8Array; copy: string }[] = []
    for (let round = 0; round < 400; round++) {
      const { stream, request } = exchange()
      request.respond(200, ['x-round', String(round)], { body: text(`body ${round}`), end: true })
      pieces.push({ piece: stream.written[0], copy: stream.output.toString('hex') })
    }
    for (const { piece, copy } of pieces) expect(Buffer.from(piece).toString('hex')).toBe(copy)
  })
})

describe('messages without content (RFC 9110 section 6.4.1)', () => {
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s %d: the body is counted, not sent', (method, status) => {
    const { stream, request } = exchange([':method', method, ...getFields.slice(2)])
    request.respond(status, ['x', 'y'], { body: text('abc') })
    expect(request.write(text('defg'))).toBe(true)
    request.sendTrailers(['x', 'y'])
    request.end()
    expect(request.bodyBytesWritten).toBe(7)
    expect(framesOf(stream.output)).toEqual([`H :status|${status}|x|y`])
    expect(stream.isEnded).toBe(true)
  })

  it('keeps content-length for HEAD, drops it for 204 (RFC 9110 section 8.6)', () => {
    const head = exchange([':method', 'HEAD', ...getFields.slice(2)])
    head.request.respond(200, ['content-length', '9'], { end: true })
    expect(framesOf(head.stream.output)).toEqual(['H :status|200|content-length|9'])
    const empty = exchange()
    empty.request.respond(204, ['content-length', '0'], { end: true })
    expect(framesOf(empty.stream.output)).toEqual(['H :status|204'])
  })
})

describe('our own content-length (RFC 9114 section 4.1.2)', () => {
  it.each([
    ['more', '3', ['four'], false],
    ['more in the second chunk', '3', ['ab', 'cd'], false],
    ['less', '3', ['ab'], true],
    ['none', '3', [], true],
  ])('%s than declared resets the stream with H3_INTERNAL_ERROR', (_, length, chunks, ends) => {
    const session = new Session('server')
    const stream = session.request(headers(postFields), false)
    const request = session.requests[0].stream
    request.respond(200, ['content-length', length])
    const results = chunks.map((chunk) => request.write(text(chunk)))
    if (ends) request.end()
    else expect(results.at(-1)).toBe(false)
    expect([stream.resetCode, stream.stopCode, stream.isEnded]).toEqual([0x102, 0x102, false])
    expect(request.isEnded).toBe(true)
  })

  it('a body given with the head is checked too', () => {
    const { stream, request } = exchange()
    request.respond(200, ['content-length', '1'], { body: text('ab'), end: true })
    expect([stream.resetCode, stream.isEnded]).toEqual([0x102, false])
  })

  it('trailers before the declared length reset the stream', () => {
    const { stream, request } = exchange()
    request.respond(200, ['content-length', '3'])
    request.sendTrailers([])
    expect(stream.resetCode).toBe(0x102)
  })
})

describe('what a handler must not send is a TypeError, and nothing is sent (RFC 9114 section 4.2)', () => {
  it.each([
    [['connection', 'close']],
    [['keep-alive', '1']],
    [['proxy-connection', 'x']],
    [['transfer-encoding', 'chunked']],
    [['upgrade', 'h2c']],
    [['te', 'trailers']],
    [[':status', '200']],
    [[':path', '/']],
    [['X-Upper', '1']],
    [['x y', '1']],
    [['', '1']],
    [['x\u0100', '1']],
    [['x', 'a\r\nset-cookie: b']],
    [['x', 'a\0']],
    [['location', '/\n']],
    [['x', '\u20ac']],
    [['content-length', '1x']],
    [['content-length', '1', 'content-length', '1']],
    [['x']],
    [['x', 1 as unknown as string]],
  ])('%j', (fields) => {
    const { stream, request } = exchange()
    expect(() => request.respond(200, fields)).toThrow(TypeError)
    expect(stream.written.length).toBe(0)
    request.respond(200, ['x', 'y'])
    expect(framesOf(stream.output)).toEqual(['H :status|200|x|y'])
  })

  it('wrong status codes', () => {
    const { request } = exchange()
    for (const status of [0, 99, 100, 199, 600, 200.5, Number.NaN, '200' as unknown as number]) {
      expect(() => request.respond(status, [])).toThrow(TypeError)
    }
    for (const status of [99, 101, 200])
      expect(() => request.sendInformational(status, [])).toThrow(TypeError)
  })

  it('calls out of order', () => {
    const { request } = exchange()
    expect(() => request.write(text('x'))).toThrow(TypeError)
    expect(() => request.end()).toThrow(TypeError)
    request.respond(200, [])
    expect(() => request.respond(200, [])).toThrow(TypeError)
    expect(() => request.sendInformational(103, [])).toThrow(TypeError)
    request.sendTrailers([])
    expect(() => request.write(text('x'))).toThrow(TypeError)
    expect(() => request.sendTrailers(['x', 'y'])).toThrow(TypeError)
  })

  it('a section larger than the peer accepts is a RangeError (section 4.2.2)', () => {
    const { session, request } = exchange()
    session.h3.handleSettings({ ...session.h3.peerSettings, maxFieldSectionSize: 40 })
    expect(() => request.respond(200, ['abc', 'defghi'])).toThrow(RangeError)
    request.respond(200, ['abc', 'defgh'])
  })
})

describe('ends that the peer brings', () => {
  it('a reset request is told once, and counts as read', () => {
    const session = new Session('server')
    session.onRequest = (stream) => session.requests.push(new Recorder(stream, false))
    const stream = session.request(Buffer.concat([headers(postFields), data('x')]), false)
    stream.receiveReset(0x10c)
    const [{ log, stream: request }] = session.requests
    expect(log).toEqual(['reset 10c'])
    expect(request.readBody()).toBeUndefined()
    request.reset()
    expect([stream.resetCode, stream.stopCode]).toEqual([0x10c, undefined])
    stream.close('reset')
    expect(log).toEqual(['reset 10c', 'closed reset'])
  })

  it('a request reset before its head is rejected (section 4.1.1)', () => {
    const session = new Session('server')
    const stream = session.request(get.subarray(0, 4), false)
    stream.receiveReset(0x10c)
    expect([stream.resetCode, session.requests.length]).toEqual([0x10b, 0])
  })

  it('after STOP_SENDING writes do nothing', () => {
    const { stream, request, log } = exchange()
    request.respond(200, [])
    stream.receiveStop(0x10c)
    expect(log.at(-1)).toBe('stop 10c')
    expect(request.write(text('x'))).toBe(false)
    request.sendTrailers([])
    request.end()
    request.respond(200, [])
    expect(stream.isEnded).toBe(false)
  })

  it('STOP_SENDING before the head abandons the request', () => {
    const session = new Session('server')
    const stream = session.request(get.subarray(0, 4), false)
    stream.receiveStop(0x10c)
    expect(stream.stopCode).toBe(0x10c)
  })

  it('reset() abandons both directions with one code', () => {
    const session = new Session('server')
    const stream = session.request(headers(postFields), false)
    session.requests[0].stream.reset(0x102)
    expect([stream.resetCode, stream.stopCode]).toEqual([0x102, 0x102])
  })

  it('passes on when writing may go on', () => {
    const { stream, request, log } = exchange()
    stream.isOpen = false
    expect(request.respond(200, [])).toBe(false)
    stream.application?.handleWritable(stream.asStream)
    expect(log.at(-1)).toBe('writable')
  })
})
