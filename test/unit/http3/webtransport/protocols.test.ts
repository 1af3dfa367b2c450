// Application protocols, draft-ietf-webtrans-http3 section 3.3: what is ignored, what is chosen, what is sent.
import { describe, expect, it } from 'vitest'
import {
  chooseProtocol,
  encodeProtocols,
  offeredProtocols,
  readProtocol,
} from '../../../../src/http3/index.ts'

describe('protocols', () => {
  it.each([
    ['"a"', ['a']],
    ['"a", "b";x=1,"c\\"d"', ['a', 'b', 'c"d']],
    [undefined, []],
    ['a', []],
    ['"a", b', []],
    ['("a")', []],
    ['"a', []],
    [Array.from({ length: 65 }, () => '"a"').join(), []],
  ])('%s offers %j', (value, protocols) => {
    expect(offeredProtocols(value)).toEqual(protocols)
  })

  it.each([
    ['"a"', 'a'],
    ['"a";x', 'a'],
    ['a', undefined],
    ['"a", "b"', undefined],
    [undefined, undefined],
  ])('%s chooses %s', (value, protocol) => {
    expect(readProtocol(value)).toBe(protocol)
  })

  it("the client's preference counts", () => {
    expect(chooseProtocol(['a', 'b'], ['b', 'a'])).toBe('a')
    expect(chooseProtocol(['a'], ['b'])).toBeUndefined()
  })

  it('strings are quoted, and only printable ASCII can be one', () => {
    expect(encodeProtocols(['a', 'b"\\'])).toBe('"a", "b\\"\\\\"')
    expect(() => encodeProtocols(['ü'])).toThrow(TypeError)
    expect(() => encodeProtocols(['a\r\n'])).toThrow(TypeError)
  })
})
