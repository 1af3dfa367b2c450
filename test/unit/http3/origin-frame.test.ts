// The ORIGIN frame (RFC 9412, RFC 8336): who reads it, at any split, and what is no origin.
import { describe, expect, it } from 'vitest'
import { extendOrigins } from '../../../src/client/origin-set.ts'
import { MAX_ORIGIN_PAYLOAD, MAX_ORIGINS } from '../../../src/http3/limits.ts'
import { encodeOriginFrame, parseOrigins } from '../../../src/http3/origin-frame.ts'
import { frame, get, hex, Session, varint } from './session.ts'

function entry(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length >>> 8, text.length & 0xff), Buffer.from(text, 'latin1')])
}

class Client extends Session {
  readonly origins: string[] = []

  constructor() {
    super('client')
    Object.assign(this.h3.events, { handleOrigins: (named: string[]) => this.origins.push(...named) })
  }
}

const both = ['https://a.example', 'https://b.example:8443']

describe('ORIGIN (RFC 9412 section 2)', () => {
  it('is encoded as the RFC draws it', () => {
    const bytes = Buffer.from(encodeOriginFrame(['https://a.example'])).toString('hex')
    expect(bytes).toBe(`0c130011${Buffer.from('https://a.example').toString('hex')}`)
    expect(Buffer.from(encodeOriginFrame([])).toString('hex')).toBe('0c00')
  })

  it.each([
    'http://a.example',
    'https://a.example/',
    'https://A.example',
    'a.example',
    'https://a.example:443',
    'x',
  ])('%s is not for a server to name', (origin) => {
    expect(() => encodeOriginFrame([origin])).toThrow(TypeError)
  })

  it('more than clients take are refused', () => {
    const many = Array.from({ length: 600 }, (_, index) => `https://${index}.example`)
    expect(() => encodeOriginFrame(many)).toThrow(RangeError)
  })

  it('is read by a client at every split', () => {
    const bytes = Buffer.concat([
      varint(0),
      frame(0x04, Buffer.alloc(0)),
      Buffer.from(encodeOriginFrame(both)),
    ])
    for (let at = 1; at < bytes.length; at++) {
      const client = new Client()
      const control = client.accept(3)
      control.receive(bytes.subarray(0, at))
      control.receive(bytes.subarray(at))
      expect([client.origins, client.error]).toEqual([both, undefined])
    }
  })

  it('entries that are no origins are left out, a truncated one is H3_FRAME_ERROR', () => {
    const payload = [
      'https://a.example',
      '',
      'null',
      'http://b.example',
      'https://c.example/path',
      'https://\u00fc.example',
    ]
    expect(parseOrigins(Buffer.concat(payload.map(entry)))).toEqual(['https://a.example'])
    for (const cut of [hex('00'), hex('0002'), hex('000261')]) {
      const client = new Client()
      client.control(frame(0x0c, cut))
      expect(client.error).toBe(0x106)
    }
  })

  it('on other streams, at servers, and when it is too long it is ignored (RFC 8336 section 2.1)', () => {
    const server = new Session('server')
    const origin = Buffer.from(encodeOriginFrame(both))
    server.control(origin)
    server.request(Buffer.concat([origin, get]))
    expect([server.error, server.requests.length]).toEqual([undefined, 1])
    const client = new Client()
    client.control(Buffer.concat([frame(0x0c, Buffer.alloc(MAX_ORIGIN_PAYLOAD + 1)), origin]))
    expect([client.error, client.origins]).toEqual([undefined, both])
  })

  it('a flood of them ends with H3_EXCESSIVE_LOAD', () => {
    const client = new Client()
    client.control(Buffer.concat(Array.from({ length: 1_100 }, () => Buffer.from(encodeOriginFrame([])))))
    expect(client.error).toBe(0x107)
  })
})

describe("a client's origin set (RFC 8336 section 2.3)", () => {
  it('begins with the origin of the connection and is bounded', () => {
    const origins = extendOrigins(undefined, 'a.example:443', ['https://b.example'])
    expect([...origins]).toEqual(['https://a.example', 'https://b.example'])
    const many = Array.from({ length: 1_000 }, (_, index) => `https://${index}.example`)
    expect(extendOrigins(origins, 'a.example', many)).toBe(origins)
    expect(origins.size).toBe(MAX_ORIGINS)
  })
})
