import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../../src/http3/index.ts'
import { SupervisedWorld } from './supervised-world.ts'

/** Answers after as many ms as the path says. */
function pausing(world: () => SupervisedWorld): ExchangeHandler {
  return async (exchange) => {
    const { clock } = world()
    await new Promise<void>((resolve) => {
      clock.setTimer(clock.now() + Number(exchange.path.slice(1)), resolve)
    })
    exchange.respond(200, [], 'done')
  }
}

function pausingWorld(): SupervisedWorld {
  const world: SupervisedWorld = new SupervisedWorld(pausing(() => world))
  return world
}

describe('draining (RFC 9114 section 5.2)', () => {
  it('tells an idle client with CONNECTION_CLOSE(H3_NO_ERROR) after the announced second', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    const begin = world.clock.now()
    const closed = session.closed.then(() => world.clock.now() - begin)
    const report = await world.run(world.server.drain(), 30_000)
    expect(report).toEqual({ finished: 0, cut: 0 })
    expect(await world.run(closed, 1_000)).toBeCloseTo(1_010, -1)
    const reason = await session.closed
    expect(reason).toMatchObject({ code: H3ErrorCode.H3_NO_ERROR })
    expect(reason.message).toContain('going away')
    world.expectNothingLeft()
  })

  it('lets a request finish, and one that was on its way at the first GOAWAY too', async () => {
    const world = pausingWorld()
    const session = await world.connected()
    const answers: string[] = []
    const ask = (path: string): void => {
      session
        .request({ path })
        .then((response) => response.text())
        .then(
          (text) => answers.push(text),
          (error: Error) => answers.push(error.message),
        )
    }
    ask('/4000')
    await world.pass(50)
    const drained = world.server.drain()
    ask('/3000')
    const report = await world.run(drained, 30_000)
    expect(answers).toEqual(['done', 'done'])
    expect(report).toEqual({ finished: 2, cut: 0 })
    world.expectNothingLeft()
  })

  it('rejects later requests with H3_REQUEST_REJECTED after the second GOAWAY', async () => {
    const world = pausingWorld()
    const session = await world.connected()
    session.request({ path: '/5000' }).catch(() => {})
    await world.pass(50)
    const drained = world.server.drain()
    await world.pass(2_000)
    // A client that has not seen the GOAWAY, or does not care.
    const stream = session.connection.openStream('bidi')!
    const resets: number[] = []
    stream.application = {
      handleReadable: () => {},
      handleWritable: () => {},
      handleReset: (_stream, code) => resets.push(code),
      handleStopSending: (_stream, code) => resets.push(code),
      handleClosed: () => {},
    }
    stream.write(Uint8Array.of(1, 2, 0, 0))
    await world.pass(500)
    expect(resets).toContain(H3ErrorCode.H3_REQUEST_REJECTED)
    expect(world.server.counters.handlersStarted).toBe(1)
    await world.run(drained, 30_000)
    world.expectNothingLeft()
  })

  it('cuts what is left 10 s after the second GOAWAY', async () => {
    const world = pausingWorld()
    const session = await world.connected()
    const answer = session.request({ path: '/60000' }).catch((error: Error) => error)
    await world.pass(50)
    const begin = world.clock.now()
    const report = await world.run(world.server.drain(), 30_000)
    expect(report).toEqual({ finished: 0, cut: 1 })
    expect(world.clock.now() - begin).toBeGreaterThan(11_000)
    expect(world.clock.now() - begin).toBeLessThan(13_000)
    expect(await world.run(answer, 1_000)).toBeInstanceOf(Error)
  })

  it('the hard stop does not wait for anybody', async () => {
    const world = pausingWorld()
    const session = await world.connected()
    session.request({ path: '/60000' }).catch(() => {})
    await world.pass(50)
    const begin = world.clock.now()
    const report = await world.run(world.server.drain(200), 30_000)
    expect(world.clock.now() - begin).toBeCloseTo(200, 0)
    expect(report.cut).toBe(1)
    const reason = await world.run(session.closed, 1_000)
    expect(reason).toMatchObject({ code: H3ErrorCode.H3_NO_ERROR })
    expect(world.status().connections.live).toBe(0)
  })

  it('accepts no new connection', async () => {
    const world = pausingWorld()
    await world.run(world.server.drain(), 1_000)
    const session = world.open()
    const outcome = session.opened.then(
      () => 'opened',
      () => 'refused',
    )
    expect(await world.run(outcome, 60_000)).toBe('refused')
    expect(world.server.counters.refused).toBeGreaterThan(0)
    expect(world.server.counters.connectionsOpened).toBe(0)
  })
})
