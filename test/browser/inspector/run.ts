/**
 * `npm run test:inspector`: the inspector's page in a real Chromium, in front of a real server with real HTTP/3 traffic.
 * One check for each thing that the page promises; prints a line for each, and fails when one does.
 */
import { CHECKS } from './checks.ts'
import { InspectedSite, launch } from './site.ts'

const CHECK_TIMEOUT = 40_000

function within(promise: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no result after ${CHECK_TIMEOUT} ms`)), CHECK_TIMEOUT)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const only = process.argv[2]
const site = await InspectedSite.start()
const browser = await launch()
let failures = 0
try {
  site.startTraffic()
  for (const { title, run } of CHECKS) {
    if (only !== undefined && !title.includes(only)) continue
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, acceptDownloads: true })
    const errors: string[] = []
    page.on('pageerror', (error: Error) => errors.push(String(error.stack)))
    try {
      await within(run({ site, page, browser }))
      if (errors.length > 0) throw new Error(`the page threw: ${errors.join('; ')}`)
      console.log(`ok     ${title}`)
    } catch (error) {
      failures++
      console.log(`FAILED ${title}\n       ${error instanceof Error ? error.message : String(error)}`)
      await page.screenshot({ path: `/tmp/inspector-${failures}.png` }).catch(() => {})
    } finally {
      await page.close()
    }
  }
} finally {
  await browser.close()
  await site.close()
}
process.exitCode = failures === 0 ? 0 : 1
