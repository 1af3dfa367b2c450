// A plain listener of node:http, unchanged, over HTTP/3, HTTP/2 and HTTP/1.1 on one port.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'quactor'

function listener(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') {
    request.pipe(response)
    return
  }
  response.setHeader('content-type', 'text/plain')
  response.end(`hello over HTTP/${request.httpVersion}\n`)
}

const server = createServer({}, listener)
server.listen(Number(process.env.PORT ?? 4433), () => {
  console.log(`ready ${server.quactor?.url}`)
})
