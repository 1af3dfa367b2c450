/**
 * `npm run browser [-- --browser chromium|firefox] [--only WORDS] [--qlog DIR]`: real browsers use the server, one after
 * another. After each check everything that it started is over, then the connection that the browser keeps is closed, and
 * /status has to be at zero.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, BrowserKind } from './browser.ts'
import type { Check, CheckContext } from './check.ts'
import { chromium } from './chromium.ts'
import { firefox } from './firefox.ts'
import { HTTP_CHECKS } from './http-checks.ts'
import { BrowserSite } from './server.ts'
import { SPECIAL_CHECKS, type SpecialCheck } from './special-checks.ts'
import { WEBTRANSPORT_CHECKS } from './webtransport-checks.ts'

const CHECK_TIMEOUT = 60_000

const { values: options } = parseArgs({
  options: {
    browser: { type: 'string', multiple: true },
    only: { type: 'string' },
    qlog: { type: 'string' },
  },
})
const only = new RegExp(options.only ?? '')
const counts = { passed: 0, failed: 0, cannot: 0 }

async function limited(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${CHECK_TIMEOUT} ms`)), CHECK_TIMEOUT)
  })
  await Promise.race([work, limit]).finally(() => clearTimeout(timer))
}

/** Checks that had to run twice. */
const unsteady: string[] = []

/**
 * Runs a check; one that fails runs a second time, and the second time counts: a browser on a busy machine has timers of
 * its own. What fails twice is a fault, what fails once is said at the end.
 */
async function report(title: string, body: () => Promise<void>): Promise<void> {
  if (await attempt(title, body)) {
    counts.passed++
    return
  }
  console.log(`  once more: ${title}`)
  if (await attempt(title, body)) {
    counts.passed++
    unsteady.push(title)
  } else counts.failed++
}

async function attempt(title: string, body: () => Promise<void>): Promise<boolean> {
  const started = performance.now()
  try {
    await limited(body())
    console.log(`  ok     ${title} (${((performance.now() - started) / 1000).toFixed(2)} s)`)
    return true
  } catch (error) {
    console.log(`  FAILED ${title}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

function contextOf(site: BrowserSite, browser: Browser, surface: ReadonlySet<string>): CheckContext {
  return {
    site,
    browser,
    surface,
    call: (module, name, ...parameters) => {
      const list = parameters.map((value) => JSON.stringify(value)).join(', ')
      return browser.page.evaluate(`import('/${module}.js').then((module) => module.${name}(${list}))`)
    },
  }
}

async function runCheck(check: Check, context: CheckContext): Promise<void> {
  const { site, browser } = context
  const reason = check.cannot?.(context)
  if (reason !== undefined) {
    counts.cannot++
    console.log(`  cannot ${check.title}: ${reason}`)
    return
  }
  await report(check.title, async () => {
    site.sessions.forget()
    await browser.page.goto(`${site.origin}/index.html`)
    try {
      await check.run(context)
      await browser.page.goto('about:blank')
    } catch (error) {
      await browser.page.goto('about:blank')
      // What a failed check has left behind must not fail the next one.
      await site.settle().catch(() => {})
      throw error
    }
    await site.settle()
  })
}

/** All checks that share one browser and one server. */
async function runShared(kind: BrowserKind): Promise<void> {
  const checks = [...HTTP_CHECKS, ...WEBTRANSPORT_CHECKS].filter(({ title }) => only.test(title))
  if (checks.length === 0) return
  const folder = mkdtempSync(join(tmpdir(), 'quactor-browser-'))
  const site = await BrowserSite.start({ qlog: options.qlog })
  let browser: Browser | undefined
  try {
    browser = await kind.start(site.site(true), folder)
    console.log(`${browser.name} ${browser.version}`)
    await browser.page.goto(`${site.origin}/index.html`)
    const surface = await contextOf(site, browser, new Set()).call('webtransport', 'surface')
    const context = contextOf(site, browser, new Set(surface as string[]))
    for (const check of checks) await runCheck(check, context)
  } finally {
    await browser?.close()
    await site.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function runSpecial(kind: BrowserKind, check: SpecialCheck): Promise<void> {
  const reason = check.cannot?.(kind)
  if (reason !== undefined) {
    counts.cannot++
    console.log(`  cannot ${check.title}: ${reason}`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'quactor-browser-'))
  await report(check.title, () =>
    check.run({
      kind,
      folder,
      qlog: options.qlog,
      callIn: (site, browser, ...parameters) => contextOf(site, browser, new Set()).call(...parameters),
    }),
  )
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function runBrowser(kind: BrowserKind): Promise<void> {
  const absence = kind.absence()
  if (absence !== undefined) {
    if (process.env.CI === 'true') throw new Error(`${kind.name} is not here: ${absence}`)
    counts.cannot++
    console.log(`${kind.name} is not here: ${absence}`)
    return
  }
  await runShared(kind)
  for (const check of SPECIAL_CHECKS) if (only.test(check.title)) await runSpecial(kind, check)
}

// Stopped from outside (a time limit of CI), the run takes its browser along: that is done on exit.
process.once('SIGTERM', () => process.exit(143))
process.once('SIGINT', () => process.exit(130))

const wanted = (options.browser ?? ['chromium', 'firefox']).map((name) => name.toLowerCase())
for (const kind of [chromium, firefox]) {
  if (!wanted.includes(kind.name.toLowerCase())) continue
  await runBrowser(kind)
}
if (unsteady.length > 0) console.log(`\nrun twice: ${unsteady.join('; ')}`)
console.log(
  `\n${counts.passed} passed, ${counts.failed} failed, ${counts.cannot} cannot be done by the browser`,
)
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1)
