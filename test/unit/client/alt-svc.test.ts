// The Alt-Svc field (RFC 7838 section 3), what is kept of it, and how long something broken is left alone.
import { describe, expect, it } from 'vitest'
import { parseAltSvc } from '../../../src/client/alt-svc.ts'
import { Alternatives } from '../../../src/client/alternatives.ts'
import {
  BROKEN_BACKOFF,
  MAX_ALT_SVC_LENGTH,
  MAX_ALT_SVC_ORIGINS,
  MAX_ALTERNATIVES,
  MAX_BROKEN_ALTERNATIVES,
  MAX_BROKEN_BACKOFF,
} from '../../../src/client/limits.ts'

const DAY = 86_400

describe('parseAltSvc()', () => {
  it('reads alternatives with host, port, ma and persist (RFC 7838 section 3)', () => {
    expect(parseAltSvc('h3=":443"')).toEqual([
      { protocol: 'h3', host: '', port: 443, maxAge: DAY, persist: false },
    ])
    expect(parseAltSvc('h3="alt.example:8443"; ma=60 ;persist=1, h2=":443";ma="7"')).toEqual([
      { protocol: 'h3', host: 'alt.example', port: 8443, maxAge: 60, persist: true },
      { protocol: 'h2', host: '', port: 443, maxAge: 7, persist: false },
    ])
    expect(parseAltSvc('h3="[2001:db8::1]:443"; persist=2; v="46,43"')).toEqual([
      { protocol: 'h3', host: '2001:db8::1', port: 443, maxAge: DAY, persist: false },
    ])
  })

  it('undoes percent-encoding in names and backslashes in quotes', () => {
    expect(parseAltSvc('w%3Dx%3Ay="new.example.org\\:443"')).toEqual([
      { protocol: 'w=x:y', host: 'new.example.org', port: 443, maxAge: DAY, persist: false },
    ])
  })

  it('knows "clear", which is case-sensitive and stands alone', () => {
    expect(parseAltSvc(' clear ')).toBe('clear')
    for (const value of ['Clear', 'clear, h3=":443"']) expect(parseAltSvc(value)).toBeUndefined()
  })

  it.each([
    '',
    ',',
    'h3',
    'h3=',
    'h3=:443',
    'h3=":443',
    'h3=":443" ma=1',
    'h3=":443";',
    'h3=":443"; ma',
    '=":443"',
  ])('takes %j for no field at all', (value) => expect(parseAltSvc(value)).toBeUndefined())

  it('leaves out what cannot be reached, and tolerates empty elements', () => {
    const value = 'h3=":0", h3=":65536", h3="x y:1", h3="user@host:1", h3%zz=":443",, h3=":1" ,'
    expect(parseAltSvc(value)).toEqual([{ protocol: 'h3', host: '', port: 1, maxAge: DAY, persist: false }])
  })

  it('is bounded in length, number and age', () => {
    expect(parseAltSvc(`h3=":443"; x="${'y'.repeat(MAX_ALT_SVC_LENGTH)}"`)).toBeUndefined()
    const many = Array.from({ length: 50 }, (_, index) => `h3=":${index + 1}"`).join(',')
    expect(parseAltSvc(many)).toHaveLength(MAX_ALTERNATIVES)
    expect(parseAltSvc('h3=":443"; ma=99999999999999999999')).toMatchObject([{ maxAge: 31_536_000 }])
  })

  it('reads hostile fields in linear time', () => {
    const started = performance.now()
    parseAltSvc(`h3="${'\\\\'.repeat(2_000)}`)
    parseAltSvc(`${' ,\t'.repeat(1_300)}!`)
    expect(performance.now() - started).toBeLessThan(200)
  })
})

describe('Alternatives', () => {
  const origin = 'https://example.test'

  function build(): { table: Alternatives; pass: (ms: number) => void } {
    let now = 1_000
    const pass = (ms: number): void => {
      now += ms
    }
    return { table: new Alternatives(() => now), pass }
  }

  it('gives the first that is h3 and fresh; the age of the response counts', () => {
    const { table, pass } = build()
    table.learn(origin, 'h2=":443", h3="one.test:1"; ma=10, h3=":2"; ma=20')
    expect(table.find(origin)).toMatchObject({ host: 'one.test', port: 1 })
    pass(10_001)
    expect(table.find(origin)).toMatchObject({ host: 'example.test', port: 2 })
    pass(10_000)
    expect([table.find(origin), table.size]).toEqual([undefined, 0])
    table.learn(origin, 'h3=":3"; ma=10', 10)
    expect(table.find(origin)).toBeUndefined()
    table.learn('https://[::1]:444', 'h3=":3"')
    expect(table.find('https://[::1]:444')).toMatchObject({ host: '::1', port: 3 })
  })

  it('forgets what a later field does not repeat, and everything at "clear"', () => {
    const { table } = build()
    table.learn(origin, 'h3=":1"')
    table.learn(origin, 'not valid')
    expect(table.find(origin)).toMatchObject({ port: 1 })
    table.learn(origin, 'h2=":1"')
    expect(table.find(origin)).toBeUndefined()
    table.learn(origin, 'h3=":1"')
    table.learn(origin, 'clear')
    expect(table.find(origin)).toBeUndefined()
  })

  it('leaves a broken one alone, twice as long each time, until it works', () => {
    const { table, pass } = build()
    table.learn(origin, 'h3=":1"; ma=31536000')
    const alternative = table.find(origin)!
    table.noteFailure(origin, alternative)
    pass(BROKEN_BACKOFF - 1)
    expect(table.find(origin)).toBeUndefined()
    pass(1)
    expect(table.find(origin)).toBe(alternative)
    table.noteFailure(origin, alternative)
    pass(2 * BROKEN_BACKOFF - 1)
    expect(table.isBroken(origin, alternative)).toBe(true)
    pass(1)
    expect(table.isBroken(origin, alternative)).toBe(false)
    for (let i = 0; i < 20; i++) table.noteFailure(origin, alternative)
    pass(MAX_BROKEN_BACKOFF)
    expect(table.find(origin)).toBe(alternative)
    table.noteSuccess(origin, alternative)
    table.noteFailure(origin, alternative)
    pass(BROKEN_BACKOFF)
    expect(table.find(origin)).toBe(alternative)
  })

  it('keeps only what persists when the network changes (RFC 7838 section 2.2)', () => {
    const { table } = build()
    table.learn(origin, 'h3=":1", h3=":2"; persist=1')
    table.learn('https://other.test', 'h3=":1"')
    table.noteFailure(origin, { host: 'example.test', port: 2 })
    table.handleNetworkChange()
    expect([table.find(origin)?.port, table.find('https://other.test')]).toEqual([2, undefined])
  })

  it('holds a bounded number of origins and failures', () => {
    const { table } = build()
    for (let i = 0; i <= MAX_ALT_SVC_ORIGINS; i++) table.learn(`https://${i}.test`, 'h3=":1"')
    expect([table.size, table.find('https://0.test')]).toEqual([MAX_ALT_SVC_ORIGINS, undefined])
    const first = { host: 'a', port: 1 }
    table.noteFailure('https://a', first)
    for (let i = 0; i < MAX_BROKEN_ALTERNATIVES; i++) table.noteFailure(`https://${i}`, first)
    expect([table.isBroken('https://a', first), table.isBroken('https://0', first)]).toEqual([false, true])
  })
})
