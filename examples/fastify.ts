// Fastify over HTTP/3, HTTP/2 and HTTP/1.1 on one port: quactor makes the server that it asks for.
import fastify from 'fastify'
import { createServer } from 'quactor'

const app = fastify({ serverFactory: (handler) => createServer({}, handler) })
app.get('/', async (request) => ({ hello: 'Fastify', version: request.raw.httpVersion }))
app.post('/echo', async (request) => request.body)

await app.listen({ port: Number(process.env.PORT ?? 4433) })
const address = app.server.address()
console.log(`ready https://localhost:${typeof address === 'object' ? address?.port : address}`)
