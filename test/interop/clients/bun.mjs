/** Bun's own HTTP/3 client (lsquic), asked for by `protocol: 'http3'`. Runs in Bun. */
import { finish, origin, runChecks } from './checks.mjs'

/** Bun 1.4 refuses a `ca` together with HTTP/3, so the certificate is not verified here. */
const tls = { rejectUnauthorized: false }

await runChecks(async (method, path, body) => {
  const response = await fetch(`${origin}${path}`, { method, protocol: 'http3', tls, ...(body && { body }) })
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) }
})
finish()
