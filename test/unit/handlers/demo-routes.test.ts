import { describe, expect, it } from 'vitest'
import { demoRoutes } from '../../../src/handlers/demo-routes.ts'
import { CancelledError } from '../../../src/handlers/exchange.ts'
import { VirtualClock } from '../../sim/virtual-clock.ts'
import { ExchangeDouble, type RequestInit } from './exchange-double.ts'

const clock = new VirtualClock()
const routes = demoRoutes({ clock })

async function ask(path: string, init: RequestInit = {}): Promise<ExchangeDouble> {
  const exchange = new ExchangeDouble({ ...init, path })
  await routes(exchange)
  return exchange
}

describe('the demo routes', () => {
  it('/ is a page', async () => {
    const exchange = await ask('/')
    expect(exchange.status).toBe(200)
    expect(exchange.field('content-type')).toBe('text/html; charset=utf-8')
    expect(exchange.field('content-length')).toBe(String(Buffer.byteLength(exchange.text)))
  })

  it('/health is ok, without a promise', () => {
    const exchange = new ExchangeDouble({ path: '/health?x' })
    expect(routes(exchange)).toBeUndefined()
    expect([exchange.status, exchange.text]).toEqual([200, 'ok'])
  })

  it('/echo gives the body back, chunk by chunk, with its type and length', async () => {
    const headers = ['content-type', 'a/b', 'content-length', '4']
    const exchange = await ask('/echo', { method: 'POST', headers, body: ['ab', 'cd'] })
    expect(exchange.written.map(String)).toEqual(['ab', 'cd'])
    expect(exchange.fields).toEqual(headers)
    expect((await ask('/echo')).status).toBe(405)
  })

  it('/echo waits for the client to read before it takes more', async () => {
    const exchange = new ExchangeDouble({ path: '/echo', method: 'POST', body: ['a', 'b', 'c'] })
    const gate = Promise.withResolvers<void>()
    exchange.room = gate.promise
    const done = routes(exchange)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(exchange.chunksRead).toBe(1)
    exchange.room = undefined
    gate.resolve()
    await done
    expect(exchange.text).toBe('abc')
  })

  it.each([0, 1, 300, 65_536, 65_537, 200_000])('/bytes/%i: byte i is i modulo 256', async (length) => {
    const exchange = await ask(`/bytes/${length}`)
    const bytes = Buffer.concat(exchange.written)
    expect(exchange.field('content-length')).toBe(String(length))
    expect(bytes).toHaveLength(length)
    expect(bytes.every((byte, index) => byte === (index & 0xff))).toBe(true)
    expect(exchange.isEnded).toBe(true)
  })

  it.each(['/bytes/', '/bytes/-1', '/bytes/1e9', '/bytes/2000000000000', '/slow/x', '/slow/999999999'])(
    '%s is refused',
    async (path) => {
      expect((await ask(path)).status).toBe(400)
    },
  )

  it('/slow/MS answers after that time', async () => {
    const exchange = new ExchangeDouble({ path: '/slow/250' })
    const done = routes(exchange)
    const begin = clock.now()
    expect(exchange.status).toBe(0)
    while (clock.step());
    await done
    expect(clock.now() - begin).toBe(250)
    expect(exchange.text).toBe('waited 250 ms\n')
  })

  it('/sse sends events until the client leaves, and arms no timer after that', async () => {
    const exchange = new ExchangeDouble({ path: '/sse' })
    const done = Promise.resolve(routes(exchange)).catch((error: unknown) => error)
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      clock.step()
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(exchange.field('content-type')).toBe('text/event-stream')
    expect(exchange.text.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4'])
    exchange.cancel()
    expect(await done).toBeInstanceOf(CancelledError)
    expect(clock.armed).toBe(0)
  })

  it('/sse?count=2 ends by itself', async () => {
    const exchange = new ExchangeDouble({ path: '/sse?count=2' })
    const done = routes(exchange)
    await new Promise((resolve) => setTimeout(resolve, 1))
    clock.step()
    await done
    expect(exchange.isEnded).toBe(true)
  })

  it('/crash throws, /hang never answers but ends when told to', async () => {
    expect(() => routes(new ExchangeDouble({ path: '/crash' }))).toThrow('always throws')
    const exchange = new ExchangeDouble({ path: '/hang' })
    const done = Promise.resolve(routes(exchange)).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 1))
    exchange.cancel()
    expect(await done).toBe(exchange.cancelled)
    expect(exchange.status).toBe(0)
  })

  it('what is not there is 404, what is not GET is 405', async () => {
    expect((await ask('/nothing')).status).toBe(404)
    for (const path of ['/', '/health', '/bytes/1', '/sse', '/slow/1']) {
      expect((await ask(path, { method: 'POST' })).status).toBe(405)
    }
  })
})
