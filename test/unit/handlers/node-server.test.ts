// createServer() over real sockets: the face of node:http, HTTP/3 and HTTP/2 on one port.
import { connect as connectHttp2 } from 'node:http2'
import { expect, test } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { createServer, type NodeServer } from '../../../src/handlers/node-server.ts'

function listening(server: NodeServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(server.address()!.port))
  })
}

function closed(server: NodeServer): Promise<Error | undefined> {
  return new Promise((resolve) => void server.close(resolve))
}

test('one listener answers over HTTP/3 and over HTTP/2, and says which', async () => {
  const server = createServer({}, (request, response) => response.end(request.httpVersion))
  const port = await listening(server)
  expect(server.listening).toBe(true)
  const session = await connect(`https://127.0.0.1:${port}`, { insecure: true })
  expect(await (await session.request({ path: '/' })).text()).toBe('3.0')
  session.close()
  const http2 = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  const stream = http2.request({ ':path': '/' })
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).toString()).toBe('2.0')
  http2.close()
  expect(server.quactor!.status().handlers.live).toBe(0)
  expect(await closed(server)).toBeUndefined()
  expect(server.listening).toBe(false)
  expect(server.address()).toBeNull()
})

test('a busy port is an error event, closing twice an error of the callback, and it can listen again', async () => {
  const first = createServer({}, (_request, response) => response.end())
  const port = await listening(first)
  const second = createServer({}, (_request, response) => response.end('second'))
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    second.once('error', resolve)
    second.listen(port, '127.0.0.1')
  })
  expect(error.code).toBe('EADDRINUSE')
  await closed(first)
  expect(await closed(first)).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
  expect(await listening(second)).toBeGreaterThan(0)
  await closed(second)
})

test('paths and handles are refused at once', () => {
  expect(() => createServer().listen('/tmp/x.sock')).toThrow(TypeError)
  expect(() => createServer().listen({ fd: 3 })).toThrow(TypeError)
})
