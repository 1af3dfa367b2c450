/**
 * `npm run check`: types, lint and format, import order between rooms, purity left of transport/io,
 * file length, documentation of what is public. Runs them all, prints every violation, and fails when there is one.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkDocstrings } from './check/docstrings.ts'
import { checkFileLength } from './check/file-length.ts'
import { checkPurity } from './check/purity.ts'
import { checkRooms } from './check/rooms.ts'
import type { Violation } from './check/syntax.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = ['src/**/*.ts', 'inspector/**/*.{ts,tsx}', 'examples/**/*.ts']

/** Runs one of the project's installed tools; true when it found nothing wrong. */
function runTool(title: string, command: string, parameters: readonly string[]): boolean {
  const started = performance.now()
  const result = spawnSync(`node_modules/.bin/${command}`, parameters, { cwd: PROJECT, stdio: 'inherit' })
  if (result.error !== undefined) throw result.error
  report(title, result.status === 0, started)
  return result.status === 0
}

function runScan(title: string, scan: (file: string, source: string) => Violation[]): boolean {
  const started = performance.now()
  const files = globSync(SOURCES, { cwd: PROJECT, exclude: ['**/node_modules/**'] })
    .map((file) => file.replaceAll('\\', '/'))
    .sort()
  if (files.length === 0) throw new Error('no source file was found')
  const violations = files.flatMap((file) => scan(file, readFileSync(`${PROJECT}/${file}`, 'utf8')))
  return tell(`${title} (${files.length} files)`, violations, started)
}

function runDocstrings(): boolean {
  const started = performance.now()
  return tell('documentation of what is public', checkDocstrings(PROJECT), started)
}

function tell(title: string, violations: readonly Violation[], started: number): boolean {
  for (const { file, line, message } of violations) console.error(`${file}:${line} ${message}`)
  report(title, violations.length === 0, started)
  return violations.length === 0
}

function report(title: string, passed: boolean, started: number): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${title}, ${seconds} s`)
}

const passed = [
  runScan('import order between rooms', checkRooms),
  runScan('purity left of transport/io', checkPurity),
  runScan('file length', checkFileLength),
  runDocstrings(),
  runTool('lint and format', 'biome', ['check', '--error-on-warnings', '--max-diagnostics=200', '.']),
  runTool('types', 'tsc', ['-p', 'tsconfig.json', '--noEmit']),
  runTool('types of the page', 'tsc', ['-p', 'inspector/ui', '--noEmit']),
]
process.exitCode = passed.every(Boolean) ? 0 : 1
