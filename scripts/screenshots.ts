/**
 * `npm run screenshots`: pictures of the inspector for README.md and docs/inspector.md, taken in Chromium from the real
 * page in front of a real server with real traffic, one of its handlers stuck on purpose.
 */
import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BrowserPage, InspectedSite, launch } from '../test/browser/inspector/site.ts'

const FOLDER = fileURLToPath(new URL('../docs/images', import.meta.url))
const MOST_BYTES = 300_000

interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly colorScheme: 'dark' | 'light'
  prepare(page: BrowserPage): Promise<void>
}

async function selectStream(page: BrowserPage): Promise<void> {
  await page.fill('#search', 'path:/slow/4000 state:send.ready')
  await page.click('.list .row')
  await page.waitForSelector('.detail svg.chart')
  await page.fill('#search', '')
  await page.waitForSelector('.title .badge', { timeout: 20_000 })
}

const PICTURES: readonly Picture[] = [
  { name: 'inspector-dark', width: 1600, height: 860, colorScheme: 'dark', prepare: selectStream },
  { name: 'inspector-light', width: 1280, height: 800, colorScheme: 'light', prepare: selectStream },
  {
    name: 'inspector-tree',
    width: 1280,
    height: 800,
    colorScheme: 'dark',
    async prepare(page) {
      await page.keyboard.press('2')
      await page.click('.tree .name')
      await page.click('.detail [role="tab"] >> text=Connection')
      await page.waitForSelector('.panel .plot')
      await page.waitForTimeout(8_000)
    },
  },
  {
    name: 'inspector-timeline',
    width: 1280,
    height: 800,
    colorScheme: 'light',
    async prepare(page) {
      await selectStream(page)
      await page.click('text=Timeline')
      await page.waitForTimeout(500)
    },
  },
]

mkdirSync(FOLDER, { recursive: true })
const site = await InspectedSite.start()
const browser = await launch()
try {
  site.startTraffic(3)
  const end = await site.hang()
  const ask = await site.ask()
  const first = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await first.goto(site.address)
  await first.waitForSelector('.stuck.some .card', { timeout: 30_000 })
  for (const { name, width, height, colorScheme, prepare } of PICTURES) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme })
    await page.goto(site.address)
    await page.waitForSelector('.list .row')
    await prepare(page)
    const path = `${FOLDER}/${name}.png`
    await page.screenshot({ path })
    const { size } = statSync(path)
    console.log(`${name}.png ${size} bytes`)
    if (size > MOST_BYTES) throw new Error(`${name}.png is larger than ${MOST_BYTES} bytes`)
    await page.close()
  }
  end()
  ask()
} finally {
  await browser.close()
  await site.close()
}
