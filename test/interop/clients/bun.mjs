/** Bun's own HTTP/3 client (lsquic), asked for by `protocol: 'http3'`. Runs in Bun. */
import { check, expect, finish, origin, runChecks } from './checks.mjs'

/** Bun 1.4 refuses a `ca` together with HTTP/3, so the certificate is not verified here. */
const tls = { rejectUnauthorized: false }

await runChecks(async (method, path, body) => {
  const response = await fetch(`${origin}${path}`, { method, protocol: 'http3', tls, ...(body && { body }) })
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) }
})

await check('WebSocket on /ws over TCP returns what it is sent', async () => {
  const socket = new WebSocket(`${origin.replace('https', 'wss')}/ws`, { protocols: ['echo'], tls })
  const length = await new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error('the WebSocket failed'))
    socket.onopen = () => socket.send('x'.repeat(500_000))
    socket.onmessage = ({ data }) => resolve(data.length)
  })
  expect(length === 500_000 && socket.protocol === 'echo', `${length} characters, ${socket.protocol}`)
  const code = await new Promise((resolve) => {
    socket.onclose = (event) => resolve(event.code)
    socket.close(3_000)
  })
  expect(code === 3_000, `closed with ${code}`)
})
finish()
