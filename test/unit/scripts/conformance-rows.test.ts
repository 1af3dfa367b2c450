// Every row of the conformance tables beside the checkout has a test in test/rfc or test/sim that bears its number at the beginning of
// its title: T1, H1 ... of h3spec, and the behaviours that other stacks assert.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { conformancePath } from '../../conformance.ts'

const sources = ['../../rfc/', '../../sim/'].flatMap((name) => {
  const folder = new URL(name, import.meta.url)
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.ts'))
  return files.map((file) => readFileSync(new URL(file, folder), 'utf8'))
})

/** Titles of all tests and groups, templates as they are written. */
const titles = sources.flatMap((source) =>
  [...source.matchAll(/^\s*(?:'|(?:test|it|describe)\b.*?\(\s*['"`])([^'"`\n]+)/gm)].map(
    (match) => match[1]!,
  ),
)

/** Numbers of the rows of a table, or of the items of a list. */
function rowsOf(path: string | undefined, pattern: RegExp): string[] {
  return path === undefined ? [] : [...readFileSync(path, 'utf8').matchAll(pattern)].map((match) => match[1]!)
}

const cases = conformancePath('h3spec-cases.md')
const behaviours = conformancePath('behaviours.md')
const rows = [...rowsOf(cases, /^\| ([TH]\d+)\b/gm), ...rowsOf(behaviours, /^(\d+)\. /gm)]

test('titles are found', () => {
  expect(titles).toContain('H1 DATA before HEADERS: H3_FRAME_UNEXPECTED (RFC 9114 section 4.1)')
  expect(titles.length).toBeGreaterThan(300)
})

test.skipIf(rows.length === 0)('no row is without its test', () => {
  expect(rows.length).toBeGreaterThan(100)
  const isNamed = (row: string): boolean =>
    titles.some((title) => new RegExp(`^(?:h3spec |behaviour )?${row}\\b`).test(title))
  expect(rows.filter((row) => !isNamed(row))).toEqual([])
})
