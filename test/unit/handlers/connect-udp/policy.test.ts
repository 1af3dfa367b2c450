// Who may be reached through CONNECT-UDP: entries, special addresses, and every notation that hides one.
import { describe, expect, test } from 'vitest'
import { isSpecialAddress, UdpPolicy } from '../../../../src/handlers/connect-udp/policy.ts'

describe('allow-list', () => {
  const policy = new UdpPolicy([
    'dns.example:53',
    '*.pool.example:*',
    '9.9.9.9:53',
    '[2620:fe::]/32:53',
    '10.1.0.0/16:5000',
  ])

  test.each([
    ['dns.example', 53, true],
    ['dns.example.', 53, true],
    ['dns.example', 54, false],
    ['evil.dns.example', 53, false],
    ['a.pool.example', 7, true],
    ['pool.example', 7, false],
    ['evilpool.example', 7, false],
    ['9.9.9.9', 53, true],
    ['9.9.9.10', 53, false],
    ['2620:fe::9', 53, true],
    ['2620:ff::9', 53, false],
    ['10.1.2.3', 5000, true],
    ['10.2.2.3', 5000, false],
  ])('%s:%i is asked for: %s', (host, port, expected) => {
    expect(policy.allowsHost(host, port)).toBe(expected)
  })

  test('a name that is allowed may not stand for a private address; an entry of addresses decides', () => {
    expect(policy.allowsAddress('198.41.0.4', 53)).toBe(true)
    expect(policy.allowsAddress('127.0.0.1', 53)).toBe(false)
    expect(policy.allowsAddress('10.1.2.3', 5000)).toBe(true)
    expect(policy.allowsAddress('10.1.2.3', 53)).toBe(false)
    expect(policy.allowsAddress('169.254.169.254', 80)).toBe(false)
  })

  test('"*" means every host, and still no special address', () => {
    const open = new UdpPolicy(['*:443'])
    expect(open.allowsHost('anything.example', 443)).toBe(true)
    expect(open.allowsHost('8.8.8.8', 443)).toBe(true)
    expect(open.allowsAddress('8.8.8.8', 443)).toBe(true)
    expect(open.allowsAddress('192.168.1.1', 443)).toBe(false)
  })

  test('a function is asked for the host; special addresses need entries', () => {
    const asked: string[] = []
    const policy = new UdpPolicy((host, port) => asked.push(`${host}:${port}`) > 0, ['127.0.0.1:9'])
    expect(policy.allowsHost('x.example', 9)).toBe(true)
    expect(asked).toEqual(['x.example:9'])
    expect(policy.allowsAddress('127.0.0.1', 9)).toBe(true)
    expect(policy.allowsAddress('127.0.0.1', 10)).toBe(false)
    expect(policy.allowsAddress('::1', 9)).toBe(false)
  })

  test.each([
    'example',
    'example:0',
    'example:70000',
    '[::1]',
    '10.0.0.0/40:53',
    '[name]:53',
    'name/8:53',
    ':53',
    '::1:53',
  ])('the entry %j means nothing', (entry) => {
    expect(() => new UdpPolicy([entry])).toThrow()
  })
})

describe('addresses that are not of the public Internet', () => {
  test.each([
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.168.0.1', '198.18.0.1', '224.0.0.251', '239.255.255.250', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '64:ff9b::7f00:1'],
    ...['2002:7f00:1::', '2001::1', 'fe80::1', 'fc00::1', 'fd12::1', 'fec0::1', 'ff02::1', '2001:db8::1'],
  ])('%s', (address) => {
    expect(isSpecialAddress(address)).toBe(true)
  })

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1', '2a00:1450::1'])(
    '%s is public',
    (address) => {
      expect(isSpecialAddress(address)).toBe(false)
    },
  )
})
