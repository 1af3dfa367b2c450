// Request streams at the server: the way from frames to events and back, RFC 9114 section 4.1.
import { describe, expect, it } from 'vitest'
import { data, frame, get, headers, post, postFields, Recorder, Session } from './session.ts'

describe('requests at a server (RFC 9114 section 4.1)', () => {
  it('delivers the head of a request without body and its end', () => {
    const session = new Session('server')
    session.request(get)
    const [request] = session.requests
    expect(request.stream.method).toBe('GET')
    expect(request.stream.authority).toBe('a.example')
    expect(request.stream.path).toBe('/')
    expect(request.log).toEqual(['end'])
    expect(request.stream.isBodyComplete).toBe(true)
  })

  it('delivers the body and the trailers in order', () => {
    const session = new Session('server')
    session.request(Buffer.concat([post, data('hel'), data('lo'), headers(['x-sum', '1'])]))
    expect(session.requests[0].text).toBe('hello')
    expect(session.requests[0].log).toEqual(['trailers x-sum|1', 'end'])
  })

  it('keeps what a reader leaves, although the transport lends its bytes only for the call', () => {
    const session = new Session('server')
    session.onRequest = (stream) => session.requests.push(new Recorder(stream, false))
    const stream = session.request(Buffer.concat([post, data('one'), data('two')]))
    const [request] = session.requests
    expect(request.log).toEqual([])
    request.read()
    expect(request.text).toBe('onetwo')
    expect(request.log).toEqual(['end'])
    expect(stream.stopCode).toBeUndefined()
  })

  it('offers the body again to a reader that takes one piece per call', () => {
    const session = new Session('server')
    session.onRequest = (stream) => {
      const recorder = new Recorder(stream, false)
      recorder.handleBodyReadable = () => recorder.body.push(Buffer.from(stream.readBody()!))
      session.requests.push(recorder)
    }
    session.request(Buffer.concat([post, data('one'), data('two'), headers(['x', 'y'])]))
    expect(session.requests[0].text).toBe('onetwo')
    expect(session.requests[0].log).toEqual(['trailers x|y', 'end'])
  })

  it('leaves unread body bytes in the stream, which closes the window (RFC 9000 section 4.1)', () => {
    const session = new Session('server')
    session.onRequest = (stream) => session.requests.push(new Recorder(stream, false))
    const stream = session.request(Buffer.concat([post, frame(0, Buffer.alloc(3000)).subarray(0, 50)]), false)
    stream.receive(Buffer.alloc(1000))
    stream.receive(Buffer.alloc(1000))
    expect(stream.readableBytes).toBe(2000)
  })

  it('sends head and small body in one write', () => {
    const session = new Session('server')
    const stream = session.request(get)
    session.requests[0].stream.respond(200, ['content-type', 'text/plain'], {
      body: Buffer.from('ok'),
      end: true,
    })
    expect(stream.written.length).toBe(1)
    expect(stream.isEnded).toBe(true)
    expect(stream.output.subarray(-4).toString('hex')).toBe('00026f6b')
    expect(stream.stopCode).toBeUndefined()
  })

  it('stops an unfinished request body with H3_NO_ERROR after a complete response', () => {
    const session = new Session('server')
    const stream = session.request(headers([...postFields, 'content-length', '10']), false)
    session.requests[0].stream.respond(200, [], { end: true })
    expect(stream.isEnded).toBe(true)
    expect(stream.stopCode).toBe(0x100)
    expect(stream.resetCode).toBeUndefined()
  })

  it('does not stop a request that only lacks its FIN: the h3 crate then drops the response', () => {
    const session = new Session('server')
    const stream = session.request(get, false)
    session.requests[0].stream.respond(200, [], { body: Buffer.from('ok'), end: true })
    expect([stream.isEnded, stream.stopCode]).toEqual([true, undefined])
    stream.receive(new Uint8Array(0), true)
    expect([stream.stopCode, stream.resetCode]).toEqual([undefined, undefined])
    expect(session.requests[0].stream.isBodyComplete).toBe(true)
  })

  it('a body that is complete but for its FIN is not stopped either', () => {
    const session = new Session('server')
    const stream = session.request(Buffer.concat([post, data('hello')]), false)
    session.requests[0].stream.respond(200, [], { end: true })
    expect(stream.stopCode).toBeUndefined()
    stream.receive(new Uint8Array(0), true)
    expect(stream.stopCode).toBeUndefined()
  })

  it('a reset of a request that was answered already is nobody’s news', () => {
    const session = new Session('server')
    const stream = session.request(get, false)
    session.requests[0].stream.respond(200, [], { end: true })
    stream.receiveReset(0x10c)
    expect(session.requests[0].log).toEqual([])
    expect(stream.resetCode).toBeUndefined()
  })

  it('stops a body without declared length when more of it arrives after the response', () => {
    const session = new Session('server')
    const stream = session.request(Buffer.concat([post, data('hel')]), false)
    session.requests[0].stream.respond(200, [], { end: true })
    stream.receive(data('lo'))
    expect([stream.stopCode, stream.resetCode]).toEqual([0x100, undefined])
  })

  it('stops a body in the middle of a DATA frame', () => {
    const session = new Session('server')
    const stream = session.request(Buffer.concat([post, frame(0, Buffer.alloc(3000)).subarray(0, 50)]), false)
    session.requests[0].stream.respond(200, [], { end: true })
    expect(stream.stopCode).toBe(0x100)
  })

  it('a request that breaks the rules after its response is refused all the same', () => {
    const session = new Session('server')
    const stream = session.request(get, false)
    session.requests[0].stream.respond(200, [], { end: true })
    stream.receive(frame(3, Buffer.from([0])))
    expect(session.error).toBe(0x105)
  })
})
