/** Debian's Chromium, driven by playwright-core: a page, a POST and an event stream over HTTP/3. Runs in Node. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { chromium } from 'playwright-core'
import { check, expect, finish, origin } from './checks.mjs'

const EXECUTABLE = process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium'
const UPLOAD_BYTES = 1_000_000
const EVENTS = 3

const profile = mkdtempSync(join(tmpdir(), 'quactor-chromium-'))
const { port } = new URL(origin)
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
    ...(process.env.QUACTOR_QUIC_VERSION ? [`--quic-version=${process.env.QUACTOR_QUIC_VERSION}`] : []),
    // WebSockets over HTTP/3 (RFC 9220) are behind this flag in Chromium 156; without it they go over TCP.
    '--enable-features=EnableWebsocketsOverHttp3',
    `--origin-to-force-quic-on=localhost:${port}`,
    `--ignore-certificate-errors-spki-list=${process.env.QUACTOR_SPKI}`,
    '--host-resolver-rules=MAP localhost 127.0.0.1',
    ...(process.env.SSLKEYLOGFILE ? [`--ssl-key-log-file=${process.env.SSLKEYLOGFILE}`] : []),
  ],
})

const page = await context.newPage()
page.setDefaultTimeout(20_000)
/** Over version 2 Chromium names the draft that it knows that version by. */
const isHttp3 = (name) => (process.env.QUACTOR_QUIC_VERSION ? name.startsWith('h3/quic2') : name === 'h3')
const protocols = () =>
  page.evaluate(() =>
    performance
      .getEntries()
      .filter((entry) => 'nextHopProtocol' in entry)
      .map((entry) => entry.nextHopProtocol),
  )

await check('GET / loads over h3', async () => {
  const response = await page.goto(`https://localhost:${port}/`)
  expect(response?.status() === 200, `status ${response?.status()}`)
  const first = await page.evaluate(() => performance.getEntries()[0].nextHopProtocol)
  expect(isHttp3(first), `nextHopProtocol is ${JSON.stringify(first)}`)
})

await check('POST 1 MB to /echo returns the same bytes', async () => {
  const same = await page.evaluate(async (length) => {
    const sent = new Uint8Array(length)
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(sent.subarray(at, at + 65_536))
    const response = await fetch('/echo', { method: 'POST', body: sent })
    const received = new Uint8Array(await response.arrayBuffer())
    return (
      response.status === 200 && received.length === length && received.every((byte, at) => byte === sent[at])
    )
  }, UPLOAD_BYTES)
  expect(same, 'what came back is not the same')
})

await check('EventSource on /sse delivers events as they happen', async () => {
  const received = await page.evaluate(
    (wanted) =>
      new Promise((resolve, reject) => {
        const times = []
        const events = new EventSource('/sse')
        events.onerror = () => reject(new Error('the event stream failed'))
        events.onmessage = () => {
          times.push(performance.now())
          if (times.length < wanted) return
          events.close()
          resolve(times)
        }
      }),
    EVENTS,
  )
  expect(received.length === EVENTS, `${received.length} events`)
  expect(received.at(-1) > received[0], 'all events came at once: the response was not streamed')
})

await check('reading /sse with fetch and cancelling it', async () => {
  const first = await page.evaluate(async () => {
    const response = await fetch('/sse')
    const reader = response.body.getReader()
    const { value } = await reader.read()
    await reader.cancel()
    return new TextDecoder().decode(value)
  })
  expect(first.includes('data:'), `first chunk ${JSON.stringify(first)}`)
})

await check('WebSocket on /ws over HTTP/3 returns what it is sent', async () => {
  const opened = await page.evaluate(
    (length) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://${location.host}/ws`, ['other', 'echo'])
        const received = []
        socket.binaryType = 'arraybuffer'
        socket.onerror = () => reject(new Error('the WebSocket failed'))
        socket.onopen = () => {
          socket.send('text')
          socket.send(new Uint8Array(length))
        }
        socket.onmessage = ({ data }) => {
          received.push(data.byteLength ?? data)
          if (received.length === 2) resolve({ received, protocol: socket.protocol })
        }
        window.openSocket = socket
      }),
    UPLOAD_BYTES,
  )
  expect(opened.received.join() === `text,${UPLOAD_BYTES}`, `received ${opened.received}`)
  expect(opened.protocol === 'echo', `subprotocol ${opened.protocol}`)
  // Exchanges over TCP are no handlers of a QUIC connection.
  // That of the event stream before may take a moment to end.
  let live = 0
  for (let attempt = 0; attempt < 50; attempt++) {
    live = (await (await fetch(new URL('/status', process.env.QUACTOR_INSPECTOR))).json()).handlers.live
    if (live === 1) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(live === 1, `${live} handlers live: the WebSocket is not on HTTP/3`)
  const code = await page.evaluate(
    () =>
      new Promise((resolve) => {
        window.openSocket.onclose = ({ code, wasClean }) => resolve(wasClean ? code : -code)
        window.openSocket.close(3_000, 'enough')
      }),
  )
  expect(code === 3_000, `closed with ${code}`)
})

await check('100 requests at once', async () => {
  const lengths = await page.evaluate(() =>
    Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const response = await fetch(`/bytes/1000?${index}`)
        return (await response.arrayBuffer()).byteLength
      }),
    ),
  )
  expect(
    lengths.every((length) => length === 1000),
    'a body has the wrong length',
  )
})

await check('everything was loaded over h3', async () => {
  const others = (await protocols()).filter((protocol) => !isHttp3(protocol))
  expect(others.length === 0, `also used: ${others.join(', ')}`)
})

await context.close()
rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
finish()
