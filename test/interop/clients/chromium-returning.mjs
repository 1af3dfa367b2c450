/** Chromium visits a page, waits until its connection is over, and comes back: does early data work? Runs in Node. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { chromium } from 'playwright-core'

const EXECUTABLE = process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium'
/** More than the idle timeout of the server. */
const ABSENCE = 2_500

const origin = process.env.QUACTOR_ORIGIN
const { port } = new URL(origin)
const profile = mkdtempSync(join(tmpdir(), 'quactor-chromium-'))
const context = await chromium.launchPersistentContext(profile, {
  executablePath: EXECUTABLE,
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--enable-quic',
    `--origin-to-force-quic-on=localhost:${port}`,
    `--ignore-certificate-errors-spki-list=${process.env.QUACTOR_SPKI}`,
    '--host-resolver-rules=MAP localhost 127.0.0.1',
  ],
})
let failed = false
try {
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  for (const visit of ['first', 'second']) {
    const response = await page.goto(`${origin}/visit?${visit}`)
    const protocol = await page.evaluate(() => performance.getEntries()[0].nextHopProtocol)
    if (response?.status() !== 200 || protocol !== 'h3') {
      failed = true
      console.log(`not ok ${visit} visit: status ${response?.status()} over ${protocol}`)
    } else console.log(`ok ${visit} visit over h3`)
    await delay(ABSENCE)
  }
} catch (error) {
  failed = true
  console.log(`not ok visits: ${error.message.replaceAll('\n', ' ')}`)
}
await context.close()
rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
process.exit(failed ? 1 : 0)
