/** impit's HTTP/3 client (reqwest, h3 and quinn in Rust). Runs in Node. */
import { Impit } from 'impit'
import { finish, origin, runChecks } from './checks.mjs'

const client = new Impit({ http3: true, ignoreTlsErrors: true, timeout: 60_000 })

await runChecks(async (method, path, body) => {
  const response = await client.fetch(`${origin}${path}`, { method, forceHttp3: true, ...(body && { body }) })
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) }
})
finish()
