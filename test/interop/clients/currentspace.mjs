/** The HTTP/3 client of @currentspace/http3 (Cloudflare's quiche as a Node addon). Runs in Node. */
import { connectAsync } from '@currentspace/http3'
import { finish, origin, runChecks } from './checks.mjs'

const session = await connectAsync(origin, { rejectUnauthorized: false, maxIdleTimeoutMs: 20_000 })

/** It throws at the stream limit instead of waiting for credit; 100 are open at most, some of them still closing. */
const PARALLEL_REQUESTS = 50

await runChecks(async (method, path, body) => {
  const head = { ':method': method, ':scheme': 'https', ':authority': new URL(origin).host, ':path': path }
  const stream = await session.requestAsync(head, { endStream: body === undefined })
  const status = new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(Number(headers[':status'])))
    stream.once('error', reject)
  })
  if (body !== undefined) stream.end(body)
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return { status: await status, body: Buffer.concat(chunks) }
}, PARALLEL_REQUESTS)
await session.close()
finish()
