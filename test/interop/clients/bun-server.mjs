/** Bun's own HTTP/3 server (lsquic): files of a folder and POST /echo, on 127.0.0.1. Runs in Bun. */
const [port, root, cert, key] = process.argv.slice(2)

Bun.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  http3: true,
  tls: { cert: Bun.file(cert), key: Bun.file(key) },
  fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === '/echo') return new Response(request.body)
    return new Response(Bun.file(`${root}${pathname}`))
  },
})
