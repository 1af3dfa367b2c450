// Malformed messages, RFC 9114 sections 4.1.2 to 4.4: a stream error of type H3_MESSAGE_ERROR, in both directions.
import { describe, expect, it } from 'vitest'
import { data, frame, getFields, headers, hex, literalLine, post, postFields, Session } from './session.ts'

interface Verdict {
  requests: number
  reset: number | undefined
  stop: number | undefined
  connection: number | undefined
}

function judge(bytes: Uint8Array, fin = true, options = {}): Verdict {
  const session = new Session('server', options)
  const stream = session.request(bytes, fin)
  return {
    requests: session.requests.length,
    reset: stream.resetCode,
    stop: stream.stopCode,
    connection: session.error,
  }
}

const malformed: Verdict = { requests: 0, reset: 0x10e, stop: 0x10e, connection: undefined }
const accepted: Verdict = { requests: 1, reset: undefined, stop: undefined, connection: undefined }

/** HEADERS frame with the fields of a GET and more lines as raw literals, which no encoder of ours would write. */
function raw(...lines: [string, string][]): Buffer {
  const pseudo = headers(getFields).subarray(2)
  return frame(1, Buffer.concat([pseudo, ...lines.map(([name, value]) => literalLine(name, value))]))
}

function without(name: string): string[] {
  const index = getFields.indexOf(name)
  return getFields.toSpliced(index, 2)
}

function replaced(name: string, value: string): string[] {
  return getFields.with(getFields.indexOf(name) + 1, value)
}

describe('h3spec messages', () => {
  it.each([
    ['H2 duplicate :method', '0000d1d750093132372e302e302e31c1d1'],
    ['H3 no :authority', '0000d1d7c1'],
    [
      'H4 unknown pseudo-header fields',
      '0000d1d727023a6175746f72697479093132372e302e302e31c1243a666f6f03626172',
    ],
    [
      'H5 pseudo-header after a field',
      '0000d1d727023a6175746f72697479093132372e302e302e3123666f6f03626172c1',
    ],
  ])('%s is H3_MESSAGE_ERROR', (_, payload) => {
    expect(judge(frame(1, hex(payload)))).toEqual(malformed)
  })
})

describe('request pseudo-header fields (RFC 9114 section 4.3.1)', () => {
  it.each([
    ['no :method', without(':method')],
    ['no :scheme', without(':scheme')],
    ['no :path', without(':path')],
    ['duplicate :path', [...getFields, ':path', '/']],
    ['duplicate :scheme', [...getFields, ':scheme', 'https']],
    ['duplicate :authority', [...getFields, ':authority', 'a.example']],
    [':status in a request', [...getFields, ':status', '200']],
    ['empty :method', replaced(':method', '')],
    [':method with a space', replaced(':method', 'GE T')],
    ['empty :path', replaced(':path', '')],
    [':path without a slash', replaced(':path', 'x')],
    [':path with a space', replaced(':path', '/a b')],
    [':path with a fragment', replaced(':path', '/a#b')],
    [':path with NUL', replaced(':path', '/a\0')],
    [':path "*" for GET', replaced(':path', '*')],
    ['empty :authority', replaced(':authority', '')],
    [':authority with userinfo', replaced(':authority', 'u:p@a.example')],
    [':authority with a path', replaced(':authority', 'a.example/x')],
    ['empty :scheme', replaced(':scheme', '')],
    ['host that differs from :authority', [...getFields, 'host', 'b.example']],
    ['two hosts', [...without(':authority'), 'host', 'a.example', 'host', 'a.example']],
    ['empty host', [...without(':authority'), 'host', '']],
    ['host with userinfo', [...without(':authority'), 'host', 'u@a.example']],
    [':protocol that was not announced', [...replaced(':method', 'CONNECT'), ':protocol', 'webtransport']],
  ])('%s is malformed', (_, fields) => {
    expect(judge(headers(fields))).toEqual(malformed)
  })

  it.each([
    ['host equal to :authority', [...getFields, 'host', 'a.example']],
    ['host instead of :authority', [...without(':authority'), 'host', 'a.example']],
    ['OPTIONS *', replaced(':method', 'OPTIONS').with(7, '*')],
    ['other schemes without authority', [':method', 'GET', ':scheme', 'urn', ':path', 'x:y']],
    ['extension methods', replaced(':method', 'M-SEARCH')],
    ['ports and brackets', replaced(':authority', '[::1]:4433')],
  ])('%s is accepted', (_, fields) => {
    expect(judge(headers(fields))).toEqual(accepted)
  })

  it('takes the authority from host when it stands alone', () => {
    const session = new Session('server')
    session.request(headers([...without(':authority'), 'host', 'a.example']))
    expect(session.requests[0].stream.authority).toBe('a.example')
  })
})

