/** What of the package can be imported, by package.json. Used by the API reference and its check. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One entry: `quactor`, `quactor/testing`, and its source, relative to the project. */
export interface PackageEntry {
  readonly name: string
  readonly source: string
}

/** Those that are code of ours. */
export function packageEntries(project: string): PackageEntry[] {
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, string | Record<string, string>>
  }
  return Object.entries(manifest.exports).flatMap(([path, target]) => {
    const source = typeof target === 'string' ? undefined : target['quactor-source']
    // Whether it is there at all is seen when the package is tried.
    if (source === undefined || !existsSync(join(project, source))) return []
    return [{ name: path.replace('.', manifest.name), source: source.slice(2) }]
  })
}
