// The version of quactor, for those who look at a server. Read from package.json when somebody first asks.
import { readFileSync } from 'node:fs'

let version: string | undefined

/** E.g. `0.1.0`; `unknown` where the code runs without its package, as in a bundle. */
export function packageVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    return (JSON.parse(text) as { version: string }).version
  } catch {
    return 'unknown'
  }
}
