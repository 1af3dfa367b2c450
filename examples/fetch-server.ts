// The smallest server: a web-standard handler over HTTP/3, and over HTTP/1.1 and HTTP/2 on the same port.
//
//   node --conditions=quactor-source examples/fetch-server.ts
//
// In a project of your own, import from 'quactor' instead.
import { serve } from 'quactor'

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/echo') return new Response(request.body)
  if (pathname === '/stream') return new Response(countdown())
  return new Response(`hello, you asked for ${pathname}\n`)
}

/** A body that is made while it is sent; it is pulled only as fast as the client reads. */
function countdown(): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let left = 10
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      controller.enqueue(encoder.encode(`${left}\n`))
      left -= 1
      if (left === 0) controller.close()
    },
  })
}

const server = await serve({ port: Number(process.env.PORT ?? 4433), tls: 'self-signed', fetch: handle })
console.log(`ready ${server.url}`)

process.once('SIGINT', () => {
  void server.close({ timeout: 10_000 })
})
