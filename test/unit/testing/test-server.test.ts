// The kit for users, against itself: what it must notice it does notice.
import { describe, expect, it } from 'vitest'
import { createMachine, setup } from 'xstate'
import { endResponse, sendChunk, serviceTypes } from '../../../src/index.ts'
import {
  createTestClient,
  createTestServer,
  expectNoLeaks,
  LeakError,
  testMachineService,
} from '../../../src/testing/index.ts'
import '../../../src/testing/vitest.ts'

const echo = setup({ types: serviceTypes }).createMachine({
  id: 'echo',
  initial: 'open',
  states: {
    open: {
      on: {
        'body.chunk': { actions: sendChunk(({ event }) => event.chunk) },
        'body.end': { target: 'done', actions: endResponse() },
      },
    },
    done: { type: 'final' },
  },
})

describe('testMachineService', () => {
  it('lets a machine pass that answers whatever comes', async () => {
    const report = await testMachineService(echo, { runs: 30 })
    expect(report.missing).toEqual([])
    expect(report.transitions.get('open x body.end')).toBeGreaterThan(0)
  })

  it('finds the shortest request that makes a handler crash', async () => {
    const brittle = setup({ types: serviceTypes }).createMachine({
      id: 'brittle',
      initial: 'open',
      states: {
        open: {
          on: {
            'body.chunk': {},
            'body.trailers': {
              actions: () => {
                throw new Error('trailers!')
              },
            },
            'body.end': { target: 'done', actions: endResponse() },
          },
        },
        done: { type: 'final' },
      },
    })
    const failure = await testMachineService(brittle, { runs: 100 }).catch((error: Error) => error)
    expect(String(failure)).toContain('Counterexample: [trailers, loss 0,')
    expect(String((failure as Error).cause)).toContain('crash: trailers!')
  })

  it('finds a handler that never answers', async () => {
    const silent = createMachine({ id: 'silent', initial: 'waits', states: { waits: {} } })
    await expect(testMachineService(silent, { runs: 30 })).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringContaining('hang') }),
    })
  })

  it('says which states nobody reached', async () => {
    const lazy = setup({ types: serviceTypes }).createMachine({
      id: 'lazy',
      initial: 'open',
      states: {
        open: { on: { 'body.end': { target: 'done', actions: endResponse() }, datagram: 'odd' } },
        odd: { on: { 'body.end': 'done' } },
        done: { type: 'final' },
      },
    })
    expect((await testMachineService(lazy, { runs: 20 })).missing).toEqual(['odd'])
    await expect(testMachineService(lazy, { runs: 20, requiresAllStates: true })).rejects.toThrow('odd')
  })
})

describe('a test server', () => {
  const respond = { fetch: () => new Response('ok', { headers: { 'x-kind': 'short' } }) }

  it('answers requests of several clients, and leaves nothing', async () => {
    const server = createTestServer(respond)
    const [first, second] = [await createTestClient(server), await createTestClient(server)]
    expect(await first.request('/')).toMatchObject({ status: 200 })
    const response = await second.request({ path: '/', method: 'GET' })
    expect([response.text(), response.headers.get('x-kind')]).toEqual(['ok', 'short'])
    expect(server.leaks()).toContain('2 connections')
    expect(() => expect(server).toHaveNoLiveActors()).toThrow('actors live')
    await expectNoLeaks(server)
    expect(server).toHaveNoLiveActors()
    expect(first).toHaveClosed()
  })

  it('is the same again from the same seed', async () => {
    const run = async (seed: number): Promise<number> => {
      const server = createTestServer({ ...respond, seed, link: { loss: 0.2, jitter: 5 } })
      const client = await createTestClient(server)
      await client.request('/')
      return server.now
    }
    expect(await run(3)).toBe(await run(3))
    expect(await run(3)).not.toBe(await run(4))
  })

  it('names what is left', () => {
    expect(new LeakError(['1 streams', '1 actors'])).toMatchObject({
      message: 'left over: 1 streams, 1 actors',
    })
    expect(() => createTestServer({})).toThrow(TypeError)
  })

  it('loses its clients when the network is cut', async () => {
    const server = createTestServer({ ...respond, transport: { maxIdleTimeout: 5_000 } })
    await createTestClient(server)
    server.cut(true)
    await server.pass(20_000)
    expect(server.status().connections.live).toBe(0)
    server.cut(false)
    await expectNoLeaks(server)
  })

  it('lets a request be stopped, reset and read at will', async () => {
    const server = createTestServer({
      handler: (exchange) => exchange.respond(200, [], Buffer.alloc(100_000)),
    })
    const client = await createTestClient(server)
    const paused = client.begin('GET').read(false).end()
    const stopped = client.begin('GET').end().stop()
    const reset = client.begin().reset()
    await server.pass(2_000)
    expect([paused.status, paused.isComplete]).toEqual([200, false])
    paused.read(true)
    await server.pass(2_000)
    expect([paused.isComplete, paused.body.length, paused.outcome]).toEqual([true, 100_000, 'closed'])
    expect([stopped.outcome, reset.isOver]).toEqual(['reset', true])
    await expectNoLeaks(server)
  })
})
