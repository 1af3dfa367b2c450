// Listeners of node:http over HTTP/3, through a simulated world: what they see and what comes of what they do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { type NodeListener, nodeListener } from '../../../src/handlers/node-listener.ts'
import { SupervisedWorld } from '../supervisor/supervised-world.ts'

type Session = Awaited<ReturnType<SupervisedWorld['connected']>>

/** Node's streams move on by turns of the real loop, the world by virtual time: both take steps until it is done. */
async function settle<Result>(world: SupervisedWorld, promise: Promise<Result>): Promise<Result> {
  let isSettled = false
  const done = promise.finally(() => {
    isSettled = true
  })
  done.catch(() => {})
  for (let step = 0; step < 20_000 && !isSettled; step++) {
    await new Promise((resolve) => setImmediate(resolve))
    await world.pass(1)
  }
  if (!isSettled) throw new Error('nothing happens any more')
  return done
}

async function worldOf(listener: NodeListener): Promise<[SupervisedWorld, Session]> {
  const world = new SupervisedWorld(nodeListener(listener))
  return [world, await world.connected()]
}

async function finish(world: SupervisedWorld, session: Session): Promise<void> {
  await settle(world, new Promise((resolve) => setTimeout(resolve, 20)))
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
}

test('a listener sees method, URL, fields, body and client, and answers', async () => {
  const [world, session] = await worldOf(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    response.setHeader('X-Made-By', 'node')
    response.writeHead(201, { 'content-type': 'application/json' })
    const { method, url, headers, httpVersion, socket } = request
    const seen = {
      method,
      url,
      host: headers.host,
      cookie: headers.cookie,
      httpVersion,
      from: socket.remoteAddress,
    }
    response.end(
      JSON.stringify({ ...seen, encrypted: 'encrypted' in socket, body: Buffer.concat(chunks).toString() }),
    )
  })
  const headers = { cookie: 'a=1', 'content-type': 'text/plain' }
  const response = await settle(
    world,
    session.request({ method: 'POST', path: '/path?x=1', headers, body: Buffer.from('hello') }),
  )
  expect(response.status).toBe(201)
  expect(response.header('x-made-by')).toBe('node')
  expect(response.header('connection')).toBeUndefined()
  expect(response.header('transfer-encoding')).toBeUndefined()
  expect(JSON.parse(await settle(world, response.text()))).toMatchObject({
    method: 'POST',
    url: '/path?x=1',
    cookie: 'a=1',
    httpVersion: '3.0',
    encrypted: true,
    body: 'hello',
  })
  await finish(world, session)
})

test('bodies stream both ways at the pace of the reader', async () => {
  const [world, session] = await worldOf((request, response) => void request.pipe(response))
  const body = new Uint8Array(2_000_000).map((_, index) => index)
  const response = await settle(world, session.request({ method: 'POST', path: '/', body }))
  expect(Buffer.compare(await settle(world, response.bytes()), body)).toBe(0)
  await finish(world, session)
})

test('early hints, trailers, HEAD and 304 are as with node:http', async () => {
  const [world, session] = await worldOf((request, response) => {
    if (request.url === '/304') return void response.writeHead(304).end()
    if (request.method === 'HEAD') return void response.writeHead(200, { 'content-length': 5 }).end()
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.writeHead(200, { trailer: 'x-sum' })
    response.write('a')
    response.addTrailers({ 'x-sum': '1' })
    response.end()
    return undefined
  })
  const response = await settle(world, session.request({ path: '/' }))
  expect(await settle(world, response.text())).toBe('a')
  expect(response.trailers).toEqual(['x-sum', '1'])
  const head = await settle(world, session.request({ method: 'HEAD', path: '/' }))
  expect([head.status, head.header('content-length')]).toEqual([200, '5'])
  expect((await settle(world, session.request({ path: '/304' }))).status).toBe(304)
  await finish(world, session)
})

test('a client that leaves closes the request and the response of the listener', async () => {
  const closed: string[] = []
  const [world, session] = await worldOf((request, response) => {
    request.on('close', () => closed.push('request'))
    response.on('close', () => closed.push(`response ${response.writableFinished}`))
    response.write('begun')
  })
  const abort = new AbortController()
  const response = await settle(world, session.request({ path: '/', signal: abort.signal }))
  abort.abort()
  await expect(settle(world, response.text())).rejects.toThrow()
  await settle(world, new Promise((resolve) => setTimeout(resolve, 20)))
  expect(closed.sort()).toEqual(['request', 'response false'])
  await finish(world, session)
})

test('a listener that destroys its socket resets the stream, and no other', async () => {
  const [world, session] = await worldOf((request, response) => {
    if (request.url === '/destroy') request.socket.destroy()
    else response.end('fine')
  })
  await expect(settle(world, session.request({ path: '/destroy' }))).rejects.toMatchObject({ kind: 'reset' })
  const fine = await settle(world, session.request({ path: '/' }))
  expect(await settle(world, fine.text())).toBe('fine')
  await finish(world, session)
})

test('a DELETE with a body and no length keeps its body', async () => {
  const [world, session] = await worldOf((request, response) => void request.pipe(response))
  async function* body() {
    yield Buffer.from('one')
    yield Buffer.from('two')
  }
  const response = await settle(world, session.request({ method: 'DELETE', path: '/', body: body() }))
  expect(await settle(world, response.text())).toBe('onetwo')
  await finish(world, session)
})

test('a whole http.Server that never listens serves, too', async () => {
  const server = createServer().on('request', (_request, response) => response.end('server'))
  const world = new SupervisedWorld(nodeListener(server))
  const session = await world.connected()
  const response = await settle(world, session.request({ path: '/' }))
  expect(await settle(world, response.text())).toBe('server')
  await finish(world, session)
})
