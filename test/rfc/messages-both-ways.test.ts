// What either side may do to a request or a response, between a whole client and a whole server: trailers, cancellation,
// GOAWAY, limits of field sections (RFC 9114 sections 4.1, 4.1.1, 4.2.2, 5.2).
import { describe, expect, it } from 'vitest'
import type { CancelledError, ExchangeHandler } from '../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { MAX_FIELD_SECTION_SIZE } from '../../src/http3/limits.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'

const { H3_REQUEST_CANCELLED, H3_INTERNAL_ERROR } = H3ErrorCode

async function session(handler: ExchangeHandler) {
  const world = new SupervisedWorld(handler)
  return { world, client: await world.connected() }
}

describe('trailers (RFC 9114 section 4.1)', () => {
  it('go both ways, behind bodies and without', async () => {
    const { world, client } = await session(async (exchange) => {
      let length = 0
      for await (const chunk of exchange.body) length += chunk.length
      exchange.begin(200)
      if (length > 0) exchange.write('body')
      exchange.sendTrailers(['x-seen', `${length} ${exchange.trailers.join('=')}`])
      exchange.end()
    })
    for (const [body, seen] of [
      [Buffer.from('abc'), '3 x-sum=abc'],
      [Buffer.alloc(0), '0 x-sum=abc'],
    ] as const) {
      const trailers = (): Record<string, string> => ({ 'x-sum': 'abc' })
      const response = await world.run(client.request({ method: 'POST', body, trailers }), 1_000)
      await world.run(response.text(), 1_000)
      expect(response.trailers).toEqual(['x-seen', seen])
    }
  })
})

describe('cancellation (RFC 9114 section 4.1.1)', () => {
  it('by the client: the handler is told at once, with the code, and its stream is gone', async () => {
    const reasons: CancelledError[] = []
    const { world, client } = await session(
      (exchange) =>
        new Promise((resolve) => {
          exchange.begin(200)
          exchange.onCancel = (reason) => {
            reasons.push(reason)
            resolve()
          }
        }),
    )
    const controller = new AbortController()
    const response = await world.run(client.request({ signal: controller.signal }), 1_000)
    controller.abort(new Error('enough'))
    await expect(world.run(response.bytes(), 1_000)).rejects.toThrow('enough')
    await world.pass(100)
    expect(reasons).toMatchObject([{ code: H3_REQUEST_CANCELLED }])
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, streams: { stuck: 0 } })
  })

  it('by the client before the head of the response', async () => {
    const { world, client } = await session(
      (exchange) =>
        new Promise((resolve) => {
          exchange.onCancel = () => resolve()
        }),
    )
    const controller = new AbortController()
    const response = client.request({ signal: controller.signal })
    response.catch(() => {})
    await world.pass(100)
    expect(world.status().handlers.live).toBe(1)
    controller.abort(new Error('enough'))
    await expect(response).rejects.toThrow('enough')
    await world.pass(100)
    expect(world.status().handlers.live).toBe(0)
  })

  it('by the server, with a code of its own', async () => {
    const { world, client } = await session((exchange) => {
      exchange.begin(200)
      exchange.write('some')
      exchange.reset(H3_REQUEST_CANCELLED)
    })
    const body = (async () => (await client.request({ body: new Uint8Array(500_000) })).bytes())()
    await expect(world.run(body, 2_000)).rejects.toMatchObject({ kind: 'reset', code: H3_REQUEST_CANCELLED })
    await world.pass(100)
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, buffers: { receiveBytes: 0 } })
  })
})

describe('GOAWAY (RFC 9114 section 5.2)', () => {
  it('of a client says that no push is wanted; requests go on', async () => {
    const { world, client } = await session((exchange) => exchange.respond(200, [], 'x'))
    client.h3.goaway()
    client.h3.goaway(7)
    await world.pass(100)
    const response = await world.run(client.request(), 1_000)
    expect(await world.run(response.text(), 1_000)).toBe('x')
    const [entry] = world.server.entries
    expect(entry!.supervisor.connection.isEnding).toBe(false)
  })
})

describe('limits of field sections (RFC 9114 section 4.2.2)', () => {
  const long = 'x'.repeat(MAX_FIELD_SECTION_SIZE)

  it('a request over the limit of the server is refused by the client, one at the limit is answered', async () => {
    const { world, client } = await session((exchange) =>
      exchange.respond(200, [], String(exchange.header('x-long')?.length)),
    )
    await expect(client.request({ headers: { 'x-long': long } })).rejects.toThrow(RangeError)
    const fits = 'x'.repeat(MAX_FIELD_SECTION_SIZE - 1_000)
    const response = await world.run(client.request({ headers: { 'x-long': fits } }), 1_000)
    expect(await world.run(response.text(), 1_000)).toBe(String(fits.length))
  })

  it('a response over the limit of the client is an error of its handler, and trailers are', async () => {
    for (const where of ['head', 'trailers']) {
      const { world, client } = await session((exchange) => {
        if (where === 'head') return exchange.respond(200, ['x-long', long])
        exchange.begin(200)
        exchange.sendTrailers(['x-long', long])
        exchange.end()
      })
      const body = (async () => (await client.request()).bytes())()
      await expect(world.run(body, 1_000)).rejects.toMatchObject({ kind: 'reset', code: H3_INTERNAL_ERROR })
      expect(world.faults).toMatchObject([{ kind: 'crash', error: expect.any(RangeError) }])
    }
  })

  it('a server that ignores the limit of the client has its stream reset, not its connection', async () => {
    const { world, client } = await session((exchange) => {
      if (exchange.path === '/long') {
        const [entry] = world.server.entries
        const h3 = entry!.supervisor.application as unknown as { writer: { maxFieldSectionSize: number } }
        h3.writer.maxFieldSectionSize = Number.POSITIVE_INFINITY
        return exchange.respond(200, ['x-long', long])
      }
      exchange.respond(200, [], 'x')
    })
    await expect(world.run(client.request({ path: '/long' }), 1_000)).rejects.toMatchObject({ kind: 'reset' })
    const next = await world.run(client.request(), 1_000)
    expect(next.status).toBe(200)
  })
})
