// Finds the conformance data that may lie beside the checkout; a fresh clone has none and tests say so.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../shared/conformance/', import.meta.url))

/** Absolute path of a conformance file or folder, or undefined (with a printed note) when it is absent. */
export function conformancePath(name: string): string | undefined {
  const path = root + name
  if (existsSync(path)) return path
  console.warn(`conformance data "${name}" is not present: the tests that read it are skipped`)
  return undefined
}
