// The public surface is documented whole, and its reference names all of it; what the reader of comments makes of them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkDocstrings, undocumented } from '../../../scripts/check/docstrings.ts'
import { parseDocComment } from '../../../scripts/docs/doc-comment.ts'
import { apiReference } from '../../../scripts/docs/markdown.ts'
import { packageEntries } from '../../../scripts/docs/package-entries.ts'
import { publicSymbols } from '../../../scripts/docs/public-symbols.ts'

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url))

describe('the public surface', () => {
  it('has a documentation comment at every symbol and member', () => {
    expect(checkDocstrings(PROJECT)).toEqual([])
  })

  it('stands in docs/api.md whole: otherwise npm run docs', () => {
    const reference = readFileSync(join(PROJECT, 'docs/api.md'), 'utf8')
    const entries = packageEntries(PROJECT)
    expect(entries[0]).toEqual({ name: 'quactor', source: 'src/index.ts' })
    for (const { source } of entries) {
      const names = publicSymbols(resolve(PROJECT, source)).map(({ name }) => name)
      expect(names.filter((name) => !reference.includes(`\n### ${name}\n`))).toEqual([])
    }
    expect(reference).not.toContain('@param')
  })
})

describe('reading a surface', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quactor-surface-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  it('follows exports from file to file, and finds what has no comment', () => {
    try {
      write(
        'inner.ts',
        '/** Adds. */\nexport function add(a: number): number {\n  return a\n}\nexport type Bare = 1\n',
      )
      write(
        'room.ts',
        `export * from './inner.ts'
class Base {
  /** From below. */
  depth = 1
  deep(): void {}
}
/** A box. */
export class Box extends Base {
  #own = 1
  /** Its size, bytes. */
  readonly size: number = 2
  bare: string = ''
  constructor() {}
  set wide(value: number) {}
  handleThing(): void {}
  /** @internal */
  hidden(): void {}
}
function local(): void {}
/** Not exported by the entry. */
export const other = local
`,
      )
      const entry = write('index.ts', "export { add, Box, type Bare as Renamed } from './room.ts'\n")
      const symbols = publicSymbols(entry)
      expect(symbols.map(({ name, kind }) => [name, kind])).toEqual([
        ['Box', 'class'],
        ['Renamed', 'type'],
        ['add', 'function'],
      ])
      expect(symbols[0]!.members.map(({ name }) => name)).toEqual(['size', 'bare', 'depth', 'deep'])
      expect(undocumented(folder, entry)).toEqual([
        { file: 'room.ts', line: 12, message: 'Box.bare is public and has no documentation comment' },
        { file: 'room.ts', line: 5, message: 'Box.deep is public and has no documentation comment' },
        { file: 'inner.ts', line: 5, message: 'Renamed is public and has no documentation comment' },
      ])
      const text = apiReference([{ name: 'box', symbols }])
      expect(text).toContain('### add\n\n```ts\nfunction add(a: number): number\n```\n\nAdds.\n')
      expect(text).toContain('- `size: number`: Its size, bytes.\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('tells the parts of a comment', () => {
    const comment = `
 * Sends a datagram,
 * soon.
 *
 * Or never.
 * @param payload bytes; copied
 *   at once
 * @returns whether there was room
 * @throws RangeError when it is too large
 `
    expect(parseDocComment(comment)).toEqual({
      text: 'Sends a datagram, soon.\n\nOr never.',
      parameters: [{ name: 'payload', text: 'bytes; copied at once' }],
      returns: 'whether there was room',
      throws: ['RangeError when it is too large'],
    })
    expect(parseDocComment(' Now. @throws Error sometimes ')).toMatchObject({
      text: 'Now.',
      throws: ['Error sometimes'],
    })
  })
})
