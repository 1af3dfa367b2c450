// RFC 9298 sections 2 and 3: which paths name a target.
import { expect, test } from 'vitest'
import { parseUdpTarget } from '../../../../src/handlers/connect-udp/target.ts'

const BASE = '/.well-known/masque/udp'

test.each([
  ['192.0.2.6/443/', { host: '192.0.2.6', port: 443 }],
  ['2001%3Adb8%3A%3A42/443/', { host: '2001:db8::42', port: 443 }],
  ['2001:db8::42/443/', { host: '2001:db8::42', port: 443 }],
  ['Target.Example/1/', { host: 'target.example', port: 1 }],
  ['target.example./65535/', { host: 'target.example.', port: 65_535 }],
])('%s', (rest, target) => {
  expect(parseUdpTarget(`${BASE}/${rest}`)).toEqual(target)
})

test.each([
  '192.0.2.6/443',
  '192.0.2.6/0/',
  '192.0.2.6/65536/',
  '192.0.2.6/-1/',
  '192.0.2.6/+1/',
  '192.0.2.6/0x1/',
  '/443/',
  '192.0.2.6/443/?q',
  '192.0.2.6/443/x',
  '%5B::1%5D/443/',
  'fe80::1%25eth0/443/',
  '127.1/53/',
  '0x7f000001/53/',
  '2130706433/53/',
  '127.0.0.1./53/',
  'a%2Fb/53/',
  'a%00b/53/',
  '%zz/53/',
  'a b/53/',
  `${'a'.repeat(64)}.example/53/`,
  `${'a.'.repeat(130)}example/53/`,
])('%j names none', (rest) => {
  expect(parseUdpTarget(`${BASE}/${rest}`)).toBeUndefined()
})

test('another path names none', () => {
  expect(parseUdpTarget('/masque/udp/192.0.2.6/443/')).toBeUndefined()
})
