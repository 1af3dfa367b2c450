// A folder as a site: types, ETags, ranges, and .br, .zst or .gz files beside the originals. Try it:
// node examples/static-site.ts docs
import { serve, staticFiles } from 'quactor'

const server = await serve({
  port: Number(process.env.PORT ?? 4433),
  handler: staticFiles(process.argv[2] ?? '.'),
  accessLog: { format: 'text' },
})
console.log(`ready ${server.url}`)
