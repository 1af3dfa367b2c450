// The HTTP working group's data for structured fields, as far as it lies beside the checkout, and what priorities need.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type BareItem,
  type Member,
  parseDictionary,
  parseItem,
  parseList,
  StructuredFieldError,
} from '../../../src/http3/structured-fields.ts'
import { conformancePath } from '../../conformance.ts'

interface Case {
  readonly name: string
  readonly raw: readonly string[]
  readonly header_type: 'dictionary' | 'list' | 'item'
  readonly expected?: unknown
  readonly must_fail?: boolean
  readonly can_fail?: boolean
}

/** All of RFC 8941; date and display string came with RFC 9651. */
const FILES = [
  'binary',
  'boolean',
  'dictionary',
  'examples',
  'item',
  'key-generated',
  'large-generated',
  'list',
  'listlist',
  'number',
  'number-generated',
  'param-dict',
  'param-list',
  'param-listlist',
  'string',
  'string-generated',
  'token',
  'token-generated',
]

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  const letters = groups.map(
    (group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group.padEnd(5, '0'), 2)],
  )
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=')
}

/** A value in the notation of the test data. */
function bare(item: BareItem): unknown {
  if (item.type === 'token') return { __type: 'token', value: item.value }
  if (item.type === 'bytes') return { __type: 'binary', value: base32(item.value) }
  return item.value
}

function member(value: Member): unknown {
  const parameters = [...value.parameters].map(([key, item]) => [key, bare(item)])
  return 'items' in value ? [value.items.map(member), parameters] : [bare(value.item), parameters]
}

function parse({ header_type: type, raw }: Case): unknown {
  const text = raw.join(', ')
  if (type === 'item') return member(parseItem(text))
  if (type === 'list') return parseList(text).map(member)
  return [...parseDictionary(text)].map(([key, value]) => [key, member(value)])
}

function casesOf(folder: string, file: string): Case[] {
  const all = JSON.parse(readFileSync(`${folder}/${file}.json`, 'utf8')) as Case[]
  // Items of RFC 9651 occur in a few examples.
  return all.filter((test) => !/"__type": ?"(date|displaystring)"/.test(JSON.stringify(test)))
}

const folder = conformancePath('structured-field-tests')

describe.skipIf(folder === undefined)('conformance data (RFC 8941 section 4.2)', () => {
  it.each(FILES)('%s', (file) => {
    const cases = casesOf(folder!, file)
    expect(cases.length).toBeGreaterThan(2)
    for (const test of cases) {
      if (test.must_fail === true) {
        expect(() => parse(test), `${test.name}: ${test.raw.join()}`).toThrow(StructuredFieldError)
        continue
      }
      let result: unknown
      try {
        result = parse(test)
      } catch (error) {
        if (test.can_fail === true && error instanceof StructuredFieldError) continue
        throw new Error(`${test.name}: ${test.raw.join()}`, { cause: error })
      }
      expect(result, test.name).toEqual(test.expected)
    }
  })
})

describe('without the data', () => {
  it('keys, parameters and the last of repeated members', () => {
    const members = parseDictionary('u=1;x="a\\"b";y, i, u=5')
    expect([...members.keys()]).toEqual(['u', 'i'])
    expect(members.get('u')).toMatchObject({ item: { type: 'integer', value: 5 } })
    expect(members.get('i')).toMatchObject({ item: { type: 'boolean', value: true } })
  })

  it('an integer and a decimal are told apart', () => {
    expect(parseItem('1').item).toEqual({ type: 'integer', value: 1 })
    expect(parseItem('1.0').item).toEqual({ type: 'decimal', value: 1 })
  })

  it.each(['u=1,', 'U=1', 'u=', 'u=1 i', ',', 'u=1;', 'u=(1', '\tu=1', 'u="\u0080"', 'u=1\0', 'u=@1'])(
    '%j is no dictionary',
    (text) => {
      expect(() => parseDictionary(text)).toThrow(StructuredFieldError)
    },
  )

  it('long and nested input is judged in linear time', () => {
    const start = performance.now()
    for (const text of [
      '('.repeat(30_000),
      'a;'.repeat(15_000),
      '"'.repeat(30_000),
      `"${'\\'.repeat(30_000)}`,
    ]) {
      expect(() => parseDictionary(`u=${text}`)).toThrow(StructuredFieldError)
    }
    expect(performance.now() - start).toBeLessThan(500)
  })
})
