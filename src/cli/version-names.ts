// The list of --versions. Used by the commands of this folder.
import { type QuicVersionName, versionsNamed } from '../transport/connection/index.ts'
import { UsageError } from './usage-error.ts'

/** @throws UsageError unless it is a list of v1 and v2 */
export function versionNames(list: string): QuicVersionName[] {
  const names = list.split(',')
  try {
    versionsNamed(names)
  } catch {
    throw new UsageError(`--versions is v1, v2 or both in order of preference (v2,v1), not "${list}"`)
  }
  return names as QuicVersionName[]
}
