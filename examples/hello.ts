// The smallest server. Try it: quactor get --insecure https://localhost:4433/
import { serve } from 'quactor'

const server = await serve({
  port: Number(process.env.PORT ?? 4433),
  fetch: (request) => new Response(`hello from ${new URL(request.url).pathname}\n`),
})
console.log(`ready ${server.url}`)
