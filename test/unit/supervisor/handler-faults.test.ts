import { describe, expect, it } from 'vitest'
import type { ClientError } from '../../../src/client/client-error.ts'
import type { ClientSession } from '../../../src/client/session.ts'
import { CancelledError, type Exchange, type ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../../src/http3/index.ts'
import { SupervisedWorld } from './supervised-world.ts'

const { H3_INTERNAL_ERROR, H3_REQUEST_CANCELLED } = H3ErrorCode

/** Ends the session, lets the closing period pass, and looks for anything that was left behind. */
async function finish(world: SupervisedWorld, session: ClientSession): Promise<void> {
  session.close()
  await world.pass(5_000)
  world.expectNothingLeft()
}

async function failureOf(world: SupervisedWorld, session: ClientSession, path = '/'): Promise<ClientError> {
  const answer = session.request({ path }).then((response) => response.text())
  return world.run(
    answer.then(
      () => {
        throw new Error('the request succeeded')
      },
      (error: ClientError) => error,
    ),
    60_000,
  )
}

const crashes: Record<string, ExchangeHandler> = {
  'throws at once': () => {
    throw new Error('broken')
  },
  rejects: async () => {
    await Promise.resolve()
    throw new Error('broken')
  },
  'throws in the middle of its response': async (exchange) => {
    exchange.begin(200)
    exchange.write('half of it')
    await Promise.resolve()
    throw new Error('broken')
  },
  'returns without a response': () => {},
  'returns with half a response': async (exchange) => {
    exchange.begin(200)
    exchange.write('half of it')
  },
  'responds twice': (exchange) => {
    exchange.begin(200)
    exchange.begin(200)
  },
  'writes before the head': (exchange) => {
    exchange.write('early')
  },
  'sends a field that HTTP/3 forbids': (exchange) => exchange.respond(200, ['connection', 'close']),
  'rejects with undefined': () => Promise.reject(undefined),
}

describe('a handler that crashes resets its stream in both directions with H3_INTERNAL_ERROR (design: supervision)', () => {
  it.each(Object.keys(crashes))('%s', async (name) => {
    const world = new SupervisedWorld((exchange) =>
      exchange.path === '/fine' ? exchange.respond(200, [], 'fine') : crashes[name](exchange),
    )
    const session = await world.connected()
    const error = await failureOf(world, session)
    expect(error).toMatchObject({ kind: 'reset', code: H3_INTERNAL_ERROR })
    expect(world.server.counters).toMatchObject({ crashed: 1, crashResets: 1, handlersEnded: 1 })
    expect(world.faults).toMatchObject([{ kind: 'crash', method: 'GET', path: '/' }])
    // The connection and its other streams are unharmed.
    const response = await world.run(session.request({ path: '/fine' }), 1_000)
    expect(await world.run(response.text(), 1_000)).toBe('fine')
    await finish(world, session)
  })

  it('more than 10 crashes within 10 s close the connection with H3_INTERNAL_ERROR', async () => {
    const world = new SupervisedWorld(crashes['throws at once'])
    const session = await world.connected()
    for (let crash = 1; crash <= 10; crash++) await failureOf(world, session)
    expect(session.isUsable).toBe(true)
    await failureOf(world, session)
    const reason = await world.run(session.closed, 1_000)
    expect(reason.code).toBe(H3_INTERNAL_ERROR)
    expect(world.server.counters).toMatchObject({ crashed: 11, intensityCloses: 1 })
    await world.pass(5_000)
    world.expectNothingLeft()
  })

  it('10 crashes in every 10 s are bad luck and no more', async () => {
    const world = new SupervisedWorld(crashes['throws at once'])
    const session = await world.connected()
    for (let crash = 1; crash <= 30; crash++) {
      await failureOf(world, session)
      await world.pass(1_100)
    }
    expect(session.isUsable).toBe(true)
    await finish(world, session)
  })
})

describe('a handler that hangs (design: supervision)', () => {
  it('gets its AbortSignal at the deadline; the reset follows when it gives up', async () => {
    let aborted: unknown
    const world = new SupervisedWorld(
      (exchange) =>
        new Promise((_resolve, reject) => {
          exchange.signal.addEventListener('abort', () => {
            aborted = exchange.signal.reason
            reject(exchange.signal.reason)
          })
        }),
      { handlerDeadline: 3_000 },
    )
    const session = await world.connected()
    const error = await failureOf(world, session)
    expect(error).toMatchObject({ kind: 'reset', code: H3_INTERNAL_ERROR })
    expect(aborted).toBeInstanceOf(CancelledError)
    expect(world.server.counters).toMatchObject({ hung: 1, crashed: 0 })
    await finish(world, session)
  })

  it('is reset after the grace when it ignores the signal, keeps its credit, and shows as stuck', async () => {
    const world = new SupervisedWorld(
      () => new Promise(() => {}),
      { handlerDeadline: 1_000, handlerGrace: 1_000 },
      { initialMaxStreamsBidi: 1 },
    )
    const session = await world.connected()
    const error = await failureOf(world, session)
    expect(error).toMatchObject({ kind: 'reset', code: H3_INTERNAL_ERROR })
    await world.pass(2_000)
    expect(world.status()).toMatchObject({ streams: { stuck: 1 }, handlers: { live: 1 } })
    // Stream credit returns to the peer only when the handler has really ended.
    expect(session.connection.openStream('bidi')).toBeUndefined()
    session.close()
    await world.pass(5_000)
    expect(world.server.counters.abandoned).toBe(1)
    world.expectNothingLeft()
  })

  it('the credit of a stream comes back when its handler ends', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200), {}, { initialMaxStreamsBidi: 1 })
    const session = await world.connected()
    for (let request = 0; request < 5; request++) {
      const response = await world.run(session.request(), 5_000)
      expect(response.status).toBe(200)
    }
    await finish(world, session)
  })

  it('has no deadline once its response has begun', async () => {
    const world = new SupervisedWorld(
      async (exchange) => {
        exchange.begin(200)
        await new Promise<void>((resolve) => {
          world.clock.setTimer(world.clock.now() + 8_000, resolve)
        })
        exchange.end('late')
      },
      { handlerDeadline: 1_000 },
    )
    const session = await world.connected()
    const response = await world.run(session.request(), 1_000)
    expect(await world.run(response.text(), 10_000)).toBe('late')
    await finish(world, session)
  })
})

