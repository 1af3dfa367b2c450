/**
 * The checks that every HTTP/3 client written in JavaScript makes, whatever runtime it is. Each client
 * passes its own `exchange`; one line per check is printed: `ok TITLE` or `not ok TITLE: REASON`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import process from 'node:process'

const UPLOAD_BYTES = 5_000_000
const PARALLEL_REQUESTS = 100
const CHECK_TIMEOUT_MS = 60_000

/** Origin of the server under test, its certificate (PEM) and the digest of /bytes/1000000. */
export const origin = process.env.QUACTOR_ORIGIN ?? 'https://localhost:4433'
export const certificate = readFileSync(process.env.QUACTOR_CA ?? '', 'utf8')
const digest = process.env.QUACTOR_DIGEST

/** When set, the only checks that are made. */
const only = new RegExp(process.env.QUACTOR_ONLY ?? '')

let failed = false

/** Runs one check with a time limit and prints its line. */
export async function check(title, body) {
  if (!only.test(title)) return
  let timer
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([body(), limit])
    console.log(`ok ${title}`)
  } catch (error) {
    failed = true
    const reason = error instanceof Error ? `${error.message} ${error.code ?? ''}` : String(error)
    console.log(`not ok ${title}: ${reason.replaceAll('\n', ' ')}`)
  } finally {
    clearTimeout(timer)
  }
}

/** Throws unless the condition holds. */
export function expect(condition, reason) {
  if (!condition) throw new Error(reason)
}

/**
 * The checks that all clients have in common.
 *
 * @param exchange (method, path, body?: Uint8Array) => Promise<{ status: number, body: Uint8Array }>
 * @param parallel how many requests at once
 */
export async function runChecks(exchange, parallel = PARALLEL_REQUESTS) {
  const get = async (path) => {
    const response = await exchange('GET', path)
    expect(response.status === 200, `status ${response.status}`)
    return response.body
  }
  await check('GET /health', async () => {
    const text = new TextDecoder().decode(await get('/health'))
    expect(text.startsWith('ok'), `body ${JSON.stringify(text)}`)
  })
  await check('GET /bytes/1000000 arrives intact', async () => {
    const body = await get('/bytes/1000000')
    expect(body.length === 1_000_000, `${body.length} bytes`)
    expect(createHash('sha256').update(body).digest('hex') === digest, 'the bytes differ')
  })
  await check('POST 5 MB to /echo returns the same bytes', async () => {
    const sent = randomBytes(UPLOAD_BYTES)
    const response = await exchange('POST', '/echo', sent)
    expect(response.status === 200, `status ${response.status}`)
    expect(Buffer.compare(sent, response.body) === 0, `${response.body.length} bytes came back, not the same`)
  })
  await check(`${parallel} requests at once`, async () => {
    const bodies = await Promise.all(Array.from({ length: parallel }, () => get('/bytes/1000')))
    expect(
      bodies.every((body) => body.length === 1000),
      'a body has the wrong length',
    )
  })
}

/** Ends the process with the verdict; some native clients would keep it alive. */
export function finish() {
  process.exit(failed ? 1 : 0)
}
