// What users of other HTTP/3 packages for Node stumble over, the other way round: each was seen there, none may be
// seen here. Faults of handlers are in handler-faults.test.ts, clients that cannot connect in test/unit/client.
import { describe, expect, it } from 'vitest'
import type { ClientResponse } from '../../src/client/client-response.ts'
import type { Exchange, ExchangeHandler } from '../../src/handlers/exchange.ts'
import { fetchHandler } from '../../src/handlers/fetch-handler.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { sleep } from '../sim/order.ts'
import { World } from '../sim/world.ts'
import { headers } from '../unit/http3/session.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'
import { FaultWorld } from './fault-world.ts'

const { H3_EXCESSIVE_LOAD, H3_INTERNAL_ERROR, H3_MESSAGE_ERROR } = H3ErrorCode

async function ask(world: SupervisedWorld, path = '/', method = 'GET'): Promise<ClientResponse> {
  const session = await world.connected()
  return world.run(session.request({ path, method }), 10_000)
}

describe('memory', () => {
  it('an endless upload to a handler that never reads stops at the advertised windows', async () => {
    const world = new SupervisedWorld(() => new Promise(() => {}))
    const session = await world.connected()
    const { settings } = session.connection
    const uploads = Array.from({ length: 10 }, () =>
      session.request({ body: new Uint8Array(20_000_000) }).catch(() => {}),
    )
    await world.pass(10_000)
    const { receiveBytes } = world.status().buffers
    expect(receiveBytes).toBeGreaterThan(100_000)
    expect(receiveBytes).toBeLessThanOrEqual(settings.initialMaxData)
    // The client holds what it was given by reference, and has not sent more than it was allowed to.
    expect(session.connection.host.sendCredit.used).toBeLessThanOrEqual(settings.initialMaxData)
    session.close()
    await world.run(Promise.all(uploads), 1_000)
  })

  it('an endless download to a client that never reads stops at its windows, on both sides', async () => {
    const world = new SupervisedWorld(async (exchange) => {
      exchange.begin(200)
      for (;;) await exchange.write(new Uint8Array(50_000))
    })
    const session = await world.connected()
    const responses = [1, 2, 3].map(() => session.request())
    await world.run(Promise.all(responses), 5_000)
    await world.pass(10_000)
    const { settings } = session.connection
    expect(session.connection.receiveBufferedBytes).toBeLessThanOrEqual(settings.initialMaxData)
    // Unsent bytes up to the high-water mark per stream, and one window in flight.
    expect(world.status().buffers.sendBytes).toBeLessThan(3 * 400_000 + settings.initialMaxData)
  })
})

describe('fields', () => {
  const bad: [string, readonly string[]][] = [
    ['a value with CR LF', ['x-a', 'a\r\nx-b: c']],
    ['a value with LF', ['x-a', 'a\nb']],
    ['a value with NUL', ['x-a', 'a\0b']],
    ['a name with a space', ['x a', 'b']],
    ['a name in upper case', ['X-A', 'b']],
    ['connection', ['connection', 'keep-alive']],
    ['transfer-encoding', ['transfer-encoding', 'chunked']],
    ['a pseudo-header field', [':status', '200']],
    ['a number as value', ['x-a', 7 as unknown as string]],
  ]

  it.each(bad)('%s in a response is an error of its handler, not sent', async (_name, fields) => {
    const world = await new FaultWorld((exchange) => exchange.respond(200, fields)).begin()
    const request = world.peer.get('/fault')
    await world.pass(500)
    expect(request.resetCode).toBe(H3_INTERNAL_ERROR)
    expect(request.received).toBe(0)
    expect(world.faults[0]).toMatchObject({ kind: 'crash', error: expect.any(TypeError) })
    await world.finish()
  })

  it.each([...bad.slice(0, 7), ['te other than trailers', ['te', 'gzip']] as [string, readonly string[]]])(
    '%s in a request is malformed (RFC 9114 section 4.2)',
    async (_name, fields) => {
      const world = await new FaultWorld((exchange) => exchange.respond(200)).begin()
      const request = world.peer.open()
      const head = [':method', 'GET', ':scheme', 'https', ':authority', 'a.example', ':path', '/fault']
      request.stream.write(headers([...head, ...fields]))
      request.end()
      await world.pass(500)
      expect(request.resetCode).toBe(H3_MESSAGE_ERROR)
      // Only the two steady streams have reached a handler.
      expect(world.server.counters.handlersStarted).toBe(2)
      await world.finish()
    },
  )

  it('a status that is no number is an error of its handler', async () => {
    const world = await new FaultWorld((exchange) => exchange.respond('200' as unknown as number)).begin()
    const request = world.peer.get('/fault')
    await world.pass(500)
    expect(request.resetCode).toBe(H3_INTERNAL_ERROR)
    await world.finish()
  })

  it('every set-cookie of a Response arrives', async () => {
    const handler = fetchHandler(() => {
      const response = new Response('x')
      for (const cookie of ['a=1', 'b=2; Path=/', 'c=3']) response.headers.append('set-cookie', cookie)
      return response
    })
    const { headers: received } = await ask(new SupervisedWorld(handler))
    expect(received.getSetCookie()).toEqual(['a=1', 'b=2; Path=/', 'c=3'])
  })

  it('a request head of 1 MiB is refused without being held', async () => {
    const world = await new FaultWorld((exchange) => exchange.respond(200)).begin()
    const request = world.peer.open()
    request.stream.write(headers([':method', 'GET', ':path', '/', 'x', 'a'.repeat(1_048_576)]))
    await world.pass(2_000)
    const isRefused = request.stopCode !== undefined || request.resetCode === H3_EXCESSIVE_LOAD
    expect(isRefused).toBe(true)
    expect(world.server.counters.handlersStarted).toBe(2)
    expect(world.status().buffers.receiveBytes).toBeLessThan(40_000)
    request.reset()
    await world.finish()
  })
})

