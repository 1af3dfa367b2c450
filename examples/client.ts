// A client: the web's fetch over HTTP/3. Start examples/fetch-server.ts first.
//
//   node --conditions=quactor-source examples/client.ts
//
// In a project of your own, import from 'quactor' instead.
import { HttpClient } from 'quactor'

const origin = 'https://localhost:4433'

// `insecure` because the server's certificate is made for development; elsewhere leave it out, or give `ca`.
const client = new HttpClient({ insecure: true, http3: 'prefer' })

const echo = await client.fetch(`${origin}/echo`, {
  method: 'POST',
  body: new Blob(['there ', 'and back']).stream(),
  duplex: 'half',
  signal: AbortSignal.timeout(5_000),
})
console.log(echo.status, await echo.text())

// A body is read as it comes, and the server makes it no faster than it is read.
const stream = await client.fetch(`${origin}/stream`)
for await (const chunk of stream.body ?? []) process.stdout.write(chunk)

await client.close()
