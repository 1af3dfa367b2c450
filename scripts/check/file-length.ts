/**
 * No file of src or inspector is longer than 400 lines: what grows past that is split by what it is for.
 * Called by scripts/check.ts.
 */
import type { Violation } from './syntax.ts'

/** Longest allowed file, in lines. */
export const MAX_FILE_LINES = 400

/** Counts the lines of a text; a final line break starts no further line. */
export function countLines(source: string): number {
  if (source === '') return 0
  const breaks = source.split('\n').length - 1
  return source.endsWith('\n') ? breaks : breaks + 1
}

/** Reports a file of src or inspector that is too long. */
export function checkFileLength(file: string, source: string): Violation[] {
  if (!file.startsWith('src/') && !file.startsWith('inspector/')) return []
  const lines = countLines(source)
  if (lines <= MAX_FILE_LINES) return []
  return [{ file, line: MAX_FILE_LINES + 1, message: `has ${lines} lines, ${MAX_FILE_LINES} are allowed` }]
}