describe('HEAD (RFC 9110 section 9.3.2)', () => {
  const handlers: Record<string, ExchangeHandler> = {
    'an exchange handler that responds with a body': (exchange) => exchange.respond(200, [], 'body'),
    'an exchange handler that writes one': async (exchange: Exchange) => {
      exchange.begin(200)
      exchange.write('body')
      exchange.end()
    },
    'a fetch handler': fetchHandler(() => new Response('body')),
    'a fetch handler whose body never ends': fetchHandler(
      () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(10)) })),
    ),
  }

  it.each(Object.entries(handlers))('%s sends no body', async (_name, handler) => {
    const world = new SupervisedWorld(handler)
    const response = await ask(world, '/', 'HEAD')
    expect(response.status).toBe(200)
    expect(await world.run(response.bytes(), 1_000)).toHaveLength(0)
    expect(world.status().handlers.live).toBe(0)
  })
})

describe('streams', () => {
  it('a client with 300 requests at once waits for stream credit instead of failing', async () => {
    const world: SupervisedWorld = new SupervisedWorld(async (exchange) => {
      await sleep(world.clock, 20)
      exchange.respond(200, [], 'x')
    })
    const session = await world.connected()
    const texts = Array.from({ length: 300 }, async () => (await session.request()).text())
    expect((await world.run(Promise.all(texts), 10_000)).join('')).toBe('x'.repeat(300))
  })

  it('a small response is not held up by 15 large ones on its connection (fair scheduling)', async () => {
    const link = { ...PERFECT_LINK, rate: 1_250, delay: 10, queue: 40_000 }
    const world = new World({
      seed: 1,
      handler: () => async (exchange) => {
        if (exchange.path === '/small') return exchange.respond(200, [], 'x')
        exchange.begin(200)
        for (let piece = 0; piece < 20; piece++) await exchange.write(new Uint8Array(50_000))
        exchange.end()
      },
      toServer: link,
      toClient: link,
    })
    const session = world.open()
    await world.run(session.opened, 5_000)
    const large = Array.from({ length: 15 }, async () => (await session.request()).bytes())
    await world.pass(2_000)
    const times: number[] = []
    for (let request = 0; request < 20; request++) {
      const before = world.clock.now()
      await world.run(
        session.request({ path: '/small' }).then((response) => response.text()),
        10_000,
      )
      times.push(world.clock.now() - before)
    }
    // A round trip of 20 ms, the bottleneck's full queue of 32 ms, and one turn of all streams.
    expect(Math.max(...times)).toBeLessThan(150)
    await world.run(Promise.all(large), 60_000)
  })

  it('close() lets a response in flight come to its end', async () => {
    const world: SupervisedWorld = new SupervisedWorld(async (exchange) => {
      exchange.begin(200)
      for (let piece = 0; piece < 5; piece++) {
        await exchange.write('piece ')
        await sleep(world.clock, 500)
      }
      exchange.end()
    })
    const response = await ask(world)
    const text = response.text()
    const closed = world.server.close()
    expect(await world.run(text, 10_000)).toBe('piece piece piece piece piece ')
    expect(await world.run(closed, 10_000)).toEqual({ finished: 1, cut: 0 })
  })
})

describe('too many crashes', () => {
  it('close one connection with H3_INTERNAL_ERROR; another one and the process go on', async () => {
    const world = await new FaultWorld(() => {
      throw new Error('planned')
    }).begin()
    for (let crash = 0; crash < 11; crash++) {
      world.peer.get('/fault')
      await world.pass(20)
    }
    await world.pass(100)
    expect(world.peer.closing).toMatchObject({ code: H3_INTERNAL_ERROR, isApplication: true, isLocal: false })
    expect(world.server.counters).toMatchObject({ crashed: 11, intensityCloses: 1 })
    await world.finish()
  })
})
