// Connection IDs and error names.
import { describe, expect, it } from 'vitest'
import {
  connectionIdKey,
  QuicError,
  toHex,
  transportErrorName,
} from '../../../../src/transport/wire/index.ts'
import { fromHex } from './bytes.ts'

describe('connection IDs, RFC 9000 section 5.1', () => {
  const packet = fromHex('ffeeddccbbaa99887766')

  it('have a key of their first six bytes below 2^48', () => {
    expect(connectionIdKey(packet, 0)).toBe(0xffeeddccbbaa)
    expect(connectionIdKey(packet, 4)).toBe(0xbbaa99887766)
    expect(connectionIdKey(fromHex('000000000001'), 0)).toBe(1)
  })

  it('print as hexadecimal', () => {
    expect(toHex(packet)).toBe('ffeeddccbbaa99887766')
    expect(toHex(packet, 1, 2)).toBe('eedd')
  })
})

describe('transport errors, RFC 9000 section 20.1', () => {
  it('have names, TLS alerts and unknown codes too', () => {
    expect(transportErrorName(0x07)).toBe('FRAME_ENCODING_ERROR')
    expect(transportErrorName(0x10a)).toBe('CRYPTO_ERROR(10)')
    expect(transportErrorName(0x4242)).toBe('0x4242')
    expect(new QuicError(0x0a, 'why', 6)).toMatchObject({ code: 10, frameType: 6, reason: 'why' })
  })
})
