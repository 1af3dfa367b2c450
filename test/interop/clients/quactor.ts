/**
 * quactor's own client against a server that nobody here wrote: one script for all of them, started with the pinned Node.
 * Reads SERVER_ORIGIN, SERVER_CA, SERVER_LARGE (path of LARGE bytes), SERVER_DIGEST (their SHA-256), and SERVER_ECHO
 * (largest body in bytes that POST /echo returns, 0 for none), SERVER_EARLY and SERVER_STILL (why it takes no early data, does
 * not follow a client that moves), SERVER_ALT_SVC ("1": announced over TCP), SERVER_ASKS (PEM certificate and key to show
 * to a server that asks for one).
 */
import { createHash, randomBytes } from 'node:crypto'
import { connect, type FetchResponse, HttpClient, MemorySessionStore } from '../../../src/index.ts'

const LARGE = 10_000_000
const PARALLEL = 100
const CHECK_TIMEOUT = 60_000

const { env } = process
const origin = env.SERVER_ORIGIN ?? ''
const ca = env.SERVER_CA ?? ''
const large = `${origin}${env.SERVER_LARGE ?? ''}`
const echoLimit = Number(env.SERVER_ECHO ?? 0)
const identity = env.SERVER_ASKS
/** How servers are met: whom to trust, and what to show. */
const met = { ca, cert: identity, key: identity }
const client = new HttpClient({ ...met, http3: 'only', timeout: 10_000 })

function expect(what: string, actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`${what} is ${String(actual)}, not ${String(wanted)}`)
}

/** @param feature column of the table; default: requests */
async function check(
  name: string,
  body: () => Promise<string | undefined>,
  feature?: 'keyUpdate' | 'migration' | 'resumption' | 'earlyData',
): Promise<void> {
  const title = feature === undefined ? name : `[${feature}] ${name}`
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no end after ${CHECK_TIMEOUT} ms`)), CHECK_TIMEOUT)
  try {
    const remark = await Promise.race([body(), late.promise])
    console.log(`ok ${title}${remark === undefined ? '' : ` (${remark})`}`)
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? `${message}, ${cause.message}` : message
    console.log(`not ok ${title}: ${why.replaceAll(/\s+/g, ' ')}`)
  } finally {
    clearTimeout(timer)
  }
}

async function small(from: HttpClient = client): Promise<FetchResponse> {
  const response = (await from.fetch(`${origin}/health`)) as FetchResponse
  expect('status', response.status, 200)
  expect('body', (await response.text()).trim(), 'ok')
  return response
}

async function download(response: AsyncIterable<Uint8Array>): Promise<void> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of response) {
    hash.update(chunk)
    length += chunk.length
  }
  expect('length', length, LARGE)
  expect('SHA-256', hash.digest('hex'), env.SERVER_DIGEST)
}

async function checkTransfers(): Promise<void> {
  await check('GET small', async () => {
    expect('protocol', (await small()).protocol, 'h3')
    return undefined
  })
  await check('GET 10 MB arrives intact', async () => {
    await download((await client.fetch(large)).body!)
    return undefined
  })
  if (echoLimit > 0) {
    await check(`POST ${echoLimit} bytes, streamed, come back the same`, async () => {
      const sent = randomBytes(echoLimit)
      const body = new Blob([sent]).stream()
      const response = await client.fetch(`${origin}/echo`, { method: 'POST', body, duplex: 'half' })
      expect('same bytes', Buffer.from(await response.arrayBuffer()).equals(sent), true)
      return undefined
    })
  }
  await check(`${PARALLEL} requests at once on one connection`, async () => {
    await Promise.all(Array.from({ length: PARALLEL }, () => small()))
    expect('connections', client.connections, 1)
    return undefined
  })
  await check('HEAD has no body', async () => {
    const response = await client.fetch(large, { method: 'HEAD' })
    expect('status', response.status, 200)
    expect('length', (await response.arrayBuffer()).byteLength, 0)
    return undefined
  })
  await check('abort in the middle of a body, and the connection goes on', async () => {
    const controller = new AbortController()
    const response = await client.fetch(large, { signal: controller.signal })
    const reader = response.body!.getReader()
    await reader.read()
    controller.abort()
    const error = await reader.read().catch((reason: unknown) => reason)
    expect('error', error instanceof DOMException && error.name, 'AbortError')
    await small()
    expect('connections', client.connections, 1)
    return undefined
  })
}

async function checkConnection(): Promise<void> {
  await check('key updates by this client in the middle of a body', checkKeyUpdates, 'keyUpdate')
  if (env.SERVER_STILL === undefined) {
    await check('another address in the middle of a body', checkMove, 'migration')
  } else console.log(`cannot [migration]: ${env.SERVER_STILL}`)
  await check('comes back with a ticket', () => comeBack(false), 'resumption')
  if (env.SERVER_EARLY === undefined) {
    await check('comes back with early data that is accepted', () => comeBack(true), 'earlyData')
  } else console.log(`cannot [earlyData]: ${env.SERVER_EARLY}`)
}

async function checkKeyUpdates(): Promise<string> {
  const session = await connect(origin, met)
  const response = await session.request({ path: env.SERVER_LARGE })
  let updates = 0
  const timer = setInterval(() => {
    if (session.connection.updateKeys()) updates++
  }, 20)
  await download(response).finally(() => clearInterval(timer))
  expect('an update', session.connection.updateKeys() || updates > 0, true)
  expect('status after it', (await session.request({ path: '/health' })).status, 200)
  await session.end()
  return `${updates} during the transfer`
}

async function checkMove(): Promise<undefined> {
  const session = await connect(origin, met)
  const response = await session.request({ path: env.SERVER_LARGE })
  await Promise.all([session.migrate(), download(response)])
  expect('status after it', (await session.request({ path: '/health' })).status, 200)
  await session.end()
}

async function comeBack(earlyData: boolean): Promise<undefined> {
  const sessions = new MemorySessionStore()
  const first = await connect(origin, { ...met, sessions })
  await first.resumable
  await first.end()
  await using again = new HttpClient({ ...met, sessions, earlyData, http3: 'only' })
  const response = await again.request(`${origin}/health`)
  expect('body', (await response.text()).trim(), 'ok')
  expect('resumed', response.session?.isResumed, true)
  if (earlyData) expect('early data', response.session?.earlyData, 'accepted')
}

async function checkUpgrade(): Promise<void> {
  await check('Alt-Svc moves fetch() from TCP to HTTP/3', async () => {
    await using fresh = new HttpClient(met)
    expect('first protocol', (await small(fresh)).protocol, 'http/1.1')
    const deadline = Date.now() + 5_000
    while ((await small(fresh)).protocol !== 'h3') if (Date.now() > deadline) throw new Error('still by TCP')
    return undefined
  })
}

await checkTransfers()
await checkConnection()
if (env.SERVER_ALT_SVC === '1') await checkUpgrade()
await check('refuses a certificate of nobody it trusts', async () => {
  await using untrusting = new HttpClient({ http3: 'only' })
  const error = await untrusting.fetch(origin).catch((reason: Error) => reason.cause)
  expect('TLS alert', (error as { code?: number }).code, 0x100 + 48)
  return undefined
})
if (identity !== undefined) {
  await check('is refused without a certificate by a server that asks for one', async () => {
    await using nobody = new HttpClient({ ca, http3: 'only' })
    const error = await nobody.fetch(`${origin}/health`).catch((reason: Error) => reason.cause)
    expect('TLS alert', (error as { code?: number }).code, 0x100 + 116)
    return undefined
  })
}
await client.close()
