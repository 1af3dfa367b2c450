/**
 * `npm run docs`: writes docs/api.md, the reference of everything that can be imported, from the types that the compiler
 * writes out and the comments of the source. TypeDoc has no version for the compiler that is used here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiReference } from './docs/markdown.ts'
import { packageEntries } from './docs/package-entries.ts'
import { publicSymbols } from './docs/public-symbols.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const TARGET = join(PROJECT, 'docs/api.md')

const folder = mkdtempSync(join(tmpdir(), 'quactor-docs-'))
try {
  const options = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
  const compiler = spawnSync('node_modules/.bin/tsc', options, { cwd: PROJECT, encoding: 'utf8' })
  if (compiler.error !== undefined) throw compiler.error
  if (compiler.status !== 0) process.stderr.write(compiler.stdout)
  const entries = packageEntries(PROJECT).map(({ name, source }) => {
    const declarations = join(folder, source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts'))
    if (!existsSync(declarations)) throw new Error(`the compiler has not made ${declarations}`)
    return { name, symbols: publicSymbols(declarations) }
  })
  const text = apiReference(entries)
  const isNew = !existsSync(TARGET) || readFileSync(TARGET, 'utf8') !== text
  writeFileSync(TARGET, text)
  const count = entries.reduce((sum, { symbols }) => sum + symbols.length, 0)
  console.log(`docs/api.md: ${count} symbols, ${isNew ? 'written' : 'as it was'}`)
} finally {
  rmSync(folder, { recursive: true })
}
