// Sessions of the client against a simulated server, in virtual time.
import { describe, expect, it } from 'vitest'
import type { ClientSession } from '../../../src/client/session.ts'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { leftovers } from '../../sim/leftovers.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { sleep } from '../../sim/order.ts'
import type { VirtualClock } from '../../sim/virtual-clock.ts'
import { World, type WorldOptions } from '../../sim/world.ts'

function build(
  handler: (clock: VirtualClock) => ExchangeHandler,
  options: Partial<WorldOptions> = {},
): { world: World; session: ClientSession } {
  const world = new World({ seed: 1, handler, toServer: PERFECT_LINK, toClient: PERFECT_LINK, ...options })
  return { world, session: world.open() }
}

async function expectClean(world: World, session: ClientSession): Promise<void> {
  session.close()
  await world.pass(60_000)
  expect(leftovers(world)).toEqual([])
}

const ok: ExchangeHandler = (exchange) => exchange.respond(200, ['x-path', exchange.path], 'ok')

describe('client session', () => {
  it('takes requests before the handshake is complete and sends them when it is', async () => {
    const { world, session } = build(() => ok)
    const response = await world.run(session.request({ path: '/early?x=1' }), 1_000)
    expect([response.status, response.header('x-path'), response.headers.get('x-path')]).toEqual([
      200,
      '/early?x=1',
      '/early?x=1',
    ])
    expect(await world.run(response.text(), 1_000)).toBe('ok')
    await expectClean(world, session)
  })

  it('waits for stream credit in order when the server allows fewer streams than requests', async () => {
    const answered: string[] = []
    const handler: ExchangeHandler = (exchange) => {
      answered.push(exchange.path)
      exchange.respond(200)
    }
    const { world, session } = build(() => handler, { transport: { initialMaxStreamsBidi: 2 } })
    const paths = Array.from({ length: 9 }, (_, index) => `/${index}`)
    const requests = paths.map((path) => session.request({ path }))
    await world.run(session.opened, 1_000)
    expect(session.waitingRequests).toBe(7)
    await world.run(Promise.all(requests), 10_000)
    expect(answered).toEqual(paths)
    await expectClean(world, session)
  })

  it('lets go of a request that is aborted while it waits, and of one in the middle of its body', async () => {
    const handler =
      (clock: VirtualClock): ExchangeHandler =>
      async (exchange) => {
        exchange.begin(200)
        for (;;) {
          await exchange.write('tick')
          await sleep(clock, 100)
        }
      }
    const { world, session } = build(handler, { transport: { initialMaxStreamsBidi: 1 } })
    const first = new AbortController()
    const second = new AbortController()
    const response = await world.run(session.request({ signal: first.signal }), 1_000)
    const waiting = session.request({ signal: second.signal })
    second.abort(new Error('changed my mind'))
    await expect(world.run(waiting, 1_000)).rejects.toThrow('changed my mind')
    expect(session.waitingRequests).toBe(0)
    const body = response.text()
    first.abort(new Error('enough'))
    await expect(world.run(body, 1_000)).rejects.toThrow('enough')
    await expect(session.request({ signal: first.signal })).rejects.toThrow('enough')
    await expectClean(world, session)
  })

  it('refuses what HTTP does not allow, with a TypeError and without harm to others', async () => {
    const { world, session } = build(() => ok)
    await world.run(session.opened, 1_000)
    await expect(session.request({ headers: { 'bad name': 'x' } })).rejects.toThrow(TypeError)
    await expect(session.request({ headers: { x: 'line\nfeed' } })).rejects.toThrow(TypeError)
    await expect(session.request({ path: '' })).rejects.toThrow(TypeError)
    expect((await world.run(session.request(), 1_000)).status).toBe(200)
    await expectClean(world, session)
  })

  it('fails what is in flight when it is closed, and takes nothing new', async () => {
    const { world, session } = build(() => () => new Promise(() => {}))
    await world.run(session.opened, 1_000)
    const request = session.request()
    session.close()
    await expect(world.run(request, 1_000)).rejects.toMatchObject({ kind: 'aborted' })
    await expect(session.request()).rejects.toMatchObject({ kind: 'aborted' })
    expect(session.isUsable).toBe(false)
  })

  it('reports requests after GOAWAY as not processed, so that they may be sent again (RFC 9114 section 5.2)', async () => {
    const handler =
      (clock: VirtualClock): ExchangeHandler =>
      async (exchange) => {
        await sleep(clock, 3_000)
        exchange.respond(200)
      }
    const { world, session } = build(handler)
    await world.run(session.opened, 1_000)
    const inTime = session.request()
    await world.pass(500)
    void world.server.drain()
    await world.pass(1_500)
    await expect(world.run(session.request(), 5_000)).rejects.toMatchObject({
      kind: 'rejected',
      isRetryable: true,
    })
    expect((await world.run(inTime, 10_000)).status).toBe(200)
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })

  it('holds the server back while nobody reads, and goes on when somebody does', async () => {
    let written = 0
    const piece = new Uint8Array(10_000)
    const handler: ExchangeHandler = async (exchange) => {
      exchange.begin(200)
      for (let i = 0; i < 200; i++) {
        await exchange.write(piece)
        written += piece.length
      }
      exchange.end()
    }
    const { world, session } = build(() => handler, { transport: { initialMaxStreamDataBidiLocal: 50_000 } })
    const response = await world.run(session.request(), 1_000)
    await world.pass(5_000)
    expect(written).toBeLessThan(700_000)
    expect((await world.run(response.bytes(), 60_000)).length).toBe(2_000_000)
    await expectClean(world, session)
  })

  it('gives the body as a web stream, and tells the server when that is cancelled', async () => {
    let reason = ''
    const handler: ExchangeHandler = async (exchange) => {
      exchange.onCancel = (error) => {
        reason = error.name
      }
      exchange.begin(200)
      for (;;) await exchange.write(new Uint8Array(50_000))
    }
    const { world, session } = build(() => handler)
    const response = await world.run(session.request(), 1_000)
    const reader = response.stream().getReader()
    const first = await world.run(reader.read(), 1_000)
    expect(first.value!.length).toBeGreaterThan(0)
    await reader.cancel()
    await world.pass(1_000)
    expect(reason).toBe('AbortError')
    await expectClean(world, session)
  })

  it('says in words why the connection ended', async () => {
    const { world, session } = build(() => ok)
    const problem = world.run(session.opened, 20_000)
    world.network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', true)
    await expect(problem).rejects.toMatchObject({
      kind: 'timeout',
      message: 'the server did not answer in time',
    })
    const refused = world.open({
      verifyCertificate: (_request, done) => done({ alert: 48, reason: 'unknown' }),
    })
    world.network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', false)
    await expect(world.run(refused.opened, 20_000)).rejects.toMatchObject({
      kind: 'connect',
      message: expect.stringContaining('TLS alert 48'),
    })
  })
})
