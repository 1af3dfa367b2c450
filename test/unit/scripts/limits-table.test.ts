// docs/limits.md names caps, files and tests: all of them exist, and the caps are where it says.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)
const rows = readFileSync(new URL('docs/limits.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))

/** The files of a cell, which may list several; a bare name lies beside the one before it. */
function filesOf(cell: string): URL[] {
  const files: URL[] = []
  for (const name of cell.replaceAll('`', '').split(', ')) {
    const base = name.includes('/') ? root : (files.at(-1) ?? root)
    files.push(new URL(name, base))
  }
  return files
}

test('the table has its rows', () => {
  expect(rows.length).toBeGreaterThan(65)
})

test.each(rows)('%s %s', (_empty, _row, _attack, cap, file, attackedBy) => {
  for (const test of filesOf(attackedBy)) expect(existsSync(test), test.pathname).toBe(true)
  const source = filesOf(file)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  for (const [, name] of cap.matchAll(/`([A-Z][A-Z0-9_]+)`/g)) {
    if (!/^[A-Z0-9]+_[A-Z0-9_]+$/.test(name) || name.endsWith('_ERROR') || name === 'PROTOCOL_VIOLATION')
      continue
    expect(source).toContain(`export const ${name}`)
  }
})
