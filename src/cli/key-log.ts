// TLS secrets in the NSS key log format, appended to a file for Wireshark. Used by the commands of this folder.
import { appendFileSync } from 'node:fs'

/** A function that appends one line; the file is only as readable as the user's other new private files. */
export function appendKeyLog(path: string): (line: string) => void {
  return (line) => appendFileSync(path, `${line}\n`, { mode: 0o600 })
}
