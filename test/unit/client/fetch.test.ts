// fetch() over real sockets on loopback: what the Fetch standard says of bodies, redirects, codings, abort and errors.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClientError } from '../../../src/client/client-error.ts'
import type { FetchResponse } from '../../../src/client/fetch-response.ts'
import { HttpClient } from '../../../src/client/http-client.ts'
import { type QuactorServer, serve } from '../../../src/index.ts'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'

let server: QuactorServer
let url: string
let ca: string
let client: HttpClient

const TEXT = 'said again and again. '.repeat(2_000)

const CODINGS: Record<string, (data: string) => Uint8Array> = {
  gzip: (data) => gzipSync(data),
  deflate: (data) => deflateSync(data),
  raw: (data) => deflateRawSync(data),
  br: (data) => brotliCompressSync(data),
  zstd: (data) => zstdCompressSync(data),
  'gzip, br': (data) => brotliCompressSync(gzipSync(data)),
}

function coded(name: string): Response {
  const coding = name === 'raw' ? 'deflate' : name
  const bytes = CODINGS[name]!(TEXT) as Uint8Array<ArrayBuffer>
  return new Response(bytes, { headers: { 'content-encoding': coding } })
}

function redirect({ searchParams }: URL): Response {
  const headers = { location: searchParams.get('to')! }
  return new Response('moved', { status: Number(searchParams.get('status')), headers })
}

async function answer(request: Request): Promise<Response> {
  const target = new URL(request.url)
  switch (target.pathname) {
    case '/echo':
      return new Response(request.body, { headers: { 'x-method': request.method } })
    case '/seen':
      return Response.json({
        method: request.method,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      })
    case '/empty':
      return new Response(null, { status: 204 })
    case '/coded':
      return coded(target.searchParams.get('by')!)
    case '/broken':
      return new Response('this is no gzip', { headers: { 'content-encoding': 'gzip' } })
    case '/redirect':
      return redirect(target)
    case '/loop':
      return new Response(null, { status: 302, headers: { location: '/loop' } })
    case '/endless':
      return new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(10_000)) }))
    case '/hang':
      return new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason))
      })
    default:
      return new Response('hello')
  }
}

/** What /seen says of the request that it got. */
interface Seen {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
}

async function seenBy(response: Promise<Response>): Promise<Seen> {
  return (await (await response).json()) as Seen
}

beforeAll(async () => {
  const { certPem, keyPem } = await createSelfSigned({ names: ['localhost', '127.0.0.1'] })
  ca = certPem
  const tls = { cert: certPem, key: keyPem }
  server = await serve({ port: 0, host: '127.0.0.1', tls, tcp: false, inspector: false, fetch: answer })
  url = `https://127.0.0.1:${server.port}`
})

afterAll(async () => {
  await server.close({ timeout: 0 })
})

beforeEach(() => {
  client = new HttpClient({ ca, http3: 'only' })
})

/** A client that is closed leaves nothing on the server, whatever was cut short. */
afterEach(async () => {
  await client.close()
  await expect.poll(() => server.status().connections.live).toBe(0)
  const { streams, actors, handlers, buffers } = server.status()
  expect([streams.live, actors.live, handlers.live, buffers]).toEqual([
    0,
    0,
    0,
    { receiveBytes: 0, sendBytes: 0 },
  ])
})

