// Express 5, unchanged, over HTTP/3, HTTP/2 and HTTP/1.1 on one port.
import express from 'express'
import { nodeListener, serve } from 'quactor'

const app = express()
app.use(express.json())
app.get(
  '/',
  (request, response) => void response.send(`hello from Express over HTTP/${request.httpVersion}\n`),
)
app.post('/echo', (request, response) => void response.json(request.body))

const server = await serve({ port: Number(process.env.PORT ?? 4433), handler: nodeListener(app) })
console.log(`ready ${server.url}`)
