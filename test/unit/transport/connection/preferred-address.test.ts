// preferred_address between bytes and texts: RFC 9000 section 18.2, RFC 5952.
import { isIPv6 } from 'node:net'
import { describe, expect, it } from 'vitest'
import { addressBytes, ipv6Text, remoteFrom } from '../../../../src/transport/connection/preferred-address.ts'

describe('texts of IPv6 addresses (RFC 5952)', () => {
  it.each([
    '::',
    '::1',
    'fe80::1',
    '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1',
    '1:2:3:4:5:6:7:8',
    '1:0:0:2::',
    'ff02::1:ff00:0',
  ])('%s', (text) => {
    expect(isIPv6(text)).toBe(true)
    expect(ipv6Text(addressBytes(text))).toBe(text)
  })

  it('one zero group alone is not shortened, and of two runs of equal length the first is', () => {
    expect(ipv6Text(addressBytes('2001:db8::0:1:1:1:1:1'.replace('::0:', ':0:')))).toBe(
      '2001:db8:0:1:1:1:1:1',
    )
    expect(ipv6Text(addressBytes('2001:0:0:1:0:0:0:1'))).toBe('2001:0:0:1::1')
    expect(ipv6Text(addressBytes('2001:db8:0:0:1:0:0:1'))).toBe('2001:db8::1:0:0:1')
  })

  it('what is no address is refused', () => {
    expect(() => addressBytes('10.0.0')).toThrow('no IP address')
    expect(() => addressBytes('1:2:3')).toThrow('no IP address')
  })
})

describe('the address of one IP version', () => {
  const preferred = {
    ipv4: addressBytes('192.0.2.7'),
    ipv4Port: 4_433,
    ipv6: new Uint8Array(16),
    ipv6Port: 0,
    connectionId: new Uint8Array(8),
    statelessResetToken: new Uint8Array(16),
  }

  it('is what the bytes say, and none when its port is 0', () => {
    expect(remoteFrom(preferred, 4)).toEqual({ address: '192.0.2.7', port: 4_433, family: 4 })
    expect(remoteFrom(preferred, 6)).toBeUndefined()
  })
})