describe('requests and responses', () => {
  it('GET, POST, HEAD and 204 go over one connection', async () => {
    const before = server.status().connections.opened
    const hello = await client.fetch(`${url}/#fragment`)
    expect(hello).toBeInstanceOf(Response)
    expect([hello.status, hello.ok, hello.url, hello.redirected, hello.type, await hello.text()]).toEqual([
      200,
      true,
      `${url}/`,
      false,
      'basic',
      'hello',
    ])
    expect((hello as FetchResponse).protocol).toBe('h3')
    const echo = await client.fetch(`${url}/echo`, { method: 'POST', body: 'there and back' })
    expect([echo.headers.get('x-method'), await echo.text()]).toEqual(['POST', 'there and back'])
    const head = await client.fetch(`${url}/`, { method: 'HEAD' })
    expect([head.status, head.body, await head.text()]).toEqual([200, null, ''])
    const empty = await client.fetch(`${url}/empty`)
    expect([empty.status, empty.body]).toEqual([204, null])
    expect(server.status().connections.opened - before).toBe(1)
  })

  it('takes a Request, and every kind of body', async () => {
    const echo = (body: string) => client.fetch(new Request(`${url}/echo`, { method: 'PUT', body }))
    expect(await (await echo('text')).text()).toBe('text')
    const init = { method: 'POST' } as const
    const bodies: [NonNullable<RequestInit['body']>, string][] = [
      [new Uint8Array([97, 98]), 'ab'],
      [new Uint8Array([97, 98]).buffer, 'ab'],
      [new DataView(new Uint8Array([97, 98, 99]).buffer, 1), 'bc'],
      [new URLSearchParams({ a: 'b c' }), 'a=b+c'],
      [new Blob(['of a ', 'blob']), 'of a blob'],
    ]
    for (const [body, text] of bodies) {
      const seen = await seenBy(client.fetch(`${url}/seen`, { ...init, body }))
      expect(seen.body).toBe(text)
      expect(seen.headers['content-length']).toBe(String(text.length))
    }
    const form = new FormData()
    form.set('field', 'value')
    const sent = await seenBy(client.fetch(`${url}/seen`, { ...init, body: form }))
    expect(sent.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(sent.body).toContain('value')
  })

  it('streams both ways at the pace of the slower side', async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>({
      pull(to) {
        pulled++
        if (pulled > 200) to.close()
        else to.enqueue(new Uint8Array(50_000).fill(pulled & 0xff))
      },
    })
    const init = { method: 'POST', body, duplex: 'half' } as const
    const response = await client.fetch(`${url}/echo`, init)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const early = pulled
    expect(early).toBeLessThan(150)
    let length = 0
    for await (const chunk of response.body!) length += chunk.length
    expect([length, pulled]).toEqual([10_000_000, 201])
    await expect(client.fetch(`${url}/echo`, { method: 'POST', body: new ReadableStream() })).rejects.toThrow(
      TypeError,
    )
  })

  it('reads into buffers of the reader, and clones', async () => {
    const response = await client.fetch(`${url}/`)
    const copy = response.clone()
    const reader = response.body!.getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(3))
    expect(new TextDecoder().decode(value)).toBe('hel')
    // Settles only when the clone is cancelled, too.
    void reader.cancel()
    expect([copy.url, await copy.text()]).toEqual([`${url}/`, 'hello'])
  })
})

describe('content codings', () => {
  it.each(Object.keys(CODINGS))('%s is undone', async (by) => {
    const response = await client.fetch(`${url}/coded?by=${encodeURIComponent(by)}`)
    expect(await response.text()).toBe(TEXT)
  })

  it('says which ones it undoes; none of a range; a broken one is an error of the body', async () => {
    const headersSeen = async (headers: Record<string, string>) =>
      (await seenBy(client.fetch(`${url}/seen`, { headers }))).headers
    expect(await headersSeen({})).toMatchObject({
      'accept-encoding': 'gzip, deflate, br, zstd',
      accept: '*/*',
    })
    expect(await headersSeen({ range: 'bytes=0-1' })).toMatchObject({ 'accept-encoding': 'identity' })
    const broken = await client.fetch(`${url}/broken`)
    const problem = await broken.text().catch((error) => error)
    expect([problem, problem.message, problem.cause]).toMatchObject([
      expect.any(TypeError),
      'terminated',
      { kind: 'content' },
    ])
  })

  it('a coded body that is left unread is cancelled', async () => {
    const response = await client.fetch(`${url}/coded?by=gzip`)
    const reader = response.body!.getReader()
    await reader.read()
    await reader.cancel()
  })
})

describe('redirects', () => {
  const to = (status: number, path: string) =>
    `${url}/redirect?status=${status}&to=${encodeURIComponent(path)}`

  it('are followed, with a method and a body as the status wants it', async () => {
    const follow = async (status: number, init: RequestInit) => {
      const response = await client.fetch(to(status, '/seen'), init)
      const { method, body } = await seenBy(Promise.resolve(response))
      return [response.redirected, response.url, method, body]
    }
    const post = { method: 'POST', body: 'x' }
    expect(await follow(301, post)).toEqual([true, `${url}/seen`, 'GET', ''])
    expect(await follow(303, { method: 'PUT', body: 'x' })).toEqual([true, `${url}/seen`, 'GET', ''])
    expect(await follow(307, post)).toEqual([true, `${url}/seen`, 'POST', 'x'])
    expect(await follow(308, { method: 'PUT', body: new Blob(['y']) })).toEqual([
      true,
      `${url}/seen`,
      'PUT',
      'y',
    ])
  })

  it('are refused, or handed over, as asked', async () => {
    const refused = await client.fetch(to(302, '/'), { redirect: 'error' }).catch((error) => error)
    expect([refused.message, refused.cause]).toMatchObject(['fetch failed', { kind: 'redirect' }])
    const manual = await client.fetch(to(302, '/'), { redirect: 'manual' })
    expect([manual.status, manual.headers.get('location'), await manual.text()]).toEqual([302, '/', 'moved'])
  })

  it('end after twenty, at other schemes, and where a streamed body would be needed again', async () => {
    const endless = await client.fetch(`${url}/loop`).catch((error) => error)
    expect(endless.cause).toMatchObject({ kind: 'redirect', message: 'redirected too often' })
    await expect(client.fetch(to(302, 'ftp://x/'))).rejects.toMatchObject({ cause: expect.any(TypeError) })
    const body = new Blob(['z']).stream()
    const streamed = client.fetch(to(307, '/seen'), { method: 'POST', body, duplex: 'half' })
    await expect(streamed).rejects.toMatchObject({ message: 'fetch failed', cause: expect.any(TypeError) })
  })
})

