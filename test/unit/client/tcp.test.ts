// The client over TCP: the same requests, responses and errors as over HTTP/3, and the way from one to the other.
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FetchResponse } from '../../../src/client/fetch-response.ts'
import { HttpClient } from '../../../src/client/http-client.ts'
import { type QuactorServer, serve } from '../../../src/index.ts'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'

let ca: string
let server: Server
let url: string
let both: QuactorServer
let client: HttpClient | undefined

/** A server that knows nothing of HTTP/3. */
function listen(tls: { cert: string; key: string }): Server {
  return createServer(tls, (request, response) => {
    if (request.url === '/echo') {
      response.setHeader('trailer', 'x-sum')
      let sum = 0
      request.on('data', (chunk: Buffer) => {
        sum += chunk.length
      })
      request.on('end', () => {
        response.addTrailers({
          'x-sum': String(sum),
          ...(request.trailers['x-in'] && { 'x-in': request.trailers['x-in'] }),
        })
      })
      request.pipe(response)
    } else if (request.url === '/hints') {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('hinted'))
    } else if (request.url === '/half') {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half!', () => request.socket.destroy())
    } else if (request.url === '/drop') request.socket.destroy()
    else if (request.url !== '/hang') response.end(`${request.method} ${request.headers.host}`)
  })
}

beforeAll(async () => {
  const { certPem: cert, keyPem: key } = await createSelfSigned({ names: ['localhost', '127.0.0.1'] })
  ca = cert
  server = listen({ cert, key }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fetch = (request: Request): Response => new Response(new URL(request.url).pathname)
  both = await serve({ port: 0, host: '127.0.0.1', tls: { cert, key }, inspector: false, fetch })
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await both.close({ timeout: 0 })
})

afterEach(async () => {
  await client?.close()
  await expect.poll(() => both.status().connections.live).toBe(0)
})

/** Sockets of the TCP server. */
function openSockets(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}

describe('fetch() over TCP', () => {
  it('sends and receives, and keeps connections until it is closed', async () => {
    client = new HttpClient({ ca })
    const hello = (await client.fetch(`${url}/`)) as FetchResponse
    expect([hello.protocol, hello.url, await hello.text()]).toEqual([
      'http/1.1',
      `${url}/`,
      `GET ${new URL(url).host}`,
    ])
    const body = new Blob(['streamed']).stream()
    const trailers = () => ({ 'x-in': 'sent' })
    const init = { method: 'POST', body, duplex: 'half', trailers } as const
    const echo = (await client.fetch(`${url}/echo`, init)) as FetchResponse
    expect(await echo.text()).toBe('streamed')
    expect(Object.fromEntries(echo.trailers!)).toEqual({ 'x-sum': '8', 'x-in': 'sent' })
    const long = await client.fetch(`${url}/echo`, { method: 'PUT', body: new Uint8Array(3_000_000) })
    expect((await long.arrayBuffer()).byteLength).toBe(3_000_000)
    const head = await client.fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(await openSockets()).toBe(1)
    await client.close()
    await expect.poll(openSockets).toBe(0)
  })

  it('tells of early hints, and waits for 100', async () => {
    client = new HttpClient({ ca })
    const hints: [number, string | null][] = []
    const onInformational = (status: number, headers: Headers): void => {
      hints.push([status, headers.get('link')])
    }
    expect(await (await client.fetch(`${url}/hints`, { onInformational })).text()).toBe('hinted')
    expect(hints).toEqual([[103, '</style.css>; rel=preload']])
    const init = { method: 'POST', body: 'expected', expectContinue: true }
    expect(await (await client.fetch(`${url}/echo`, init)).text()).toBe('expected')
  })

  it('is aborted before the head, and by the reader of the body', async () => {
    client = new HttpClient({ ca })
    await expect(client.fetch(`${url}/hang`, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const body = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(10_000)) })
    const controller = new AbortController()
    const init = { method: 'POST', body, duplex: 'half', signal: controller.signal } as const
    const response = await client.fetch(`${url}/echo`, init)
    const reader = response.body!.getReader()
    await reader.read()
    controller.abort()
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(openSockets).toBe(0)
  })

  it('says what went wrong, and repeats what does no harm twice when a connection breaks', async () => {
    client = new HttpClient({ ca })
    const causeOf = async (target: string, init?: RequestInit) =>
      (await client!.fetch(target, init).catch((e) => e)).cause
    expect(await causeOf('https://127.0.0.1:9/')).toMatchObject({
      kind: 'connect',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    let tries = 0
    server.on('request', () => {
      tries++
    })
    expect(await causeOf(`${url}/drop`)).toMatchObject({ kind: 'closed' })
    expect(await causeOf(`${url}/drop`, { method: 'POST' })).toMatchObject({ kind: 'closed' })
    expect(tries).toBe(3 + 1)
    const half = await client.fetch(`${url}/half`)
    await expect(half.text()).rejects.toMatchObject({ message: 'terminated', cause: { kind: 'closed' } })
    const untrusting = new HttpClient()
    const refused = await untrusting.fetch(url).catch((error) => error)
    expect(refused.cause).toMatchObject({ kind: 'connect', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
    await untrusting.close()
  })

  it('speaks to http URLs, too, and only there without TLS', async () => {
    client = new HttpClient({ http3: 'only' })
    const problem = await client.fetch('http://127.0.0.1:1/').catch((error) => error)
    expect(problem.cause).toMatchObject({ name: 'TypeError' })
    await client.close()
    client = new HttpClient({ http3: 'prefer' })
    const refused = await client.fetch('http://127.0.0.1:1/').catch((error) => error)
    expect(refused.cause).toMatchObject({ kind: 'connect' })
  })
})

describe('from TCP to HTTP/3', () => {
  it('the first request goes by TCP; its Alt-Svc leads the next ones to HTTP/3 on the same port (RFC 9114 section 3.1.1)', async () => {
    client = new HttpClient({ ca, headStart: 10_000 })
    const protocols: string[] = []
    for (let i = 0; i < 4; i++) {
      const response = (await client.fetch(`https://127.0.0.1:${both.port}/${i}`)) as FetchResponse
      protocols.push(response.protocol)
      expect(await response.text()).toBe(`/${i}`)
    }
    expect(protocols).toEqual(['http/1.1', 'h3', 'h3', 'h3'])
    expect(client.connections).toBe(1)
  })
})
