// The folder of --qlog. Used by the commands of this folder.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { UsageError } from './usage-error.ts'

/**
 * Makes the folder when it does not exist.
 * @throws UsageError when nothing can be written there
 */
export function qlogFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw new UsageError(`--qlog: cannot write to ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  return path
}
