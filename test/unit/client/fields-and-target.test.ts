// What a caller writes (URL, headers) against what HTTP/3 gets.
import { describe, expect, it } from 'vitest'
import { firstField, flattenHeaders, toHeaders } from '../../../src/client/fields.ts'
import { parseTarget } from '../../../src/client/request-target.ts'

describe('request target', () => {
  it('gives :authority without the default port and :path with the query (RFC 9114 section 4.3.1)', () => {
    expect(parseTarget('https://example.org:443/a?b=c#d')).toEqual({
      host: 'example.org',
      port: 443,
      authority: 'example.org',
      path: '/a?b=c',
    })
    expect(parseTarget('https://localhost:4433')).toEqual({
      host: 'localhost',
      port: 4433,
      authority: 'localhost:4433',
      path: '/',
    })
  })

  it('takes the brackets off an IPv6 host but leaves them in :authority', () => {
    expect(parseTarget('https://[::1]:4433/')).toMatchObject({ host: '::1', authority: '[::1]:4433' })
  })

  it('refuses other schemes', () => {
    expect(() => parseTarget('http://localhost/')).toThrow(TypeError)
  })
})

describe('request headers', () => {
  it('are lower-case, in order, without connection-specific ones (RFC 9114 section 4.2)', () => {
    const given: [string, string][] = [
      ['X-A', '1'],
      ['Connection', 'close'],
      ['Host', 'x'],
      ['x-a', '2'],
    ]
    expect(flattenHeaders(given)).toEqual(['x-a', '1', 'x-a', '2'])
    expect(flattenHeaders({ Accept: '*/*' })).toEqual(['accept', '*/*'])
    expect(flattenHeaders(new Headers({ B: 'b' }))).toEqual(['b', 'b'])
    expect(flattenHeaders(undefined)).toEqual([])
  })

  it('come back as web Headers without pseudo fields', () => {
    const fields = [':status', '200', 'set-cookie', 'a', 'set-cookie', 'b']
    expect(toHeaders(fields).getSetCookie()).toEqual(['a', 'b'])
    expect(firstField(fields, 'set-cookie')).toBe('a')
    expect(firstField(fields, 'absent')).toBeUndefined()
  })
})
