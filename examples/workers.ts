// A server on all cores.
//
//   node --conditions=quactor-source examples/workers.ts [PORT]
//
// The program runs in the process that was started, and once more in each worker; up to serve() they do the same. In a
// project of your own, import from 'quactor' instead.
import { serve } from 'quactor'

const server = await serve({
  port: Number(process.argv[2] ?? 4433),
  workers: 'auto',
  inspector: { port: 0 },
  fetch: () => new Response(`answered by process ${process.pid}\n`),
  onFault: ({ kind, error }) => console.error(kind, error),
})

// Only the process that was started says so, and listens to signals; the end of it is the end of all.
if (server.worker === undefined) {
  console.log(`${server.url}, ${server.inspector}/status`)
  process.once('SIGINT', () => void server.close())
}
