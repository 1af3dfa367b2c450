// A server in virtual time: what takes a minute takes no time, a lost network is a line, and what is left is counted.
// In a project of your own the imports come from 'quactor' and 'quactor/testing'; run it with vitest.
import { createTestClient, createTestServer, expectNoLeaks } from 'quactor/testing'
import { describe, expect, it } from 'vitest'
import 'quactor/testing/vitest'

describe('a slow handler', () => {
  it('answers after a minute that takes no time', async () => {
    const server = createTestServer({
      link: { delay: 30, loss: 0.1, lossBurst: 3 },
      // Virtual time passes for everybody who asks the server, not for setTimeout().
      handler: (exchange) =>
        new Promise((resolve) => {
          server.world.clock.setTimer(server.now + 60_000, () => {
            exchange.respond(200, ['content-type', 'text/plain'], 'at last')
            resolve()
          })
        }),
      supervision: { handlerDeadline: 120_000 },
      transport: { maxIdleTimeout: 300_000 },
    })
    const client = await createTestClient(server)
    const before = server.now
    const response = await client.request('/', 120_000)
    expect(response.text()).toBe('at last')
    expect(server.now - before).toBeGreaterThan(60_000)
    await expectNoLeaks(server)
    expect(server).toHaveNoLiveActors()
  })

  it('is stopped when its client resets, and the stream ends', async () => {
    let cancelled = false
    const server = createTestServer({
      handler: (exchange) =>
        new Promise((_resolve, reject) => {
          exchange.signal.addEventListener('abort', () => {
            cancelled = true
            reject(exchange.signal.reason)
          })
        }),
    })
    const client = await createTestClient(server)
    const request = client.begin('POST', '/upload').send('the beginning')
    await server.pass(100)
    const [stream] = server.streamActors().filter((actor) => actor.id === '0')
    expect(stream).toBeInState({ open: { send: 'ready', receive: 'recv' } })
    request.abort()
    await server.pass(1_000)
    expect(cancelled).toBe(true)
    expect(stream).toHaveClosed('reset')
    client.close()
    expect(client).toHaveClosed()
    await expectNoLeaks(server)
  })
})