describe('CONNECT (RFC 9114 section 4.4, RFC 9220 section 3)', () => {
  const connect = [':method', 'CONNECT', ':authority', 'a.example:443']

  it('needs :authority only', () => {
    expect(judge(headers(connect), false)).toEqual(accepted)
    expect(judge(headers([...connect, ':scheme', 'https']), false)).toEqual(malformed)
    expect(judge(headers([...connect, ':path', '/']), false)).toEqual(malformed)
    expect(judge(headers([':method', 'CONNECT']), false)).toEqual(malformed)
    expect(judge(headers([...connect, 'host', 'b.example']), false)).toEqual(malformed)
  })

  it('is followed by DATA frames only', () => {
    const verdict = judge(Buffer.concat([headers(connect), data('x'), headers(['a', 'b'])]), false)
    expect(verdict.connection).toBe(0x105)
  })

  it('takes :protocol when extended CONNECT was announced', () => {
    const options = { settings: { enableConnectProtocol: true } }
    const extended = [...replaced(':method', 'CONNECT'), ':protocol', 'webtransport']
    expect(judge(headers(extended), false, options)).toEqual(accepted)
    expect(judge(headers([...getFields, ':protocol', 'x']), false, options)).toEqual(malformed)
    expect(judge(headers([...connect, ':protocol', 'x']), false, options)).toEqual(malformed)
  })
})

describe('fields (RFC 9114 section 4.2)', () => {
  it.each([
    ['upper case', raw(['X-a', '1'])],
    ['empty name', raw(['', '1'])],
    ['space in a name', raw(['x a', '1'])],
    ['colon in a name', raw(['x:a', '1'])],
    ['control character in a name', raw(['x\r', '1'])],
    ['byte above ASCII in a name', raw(['x\xe4', '1'])],
    ['NUL in a value', raw(['x', 'a\0b'])],
    ['CR LF in a value', raw(['x', 'a\r\nb: c'])],
    ['DEL in a value', raw(['x', '\x7f'])],
    ['connection', raw(['connection', 'close'])],
    ['keep-alive', raw(['keep-alive', '5'])],
    ['proxy-connection', raw(['proxy-connection', 'close'])],
    ['transfer-encoding', raw(['transfer-encoding', 'chunked'])],
    ['upgrade', raw(['upgrade', 'h2c'])],
    ['TE other than trailers', raw(['te', 'gzip'])],
    ['content-length with a sign', raw(['content-length', '+0'])],
    ['content-length as a list', raw(['content-length', '0, 0'])],
    ['content-length twice', raw(['content-length', '0'], ['content-length', '0'])],
    ['content-length beyond every number', raw(['content-length', '99999999999999999999'])],
  ])('%s is malformed', (_, bytes) => {
    expect(judge(bytes)).toEqual(malformed)
  })

  it('accepts te: trailers, tabs, and latin1 values', () => {
    expect(judge(raw(['te', 'trailers'], ['x', 'a\tb'], ['y', 'k\xe4se'], ['__proto__', '1']))).toEqual(
      accepted,
    )
  })

  it('joins cookie crumbs (section 4.2.1)', () => {
    const session = new Session('server')
    session.request(headers([...getFields, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'cookie', 'c=3']))
    expect(session.requests[0].stream.headers).toEqual(['cookie', 'a=1; b=2; c=3', 'x', 'y'])
  })
})

describe('content-length (RFC 9114 section 4.1.2)', () => {
  const declared = (length: string) => headers([...postFields, 'content-length', length])

  it.each([
    ['too long', [declared('3'), data('four')]],
    ['too long in the second frame', [declared('3'), data('ab'), data('cd')]],
    ['too short', [declared('3'), data('ab')]],
    ['nothing but the end', [declared('3')]],
    ['too short before trailers', [declared('3'), data('ab'), headers(['x', 'y'])]],
  ])('body %s is malformed', (_, parts) => {
    const verdict = judge(Buffer.concat(parts))
    expect(verdict).toMatchObject({ reset: 0x10e, stop: 0x10e, connection: undefined })
  })

  it('passes nothing of a surplus on', () => {
    const session = new Session('server')
    session.request(Buffer.concat([declared('3'), data('four')]))
    expect(session.requests[0].text).toBe('')
    expect(session.requests[0].log).toEqual(['reset 10e local'])
  })

  it('tells nothing of trailers behind a body that is too short', () => {
    const session = new Session('server')
    session.request(Buffer.concat([declared('3'), data('ab'), headers(['x', 'y'])]))
    expect(session.requests[0].log).toEqual(['reset 10e local'])
  })

  it('accepts a body of the declared length in several frames', () => {
    const session = new Session('server')
    session.request(Buffer.concat([declared('4'), data('ab'), data('cd'), headers(['x', 'y'])]))
    expect(session.requests[0].text).toBe('abcd')
    expect(session.requests[0].log).toEqual(['trailers x|y', 'end'])
  })
})

describe('trailers (RFC 9114 section 4.3)', () => {
  it.each([
    ['pseudo-header fields', headers([':path', '/'])],
    [':status', headers([':status', '200'])],
    ['upper case', frame(1, Buffer.concat([hex('0000'), literalLine('X', '1')]))],
    ['connection-specific fields', headers(['connection', 'close'])],
    ['te', headers(['te', 'trailers'])],
    ['content-length', headers(['content-length', '0'])],
  ])('with %s are malformed', (_, trailers) => {
    const verdict = judge(Buffer.concat([post, data('x'), trailers]))
    expect(verdict).toMatchObject({ reset: 0x10e, stop: 0x10e, connection: undefined })
  })
})
