/** Checks of plain HTTP/3 that run in the page. Each resolves, or rejects with what is wrong. */
import { expect, pattern, readPattern, within } from './expect.js'

/** How the document and everything since has come; what was aborted has no protocol. */
export function protocols() {
  return performance
    .getEntries()
    .filter((entry) => 'nextHopProtocol' in entry && entry.nextHopProtocol !== '')
    .map((entry) => entry.nextHopProtocol)
}

export async function upload(length) {
  const body = pattern(length)
  const response = await fetch('/upload', { method: 'POST', body })
  expect(response.status === 200, `status ${response.status}`)
  const { length: received, digest } = await response.json()
  expect(received === length, `${received} bytes arrived`)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body))
  expect(
    digest === Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    'the bytes differ',
  )
}

/** Browsers read the response when the whole request is sent: an echo may be as long as the windows. */
export async function echo(length) {
  const response = await fetch('/echo', { method: 'POST', body: pattern(length) })
  expect(response.status === 200, `status ${response.status}`)
  const back = await readPattern(response.body)
  expect(back === length, `${back} bytes came back`)
}

export async function download(length) {
  const response = await fetch(`/bytes/${length}`)
  expect(response.status === 200, `status ${response.status}`)
  const received = await readPattern(response.body)
  expect(received === length, `${received} bytes`)
}

export async function events(wanted) {
  const source = new EventSource('/sse')
  const times = await within(
    20_000,
    new Promise((resolve, reject) => {
      const arrivals = []
      source.onerror = () => reject(new Error('the event stream failed'))
      source.onmessage = ({ data, lastEventId }) => {
        expect(JSON.parse(data).protocol === 'h3', `sent over ${JSON.parse(data).protocol}`)
        arrivals.push([Number(lastEventId), performance.now()])
        if (arrivals.length === wanted) resolve(arrivals)
      }
    }),
    'events',
  ).finally(() => source.close())
  expect(
    times.every(([id], index) => id === index + 1),
    `events ${times.map(([id]) => id)}`,
  )
  expect(times.at(-1)[1] - times[0][1] > 100, 'all events came at once: the response was not streamed')
}

/** Stops a download when some of it is there, and an upload that is under way. */
export async function abort() {
  const download = new AbortController()
  const response = await fetch('/bytes/50000000', { signal: download.signal })
  const reader = response.body.getReader()
  let received = 0
  while (received < 1_000_000) received += (await reader.read()).value.length
  download.abort()
  const failure = await reader.read().then(
    () => undefined,
    (error) => error,
  )
  expect(failure?.name === 'AbortError', `reading on gave ${failure}`)

  const upload = new AbortController()
  const body = new Blob([pattern(20_000_000)])
  const sending = fetch('/hang', { method: 'POST', body, signal: upload.signal })
  await new Promise((resolve) => setTimeout(resolve, 300))
  upload.abort()
  const refusal = await sending.then(
    () => undefined,
    (error) => error,
  )
  expect(refusal?.name === 'AbortError', `the upload ended with ${refusal}`)

  const { status } = await within(20_000, fetch('/health'), 'the next request')
  expect(status === 200, `the next request got ${status}`)
}

/** A request without an answer, for a page that leaves. */
export function hang() {
  fetch('/hang').catch(() => {})
  return new Promise((resolve) => setTimeout(resolve, 300))
}

export async function parallel(count) {
  const lengths = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const response = await fetch(`/bytes/${10_000 + index}`, { cache: 'no-store' })
      return readPattern(response.body)
    }),
  )
  lengths.forEach((length, index) => {
    expect(length === 10_000 + index, `request ${index} got ${length} bytes`)
  })
}
