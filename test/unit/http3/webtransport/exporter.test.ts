// The context of a session's exporter, draft-ietf-webtrans-http3 section 4.8.
import { expect, it } from 'vitest'
import { exporterContext } from '../../../../src/http3/webtransport/exporter.ts'
import { hex } from '../session.ts'

it('has session ID, and label and context with their lengths', () => {
  const context = exporterContext(0x1_0000_0004, Buffer.from('ab'), Uint8Array.of(7))
  expect(Buffer.from(context).toString('hex')).toBe('0000000100000004026162' + '0107')
  expect(exporterContext(0, hex('00'), new Uint8Array(0))).toHaveLength(11)
})

it.each([
  [0, 0],
  [256, 0],
  [1, 256],
])('a label of %s bytes and a context of %s are none', (label, context) => {
  expect(() => exporterContext(0, new Uint8Array(label), new Uint8Array(context))).toThrow(RangeError)
})
