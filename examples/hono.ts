// Hono over HTTP/3, HTTP/2 and HTTP/1.1 on one port: its fetch function is the handler.
import { Hono } from 'hono'
import { serve } from 'quactor'

const app = new Hono()
app.get('/', (context) => context.text('hello from Hono\n'))
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }))
app.post('/echo', async (context) => context.text(await context.req.text()))

const server = await serve({ port: Number(process.env.PORT ?? 4433), fetch: app.fetch })
console.log(`ready ${server.url}`)