describe('a client that gives up (RFC 9114 section 4.1.1)', () => {
  /** Waits for ever, but ends when it is told to. */
  function obedient(ended: unknown[]): ExchangeHandler {
    return async (exchange: Exchange) => {
      try {
        await new Promise((_resolve, reject) => {
          exchange.onCancel = reject
        })
      } catch (error) {
        ended.push(error)
        throw error
      }
    }
  }

  it('cancels the handler; its error is no crash', async () => {
    const ended: unknown[] = []
    const world = new SupervisedWorld(obedient(ended))
    const session = await world.connected()
    const controller = new AbortController()
    const answer = session.request({ signal: controller.signal }).catch((error: unknown) => error)
    await world.pass(100)
    expect(world.status().handlers.live).toBe(1)
    controller.abort(new Error('changed my mind'))
    await world.run(answer, 1_000)
    await world.pass(1_000)
    expect(ended).toHaveLength(1)
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, actors: { crashed: 0 } })
    await finish(world, session)
  })

  it('wakes a handler that waits for the rest of a request', async () => {
    const ended: unknown[] = []
    const world = new SupervisedWorld(async (exchange) => {
      try {
        for await (const _chunk of exchange.body);
      } catch (error) {
        ended.push(error)
        throw error
      }
    })
    const session = await world.connected()
    const request = session.h3.openRequest(
      [':method', 'POST', ':scheme', 'https', ':authority', 'server.test', ':path', '/'],
      true,
    )!
    request.write(new Uint8Array(100))
    await world.pass(100)
    request.reset(H3_REQUEST_CANCELLED)
    await world.pass(1_000)
    expect(ended[0]).toBeInstanceOf(CancelledError)
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, actors: { crashed: 0 } })
    await finish(world, session)
  })

  it('and vanishes: everything is gone after the idle timeout', async () => {
    const ended: unknown[] = []
    const world = new SupervisedWorld(obedient(ended))
    const session = await world.connected()
    for (let request = 0; request < 20; request++) session.request().catch(() => {})
    await world.pass(100)
    expect(world.status().handlers.live).toBe(20)
    await world.clientSocket.close()
    // The resets at the handlers' deadline start the idle timer once more (RFC 9000 section 10.1).
    await world.pass(60_000)
    expect(ended).toHaveLength(20)
    world.expectNothingLeft()
  })

  it('what a handler does after its end changes nothing and throws nothing', async () => {
    let kept: Exchange | undefined
    const world = new SupervisedWorld((exchange) => {
      kept = exchange
      exchange.respond(200, [], 'done')
    })
    const session = await world.connected()
    const response = await world.run(session.request(), 1_000)
    expect(await world.run(response.text(), 1_000)).toBe('done')
    kept!.respond(500)
    kept!.begin(500)
    kept!.end('more')
    await expect(kept!.write('more')).rejects.toBeInstanceOf(CancelledError)
    await finish(world, session)
  })
})
