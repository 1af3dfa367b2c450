/** What a check is, and what it gets. The lists are in http-checks.ts, webtransport-checks.ts and loss-checks.ts. */
import { isDeepStrictEqual } from 'node:util'
import type { Browser } from './browser.ts'
import type { BrowserSite } from './server.ts'

export interface CheckContext {
  readonly site: BrowserSite
  readonly browser: Browser
  /** Names of the W3C's WebTransport that the browser has, e.g. `WebTransport.getStats`. */
  readonly surface: ReadonlySet<string>
  /** Calls a function of a module in pages/; its value has to survive JSON. */
  call(module: 'http' | 'webtransport', name: string, ...parameters: readonly unknown[]): Promise<unknown>
}

export interface Check {
  readonly title: string
  /** What the browser itself cannot do, so that there is nothing to check: it is printed. Undefined: it can. */
  cannot?(context: CheckContext): string | undefined
  run(context: CheckContext): Promise<void>
}

/** @throws Error with the reason unless the condition holds */
export function expect(condition: boolean, reason: string): void {
  if (!condition) throw new Error(reason)
}

/** @throws Error that shows both unless they are the same */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}

/** For a check that needs a name of the W3C's WebTransport which not every browser has. */
export function needs(...names: readonly string[]): (context: CheckContext) => string | undefined {
  return ({ surface, browser }) => {
    const missing = names.filter((name) => !surface.has(name))
    if (missing.length === 0) return undefined
    return `${browser.name} ${browser.version} has no ${missing.join(', no ')}`
  }
}
