// draft-ietf-webtrans-http3 section 4.4: the codes of applications in the range of HTTP/3, and back.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toApplicationCode, toHttpCode } from '../../../../src/http3/index.ts'

describe('error codes', () => {
  it.each([
    [0, 0x52e4a40fa8db],
    [0x1d, 0x52e4a40fa8f8],
    // 0x52e4a40fa8f9 is reserved: 0x1f * N + 0x21.
    [0x1e, 0x52e4a40fa8fa],
    [0xffff_ffff, 0x52e5ac983162],
  ])('%s is %s on the wire', (code, http) => {
    expect(toHttpCode(code)).toBe(http)
    expect(toApplicationCode(http)).toBe(code)
  })

  it('every code of 32 bits survives the way there and back, and none is a reserved one', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (code) => {
        const http = toHttpCode(code)
        expect((http - 0x21) % 0x1f).not.toBe(0)
        expect(toApplicationCode(http)).toBe(code)
      }),
    )
  })

  it.each([0, 0x10c, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e5ac983163])(
    '%s is none of an application',
    (http) => {
      expect(toApplicationCode(http)).toBeUndefined()
    },
  )

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('%s is no code', (code) => {
    expect(() => toHttpCode(code)).toThrow(RangeError)
  })
})
