/** What a packed archive of quactor has to hold, and what not. Used by run.ts. */
import { execFileSync } from 'node:child_process'

const NEEDED = [
  'package/package.json',
  'package/LICENSE',
  'package/README.md',
  'package/CHANGELOG.md',
  'package/docs/api.md',
  'package/dist/cli/main.js',
]

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
}

/** @throws Error with everything that is wrong */
export function checkArchive(path: string): void {
  const names = tar('-tzf', path).split('\n')
  const manifest = JSON.parse(tar('-xzOf', path, 'package/package.json')) as Manifest
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  )
  const led = [...targets, ...Object.values(manifest.bin)].map((target) => target.replace('./', 'package/'))
  const problems = [
    ...[...NEEDED, ...led].filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
    ...names.filter((name) => /^package\/(?:src|test|bench|scripts|examples)\//.test(name)),
    // The sources are not published: a map would point nowhere.
    ...names.filter((name) => name.startsWith('package/dist/') && name.endsWith('.map')),
  ]
  if (tar('-xzOf', path, '--wildcards', 'package/dist/*.js').includes('sourceMappingURL='))
    problems.push('a file of dist/ names a source map')
  for (const [name, target] of Object.entries(manifest.exports)) {
    const isCode = typeof target !== 'string'
    if (isCode && (target.types === undefined || 'quactor-source' in target))
      problems.push(`exports of ${name}: ${JSON.stringify(target)}`)
  }
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

function tar(...parameters: string[]): string {
  return execFileSync('tar', parameters, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}
