// What a redirect makes of a request (Fetch standard, HTTP-redirect fetch).
import { describe, expect, it } from 'vitest'
import { followRedirect, isRedirect, type RedirectedRequest } from '../../../src/client/redirect.ts'

const base = (more: Partial<RedirectedRequest> = {}): RedirectedRequest => ({
  method: 'POST',
  url: new URL('https://a.test/from?x#part'),
  headers: new Headers({
    authorization: 'secret',
    cookie: 'c=1',
    'proxy-authorization': 'p',
    'content-type': 'text/plain',
    'content-language': 'en',
    'x-own': 'kept',
  }),
  hasBody: true,
  ...more,
})

describe('followRedirect()', () => {
  it('turns POST into GET at 301 and 302, everything but GET and HEAD at 303, nothing at 307 and 308', () => {
    const methodAfter = (status: number, method: string) => {
      const next = followRedirect(base({ method }), status, '/to', true)
      return `${next.method}${next.hasBody ? ' with body' : ''}`
    }
    expect([301, 302, 303, 307, 308].map((status) => methodAfter(status, 'POST'))).toEqual([
      'GET',
      'GET',
      'GET',
      'POST with body',
      'POST with body',
    ])
    expect([301, 303].map((status) => methodAfter(status, 'PUT'))).toEqual(['PUT with body', 'GET'])
    expect(followRedirect(base({ method: 'HEAD', hasBody: false }), 303, '/to', true).method).toBe('HEAD')
  })

  it('drops the fields of a body that is dropped', () => {
    expect([...followRedirect(base(), 303, '/to', true).headers.keys()]).toEqual([
      'authorization',
      'cookie',
      'proxy-authorization',
      'x-own',
    ])
  })

  it.each(['https://b.test/', 'https://a.test:444/', 'http://a.test/'])(
    'takes no secrets along to %s',
    (location) => {
      const { headers } = followRedirect(base(), 307, location, true)
      expect([...headers.keys()]).toEqual(['content-language', 'content-type', 'x-own'])
    },
  )

  it('resolves the location, and keeps the fragment unless there is a new one (RFC 9110 section 10.2.2)', () => {
    expect(followRedirect(base(), 303, '../to', true).url.href).toBe('https://a.test/to#part')
    expect(followRedirect(base(), 303, '//b.test#new', true).url.href).toBe('https://b.test/#new')
  })

  it('goes nowhere but to http and https, and sends no stream twice', () => {
    for (const location of ['data:,x', 'file:///etc/passwd', 'https://[']) {
      expect(() => followRedirect(base(), 303, location, true)).toThrow(TypeError)
    }
    expect(() => followRedirect(base(), 307, '/to', false)).toThrow(TypeError)
    expect(followRedirect(base(), 303, '/to', false).hasBody).toBe(false)
  })

  it('is not asked at 300, 304 and the like', () => {
    expect([300, 301, 302, 303, 304, 305, 306, 307, 308].filter(isRedirect)).toEqual([
      301, 302, 303, 307, 308,
    ])
  })
})
