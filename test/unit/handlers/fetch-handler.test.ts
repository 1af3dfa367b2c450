import { describe, expect, it } from 'vitest'
import { fetchHandler } from '../../../src/handlers/fetch-handler.ts'
import { ExchangeDouble, type RequestInit } from './exchange-double.ts'

async function answer(
  handler: (request: Request) => Response | Promise<Response>,
  init: RequestInit = {},
): Promise<ExchangeDouble> {
  const exchange = new ExchangeDouble(init)
  await fetchHandler(handler)(exchange)
  return exchange
}

/** Response bodies consist of bytes; this one does not. */
const textStream = new ReadableStream<string>({ pull: (controller) => controller.enqueue('text') })

describe('the Request of a fetch handler', () => {
  it('is a Request with URL, method and fields', async () => {
    let seen: unknown[] = []
    await answer(
      (request) => {
        seen = [
          request instanceof Request,
          request.url,
          request.method,
          request.headers.get('x-a'),
          request.body,
        ]
        return new Response()
      },
      { path: '/a?b=c', headers: ['x-a', '1', 'x-a', '2'] },
    )
    expect(seen).toEqual([true, 'https://example.org/a?b=c', 'GET', '1, 2', null])
  })

  it.each(['text', 'bytes', 'arrayBuffer', 'json', 'blob'] as const)(
    '%s() gives the whole body',
    async (way) => {
      let body: unknown
      await answer(
        async (request) => {
          const value: unknown = await request[way]()
          body =
            value instanceof Blob
              ? await value.text()
              : way === 'bytes' || way === 'arrayBuffer'
                ? Buffer.from(value as Uint8Array).toString()
                : value
          return new Response()
        },
        { method: 'POST', body: ['[1', ',2]'] },
      )
      expect(body).toEqual(way === 'json' ? [1, 2] : '[1,2]')
    },
  )

  it('formData() and clone() work', async () => {
    const headers = ['content-type', 'application/x-www-form-urlencoded']
    let field: unknown
    const form = await answer(
      async (request) => {
        field = (await request.formData()).get('b')
        return new Response()
      },
      { method: 'POST', headers, body: ['a=1&b=', '2'] },
    )
    expect([form.status, field]).toEqual([200, '2'])
    const cloned = await answer(
      async (request) => {
        const copy = request.clone()
        return new Response((await copy.text()) + (await request.text()))
      },
      { method: 'POST', body: ['x'] },
    )
    expect(cloned.text).toBe('xx')
  })

  it('the body cannot be read twice', async () => {
    const twice = answer(
      async (request) => {
        await request.text()
        expect(request.bodyUsed).toBe(true)
        return new Response(await request.text())
      },
      { method: 'POST', body: ['x'] },
    )
    await expect(twice).rejects.toThrow(TypeError)
  })

  it.each([
    ['example.org', '/a', 'https://example.org/a'],
    ['example.org:8443', '/a', 'https://example.org:8443/a'],
    ['[::1]:8443', '/a', 'https://[::1]:8443/a'],
    ['127.0.0.1', '//b', 'https://127.0.0.1//b'],
    ['example.org', '*', 'https://example.org/'],
    ['example.org', 'http://other.org/c', 'http://other.org/c'],
  ])('the URL of %s %s', async (authority, path, url) => {
    const exchange = await answer((request) => new Response(request.url), { authority, path })
    expect(exchange.text).toBe(url)
  })

  it.each([
    ['', '/'],
    ['a b', '/'],
    ['1.2.3.4.5', '/'],
    ['example.org:99999', '/'],
    ['example.org', 'javascript:alert(1)'],
    ['example.org', ''],
  ])('a request that names no URL is the fault of the client: 400 for "%s" "%s"', async (authority, path) => {
    const exchange = await answer((request) => new Response(request.url), { authority, path })
    expect(exchange.status).toBe(400)
  })

  it('rare properties come from a real Request', async () => {
    const exchange = await answer((request) => new Response(`${request.redirect} ${request.mode}`))
    expect(exchange.text).toBe('follow cors')
  })

  it('the body stream takes no chunk before it is asked for one', async () => {
    const exchange = await answer(
      async (request) => {
        const reader = request.body!.getReader()
        await reader.read()
        return new Response()
      },
      { method: 'POST', body: ['a', 'b', 'c'] },
    )
    expect(exchange.chunksRead).toBe(1)
  })
})

describe('the Response of a fetch handler', () => {
  it('status and fields, set-cookie once per value', async () => {
    const headers = new Headers({ 'X-A': '1' })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    const exchange = await answer(() => new Response(null, { status: 201, headers }))
    expect(exchange.status).toBe(201)
    expect(exchange.fields).toEqual(['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-a', '1'])
    expect(exchange.isEnded).toBe(true)
  })

  it('without a body it is sent before the handler returns', () => {
    const exchange = new ExchangeDouble()
    expect(fetchHandler(() => new Response(null, { status: 204 }))(exchange)).toBeUndefined()
    expect(exchange.status).toBe(204)
  })

  it('a string, bytes and a stream', async () => {
    expect((await answer(() => new Response('text'))).text).toBe('text')
    expect((await answer(async () => new Response(Buffer.from('bytes')))).text).toBe('bytes')
    const stream = new ReadableStream({
      start(controller) {
        for (const part of ['a', 'b']) controller.enqueue(Buffer.from(part))
        controller.close()
      },
    })
    const exchange = await answer(() => new Response(stream))
    expect(exchange.written.map(String)).toEqual(['a', 'b'])
    expect(exchange.isEnded).toBe(true)
  })

  it('a stream is pulled no faster than the client reads', async () => {
    const exchange = new ExchangeDouble()
    let pulls = 0
    const gate = Promise.withResolvers<void>()
    exchange.room = gate.promise
    const stream = new ReadableStream(
      {
        pull(controller) {
          pulls++
          controller.enqueue(Buffer.from('x'))
          if (pulls === 5) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const done = fetchHandler(() => new Response(stream))(exchange)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(pulls).toBe(1)
    exchange.room = undefined
    gate.resolve()
    await done
    expect(exchange.text).toBe('xxxxx')
  })

  it('a client that leaves cancels the stream, also while nothing is being written', async () => {
    const exchange = new ExchangeDouble()
    let reason: unknown
    const stream = new ReadableStream({
      cancel(why) {
        reason = why
      },
    })
    const done = fetchHandler(() => new Response(stream))(exchange)
    await new Promise((resolve) => setTimeout(resolve, 5))
    exchange.cancel()
    await Promise.resolve(done).catch(() => {})
    expect(reason).toBe(exchange.cancelled)
  })

  it('a stream that fails is an error of the handler', async () => {
    const stream = new ReadableStream({
      pull(controller) {
        controller.error(new Error('broken'))
      },
    })
    await expect(answer(() => new Response(stream))).rejects.toThrow('broken')
  })

  it.each([
    ['nothing', () => undefined],
    ['a string', () => 'hello'],
    ['a stream of strings', () => new Response(textStream as unknown as ReadableStream<Uint8Array>)],
    [
      'a body that was read',
      async () => {
        const response = new Response('x')
        await response.text()
        return response
      },
    ],
  ])('%s is a TypeError', async (_name, handler) => {
    await expect(answer(handler as () => Response)).rejects.toThrow(TypeError)
  })
})
