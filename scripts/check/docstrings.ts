/**
 * Nothing that can be imported is without a documentation comment: the API reference is made of them. Called by
 * scripts/check.ts.
 */
import { relative, resolve } from 'node:path'
import { packageEntries } from '../docs/package-entries.ts'
import { publicSymbols } from '../docs/public-symbols.ts'
import type { Violation } from './syntax.ts'

/** Every public symbol, and every member of one, that has no comment. */
export function checkDocstrings(project: string): Violation[] {
  return packageEntries(project).flatMap(({ source }) => undocumented(project, resolve(project, source)))
}

/** Those of one entry file. */
export function undocumented(project: string, entry: string): Violation[] {
  return publicSymbols(entry).flatMap(({ file, name, doc, line, members }) => {
    const bare = members.filter((member) => member.doc === undefined)
    const places = bare.map((member) => ({ ...member, name: `${name}.${member.name}` }))
    const missing = places.map((place) => ({ file: place.file, line: place.line, name: place.name }))
    if (doc === undefined) missing.unshift({ file, line, name })
    return missing.map((place) => ({
      file: relative(project, place.file),
      line: place.line,
      message: `${place.name} is public and has no documentation comment`,
    }))
  })
}
