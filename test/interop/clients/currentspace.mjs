/** The HTTP/3 client of @currentspace/http3 (Cloudflare's quiche as a Node addon). Runs in Node. */
import { connectAsync } from '@currentspace/http3'
import { finish, origin, runChecks } from './checks.mjs'

const session = await connectAsync(origin, { rejectUnauthorized: false, maxIdleTimeoutMs: 20_000 })

/**
 * It hands 20 times of what min(congestion window, connection credit) allows to quiche (`set_send_capacity_factor` in
 * its src/config.rs), and quiche 0.29 sends all of it: beyond our MAX_DATA, which a server must answer with
 * FLOW_CONTROL_ERROR (RFC 9000 section 4.1). An upload with less than this on its way stays within the credit.
 */
const UNECHOED_BYTES = 128 * 1024
const PIECE_BYTES = 32 * 1024

/** It throws at the stream limit instead of waiting for credit; 100 are open at most, some of them still closing. */
const PARALLEL_REQUESTS = 50

console.log(
  'note: its upload waits for its echo; sent at once it goes beyond MAX_DATA, as quiche multiplies the credit by 20',
)
await runChecks(async (method, path, body) => {
  const head = { ':method': method, ':scheme': 'https', ':authority': new URL(origin).host, ':path': path }
  const stream = await session.requestAsync(head, { endStream: body === undefined })
  const status = new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(Number(headers[':status'])))
    stream.once('error', reject)
  })
  const chunks = []
  let sent = 0
  let echoed = 0
  const upload = () => {
    while (sent < body.length && sent - echoed < UNECHOED_BYTES) {
      stream.write(body.subarray(sent, sent + PIECE_BYTES))
      sent += PIECE_BYTES
      if (sent >= body.length) stream.end()
    }
  }
  if (body !== undefined) upload()
  for await (const chunk of stream) {
    chunks.push(chunk)
    echoed += chunk.length
    if (body !== undefined) upload()
  }
  return { status: await status, body: Buffer.concat(chunks) }
}, PARALLEL_REQUESTS)
await session.close()
finish()
