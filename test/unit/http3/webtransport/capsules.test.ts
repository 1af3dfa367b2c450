// Capsules of a session, draft-ietf-webtrans-http3 sections 5.6 and 6: what is on the wire.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeClose,
  decodeInteger,
  encodeClose,
  encodeInteger,
} from '../../../../src/http3/webtransport/capsules.ts'
import { hex } from '../session.ts'

/** The value of a capsule whose type has two or four bytes, and whose length has one or two. */
function bodyOf(capsule: Uint8Array): Uint8Array {
  const type = 1 << (capsule[0]! >>> 6)
  return capsule.subarray(type + (1 << (capsule[type]! >>> 6)))
}

describe('WT_CLOSE_SESSION', () => {
  it('has type, length, code and message', () => {
    expect(Buffer.from(encodeClose({ code: 0x01020304, reason: 'hi' })).toString('hex')).toBe(
      '68430601020304' + '6869',
    )
  })

  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.string({ maxLength: 200 }), (code, reason) => {
        expect(decodeClose(bodyOf(encodeClose({ code, reason })))).toEqual({ code, reason })
      }),
    )
  })

  it.each([
    ['ascii', 'x'.repeat(2_000), 1_024],
    ['two bytes each, at an odd place', `x${'ü'.repeat(800)}`, 1_023],
    ['four bytes each', '\u{1f600}'.repeat(300), 1_024],
  ])('a long message is cut at a character: %s', (_what, reason, bytes) => {
    const cut = decodeClose(bodyOf(encodeClose({ code: 0, reason }))).reason
    expect(Buffer.byteLength(cut)).toBe(bytes)
    expect(reason.startsWith(cut)).toBe(true)
  })

  it.each(['', '000000', '00000001ff', '00000001c3'])('%s is malformed', (value) => {
    expect(() => decodeClose(hex(value))).toThrow('H3_MESSAGE_ERROR')
  })
})

describe('capsules of one integer', () => {
  it('come back as they went', () => {
    expect(Buffer.from(encodeInteger(0x190b4d3d, 16_384)).toString('hex')).toBe('990b4d3d0480004000')
    fc.assert(
      fc.property(fc.maxSafeNat(), (integer) => {
        expect(decodeInteger(bodyOf(encodeInteger(0x190b4d40, integer)))).toBe(integer)
      }),
    )
  })

  it.each(['', '40', '0000', '80000000'.concat('00')])('%s is malformed (RFC 9297 section 3.3)', (value) => {
    expect(() => decodeInteger(hex(value))).toThrow('H3_MESSAGE_ERROR')
  })
})
