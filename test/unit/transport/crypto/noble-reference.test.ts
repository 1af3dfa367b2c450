// The hashes under the key schedule against an implementation that shares no code with them: @noble/hashes is the
// reference for node:crypto (RFC 5869, RFC 8446 section 7.1).
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  digest,
  type HashName,
  hkdfExpand,
  hkdfExpandLabel,
  hkdfExtract,
  hmac,
} from '../../../../src/transport/crypto/index.ts'

const references = { sha256, sha384 }
const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
// Every secret of TLS is as long as its hash, and the reference insists on that.
const secretBytes = fc.uint8Array({ minLength: 48, maxLength: 48 })
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

describe.each<HashName>(['sha256', 'sha384'])('%s', (name) => {
  const reference = references[name]

  test('digest over any split equals the reference', () => {
    fc.assert(
      fc.property(bytes(300), bytes(300), (a, b) => {
        expect(hex(digest(name, a, b))).toBe(hex(reference(Buffer.concat([a, b]))))
      }),
    )
  })

  test('HMAC equals the reference, also with keys longer than a block (RFC 2104)', () => {
    fc.assert(
      fc.property(bytes(300), bytes(300), (key, data) => {
        expect(hex(hmac(name, key, data))).toBe(hex(nobleHmac(reference, key, data)))
      }),
    )
  })

  test('HKDF-Extract and HKDF-Expand equal the reference for every length (RFC 5869)', () => {
    fc.assert(
      fc.property(
        bytes(64),
        bytes(64),
        bytes(80),
        fc.integer({ min: 1, max: 400 }),
        (salt, ikm, info, length) => {
          const key = extract(reference, ikm, salt)
          expect(hex(hkdfExtract(name, salt, ikm))).toBe(hex(key))
          expect(hex(hkdfExpand(name, key, info, length))).toBe(hex(expand(reference, key, info, length)))
        },
      ),
    )
  })

  test('HKDF-Expand-Label frames length, label and context as RFC 8446 section 7.1 says', () => {
    fc.assert(
      fc.property(secretBytes, bytes(48), fc.integer({ min: 1, max: 64 }), (secret, context, length) => {
        const label = Buffer.from('tls13 quic key', 'latin1')
        const info = Buffer.concat([
          Buffer.of(length >>> 8, length & 0xff, label.length),
          label,
          Buffer.of(context.length),
          context,
        ])
        const expected = expand(reference, secret, info, length)
        expect(hex(hkdfExpandLabel(name, secret, 'quic key', context, length))).toBe(hex(expected))
      }),
    )
  })
})