/** A body without end that is made only when somebody takes it. */
function endlessUpload() {
  const taken = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<unknown>()
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (to) => {
        taken.resolve()
        to.enqueue(new Uint8Array(10_000))
      },
      cancel: (reason) => cancelled.resolve(reason),
    },
    { highWaterMark: 0 },
  )
  return { body, isTaken: taken.promise, isCancelled: cancelled.promise }
}

describe('abort', () => {
  it('before the request, before the head and within the body: with the reason of the signal', async () => {
    await expect(client.fetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    const early = AbortSignal.timeout(50)
    await expect(client.fetch(`${url}/hang`, { signal: early })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const controller = new AbortController()
    const response = await client.fetch(`${url}/endless`, { signal: controller.signal })
    const reader = response.body!.getReader()
    await reader.read()
    controller.abort()
    await expect(reader.closed).rejects.toMatchObject({ name: 'AbortError' })
    await expect(reader.read()).rejects.toBeInstanceOf(DOMException)
    await expect.poll(() => server.status().streams.live).toBeLessThan(10)
    await expect.poll(() => server.status().handlers.live).toBe(0)
  })

  it('in an upload that never ends: the source is told', async () => {
    const controller = new AbortController()
    const upload = endlessUpload()
    const { signal } = controller
    const sending = client.fetch(`${url}/hang`, { method: 'POST', body: upload.body, duplex: 'half', signal })
    await upload.isTaken
    controller.abort(new Error('enough'))
    await expect(sending).rejects.toThrow('enough')
    await upload.isCancelled
  })

  // Fetch standard, "abort a fetch() call".
  it.each(['before the call', 'before anything was taken'])(
    'of an upload, %s: the source is told as well, with the reason',
    async (when) => {
      const controller = new AbortController()
      const upload = endlessUpload()
      const { signal } = controller
      const reason = new Error('enough')
      if (when === 'before the call') controller.abort(reason)
      const sending = client.fetch(`${url}/hang`, {
        method: 'POST',
        body: upload.body,
        duplex: 'half',
        signal,
      })
      controller.abort(reason)
      await expect(sending).rejects.toBe(reason)
      expect(await upload.isCancelled).toBe(reason)
    },
  )

  it('of the signal of a Request', async () => {
    const controller = new AbortController()
    const sending = client.fetch(new Request(`${url}/hang`, { signal: controller.signal }))
    setTimeout(() => controller.abort(), 20)
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('errors', () => {
  it('are TypeErrors whose cause says why', async () => {
    const failing = async (target: string, init?: RequestInit) => {
      const error = await client.fetch(target, init).catch((reason) => reason)
      expect([error.name, error.message]).toEqual(['TypeError', 'fetch failed'])
      return error.cause
    }
    expect(await failing('https://no-such-host.invalid/')).toMatchObject({ kind: 'connect' })
    await expect(client.fetch('no url')).rejects.toThrow(TypeError)
    await expect(client.fetch('ftp://x/')).rejects.toThrow(TypeError)
    const untrusting = new HttpClient({ http3: 'only' })
    const untrusted = await untrusting.fetch(url).catch((error) => error)
    expect(untrusted.cause).toBeInstanceOf(ClientError)
    expect(untrusted.cause).toMatchObject({ kind: 'connect', code: 0x100 + 48 })
    await untrusting.close()
    await client.close()
    expect(await failing(url)).toMatchObject({ kind: 'aborted' })
  })
})
