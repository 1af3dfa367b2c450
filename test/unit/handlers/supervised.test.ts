// Limits and crash policies of one handler, in a simulated world.
import { expect, test } from 'vitest'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { fetchHandler } from '../../../src/handlers/fetch-handler.ts'
import { type SupervisedOptions, supervised } from '../../../src/handlers/supervised.ts'
import { SupervisedWorld } from '../supervisor/supervised-world.ts'

async function worldOf(handler: ExchangeHandler, options: SupervisedOptions) {
  const world = new SupervisedWorld(supervised(handler, options))
  const session = await world.connected()
  const finish = async (): Promise<void> => {
    session.close()
    await world.pass(60_000)
    world.expectNothingLeft()
  }
  return { world, session, finish }
}

const length: ExchangeHandler = async (exchange) => {
  let bytes = 0
  for await (const chunk of exchange.body) bytes += chunk.length
  exchange.respond(200, [], String(bytes))
}

test('a longer body is answered 413, whether its length was declared or not (RFC 9110 section 15.5.14)', async () => {
  const { world, session, finish } = await worldOf(length, { maxBody: 1_000 })
  async function* pieces() {
    for (let index = 0; index < 11; index++) yield new Uint8Array(100)
  }
  const statuses: number[] = []
  for (const body of [new Uint8Array(1_000), new Uint8Array(1_001), pieces()]) {
    const response = await world.run(session.request({ method: 'POST', path: '/', body }), 5_000)
    statuses.push(response.status)
    await world.run(response.text(), 5_000)
  }
  expect(statuses).toEqual([200, 413, 413])
  expect(world.server.counters.crashed).toBe(0)
  await finish()
})

test('the limit holds for fetch handlers that collect the body', async () => {
  const handler = fetchHandler(async (request) => new Response(String((await request.text()).length)))
  const { world, session, finish } = await worldOf(handler, { maxBody: 10 })
  async function* pieces() {
    yield new Uint8Array(11)
  }
  const response = await world.run(session.request({ method: 'POST', path: '/', body: pieces() }), 5_000)
  expect(response.status).toBe(413)
  await finish()
})

test('a deadline of its own cancels a handler that has not begun a response', async () => {
  const { world, session, finish } = await worldOf(() => new Promise<void>(() => {}), { deadline: 500 })
  const request = session.request({ path: '/' })
  request.catch(() => {})
  await world.pass(4_000)
  await expect(request).rejects.toMatchObject({ kind: 'reset' })
  expect(world.server.counters.hung).toBe(1)
  session.close()
  await world.pass(60_000)
  expect(world.status().handlers.live).toBe(0)
  await finish()
})

test('so many run at once, so many wait, the others are turned away with 503', async () => {
  let running = 0
  let most = 0
  const handler: ExchangeHandler = async (exchange) => {
    most = Math.max(most, ++running)
    const { clock } = exchange.host
    await new Promise<void>((resolve) => clock!.setTimer(clock!.now() + 100, resolve))
    running--
    exchange.respond(200)
  }
  const { world, session, finish } = await worldOf(handler, { concurrency: 2, queue: 3 })
  const requests = Array.from({ length: 8 }, () => session.request({ path: '/' }))
  const responses = await world.run(Promise.all(requests), 10_000)
  expect(most).toBe(2)
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(5)
  expect(responses.filter(({ status }) => status === 503)).toHaveLength(3)
  expect(responses.find(({ status }) => status === 503)!.header('retry-after')).toBe('1')
  await finish()
})

test('a client that leaves the queue frees its place there', async () => {
  const seen: string[] = []
  const handler: ExchangeHandler = async (exchange) => {
    seen.push(exchange.path)
    const { clock } = exchange.host
    await new Promise<void>((resolve) => clock!.setTimer(clock!.now() + 500, resolve))
    exchange.respond(200)
  }
  const { world, session, finish } = await worldOf(handler, { concurrency: 1, queue: 1 })
  const first = session.request({ path: '/1' })
  const abort = new AbortController()
  session.request({ path: '/2', signal: abort.signal }).catch(() => {})
  await world.pass(100)
  abort.abort()
  await world.pass(100)
  const third = session.request({ path: '/3' })
  await world.run(Promise.all([first, third]), 5_000)
  expect(seen).toEqual(['/1', '/3'])
  await finish()
})

test('a crash is answered as the policy says', async () => {
  const broken: ExchangeHandler = () => {
    throw new Error('broken')
  }
  const respond = await worldOf(broken, { onCrash: 'respond' })
  expect((await respond.world.run(respond.session.request({ path: '/' }), 5_000)).status).toBe(500)
  await respond.finish()
  const reset = await worldOf(broken, {})
  await expect(reset.world.run(reset.session.request({ path: '/' }), 5_000)).rejects.toMatchObject({
    kind: 'reset',
  })
  await reset.finish()
  const own = await worldOf(broken, {
    onCrash: (error, exchange) => exchange.respond(502, [], String(error)),
  })
  const response = await own.world.run(own.session.request({ path: '/' }), 5_000)
  expect([response.status, await own.world.run(response.text(), 5_000)]).toEqual([502, 'Error: broken'])
  await own.finish()
})

test('limits that mean nothing are refused', () => {
  expect(() => supervised(length, { concurrency: 0 })).toThrow(RangeError)
  expect(() => supervised(length, { deadline: Number.NaN })).toThrow(RangeError)
  expect(() => supervised(length, { maxBody: -1 })).toThrow(RangeError)
})
