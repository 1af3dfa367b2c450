/**
 * Frame rate of the inspector's page in Chromium: invented streams (5,000 unless told) that make 15,000 transitions per
 * second, while the list is scrolled by script. Counts frames and what each took.
 *
 *     node bench/inspector-frames.ts [--streams 5000] [--rate 15000] [--seconds 10] [--json]
 *
 * The feed is invented (inspector/ui/dev/mock-feed.ts), so that the page is measured and not the server; it runs in a
 * process of its own, because in one process it would take the time of the driver.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { launch } from '../test/browser/inspector/site.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '5000' },
    rate: { type: 'string', default: '15000' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
})
const PORT = 4_499

/** Scrolls the list down and up by 40 px a frame, and returns the time of each frame. */
const MEASURE = `new Promise((resolve) => {
  const list = document.querySelector('.list .virtual')
  const frames = []
  let last = performance.now(), by = 40
  const begin = last
  const frame = (now) => {
    frames.push(now - last)
    last = now
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 50) by = -40
    if (list.scrollTop <= 0) by = 40
    list.scrollTop += by
    if (now - begin < ${+values.seconds * 1_000}) requestAnimationFrame(frame)
    else resolve(frames.slice(1))
  }
  requestAnimationFrame(frame)
})`

const parameters = ['--streams', values.streams, '--rate', values.rate, '--port', `${PORT}`]
const feed = spawn(process.execPath, ['inspector/ui/dev/mock-feed.ts', ...parameters], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
try {
  const url = await new Promise<string>((resolve) =>
    feed.stdout.once('data', (line) => resolve(String(line).trim())),
  )
  const browser = await launch()
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(url)
    await page.waitForSelector('.list .row')
    await page.waitForTimeout(2_000)
    const frames = await page.evaluate<number[]>(MEASURE)
    report(frames.sort((a, b) => a - b))
  } finally {
    await browser.close()
  }
} finally {
  feed.kill()
}

function report(sorted: readonly number[]): void {
  const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))]! * 10) / 10
  const seconds = sorted.reduce((sum, frame) => sum + frame, 0) / 1_000
  const result = {
    streams: +values.streams,
    transitionsPerSecond: +values.rate,
    framesPerSecond: Math.round((sorted.length / seconds) * 10) / 10,
    frameMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) },
    framesOver33Ms: sorted.filter((frame) => frame > 33.4).length,
    frames: sorted.length,
  }
  console.log(values.json ? JSON.stringify(result) : result)
}
