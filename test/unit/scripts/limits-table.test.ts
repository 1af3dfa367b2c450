// docs/limits.md names caps, files and tests: all of them exist, and the caps are where it says.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)
const rows = readFileSync(new URL('docs/limits.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))

const unquote = (cell: string): string => cell.replaceAll('`', '')

test('the table has its rows', () => {
  expect(rows.length).toBeGreaterThan(65)
})

test.each(rows)('%s %s', (_empty, _row, _attack, cap, file, attackedBy) => {
  expect(existsSync(new URL(unquote(attackedBy), root)), attackedBy).toBe(true)
  const source = readFileSync(new URL(unquote(file), root), 'utf8')
  for (const [, name] of cap.matchAll(/`([A-Z][A-Z0-9_]+)`/g)) {
    if (!/^[A-Z0-9]+_[A-Z0-9_]+$/.test(name) || name.endsWith('_ERROR') || name === 'PROTOCOL_VIOLATION')
      continue
    expect(source).toContain(`export const ${name}`)
  }
})
