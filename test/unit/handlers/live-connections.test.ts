// Connections, datagrams and bodies as Observables, in a simulated world.
import { toArray } from 'rxjs'
import { expect, test } from 'vitest'
import {
  connectionsOf,
  type LiveConnection,
  observeBody,
  observeDatagrams,
} from '../../../src/handlers/live-connections.ts'
import { SupervisedWorld } from '../supervisor/supervised-world.ts'

test('each connection is told once, with its numbers, and completes when it is gone', async () => {
  const world = new SupervisedWorld((exchange) => exchange.respond(200))
  const seen: LiveConnection[] = []
  let closed = 0
  const subscription = connectionsOf(world.server.connections).subscribe((connection) => {
    seen.push(connection)
    connection.closed$.subscribe({ complete: () => closed++ })
  })
  const first = await world.connected()
  const second = await world.connected()
  expect(seen.map(({ id }) => id)).toEqual([...new Set(seen.map(({ id }) => id))])
  expect(seen).toHaveLength(2)
  expect(seen[0].report()).toMatchObject({ connection: seen[0].id, streams: expect.any(Number) })
  first.close()
  await world.pass(5_000)
  expect(closed).toBe(1)
  subscription.unsubscribe()
  await world.connected()
  expect(seen).toHaveLength(2)
  second.close()
})

test('datagrams can be watched beside their way to the handler', async () => {
  const world = new SupervisedWorld(
    async (exchange) => {
      exchange.begin(200)
      await new Promise<void>((resolve) => {
        let count = 0
        observeDatagrams(exchange).subscribe(() => {
          if (++count === 2) resolve()
        })
      })
      exchange.end()
    },
    {},
    { maxDatagramFrameSize: 65_535 },
  )
  const watched: string[] = []
  let isComplete = false
  connectionsOf(world.server.connections).subscribe(({ datagrams$ }) =>
    datagrams$.subscribe({
      next: ({ streamId, payload }) => watched.push(`${streamId} ${Buffer.from(payload).toString()}`),
      complete: () => {
        isComplete = true
      },
    }),
  )
  const session = await world.connected()
  const fields = [':method', 'GET', ':scheme', 'https', ':authority', 'x', ':path', '/']
  const request = session.h3.openRequest(fields, false)!
  for (const text of ['one', 'two']) session.h3.datagrams.send(request, Buffer.from(text))
  await world.pass(500)
  expect(watched).toEqual(['0 one', '0 two'])
  expect(world.status().handlers.live).toBe(0)
  session.close()
  await world.pass(60_000)
  expect(isComplete).toBe(true)
  world.expectNothingLeft()
})

test('a body as an Observable is cold, complete, and stops when it is left', async () => {
  const world = new SupervisedWorld(async (exchange) => {
    if (exchange.path === '/leave') {
      await new Promise<void>((resolve) => {
        const subscription = observeBody(exchange).subscribe(() => {
          subscription.unsubscribe()
          resolve()
        })
      })
      exchange.respond(200, [], 'left')
      return
    }
    const chunks = await new Promise<Uint8Array[]>((resolve, reject) => {
      observeBody(exchange).pipe(toArray()).subscribe({ next: resolve, error: reject })
    })
    exchange.respond(200, [], String(chunks.reduce((sum, chunk) => sum + chunk.length, 0)))
  })
  const session = await world.connected()
  const body = new Uint8Array(500_000)
  const whole = await world.run(session.request({ method: 'POST', path: '/', body }), 20_000)
  expect(await world.run(whole.text(), 5_000)).toBe('500000')
  const left = await world.run(session.request({ method: 'POST', path: '/leave', body }), 20_000)
  expect(await world.run(left.text(), 5_000)).toBe('left')
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
})
