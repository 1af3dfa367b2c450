// Machine services in a simulated world: what reaches the machine, what comes out of it, and that nothing stays behind.
import { describe, expect, it } from 'vitest'
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import {
  endResponse,
  machineService,
  pauseBody,
  resetStream,
  resumeBody,
  type ServiceEvent,
  type ServiceInput,
  sendChunk,
  sendHead,
  sendInformational,
  sendTrailers,
  serviceTypes,
} from '../../../../src/handlers/machine-service/index.ts'
import { SupervisedWorld } from '../../supervisor/supervised-world.ts'

async function finish(world: SupervisedWorld, session: { close(): void }): Promise<void> {
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
}

const echo = setup({ types: serviceTypes }).createMachine({
  initial: 'open',
  states: {
    open: {
      on: {
        'body.chunk': { actions: sendChunk(({ event }) => event.chunk) },
        'body.trailers': { actions: sendTrailers(({ event }) => event.trailers) },
        'body.end': { target: 'done', actions: endResponse() },
      },
    },
    done: { type: 'final' },
  },
})

describe('a machine service', () => {
  it('gets the body as events and writes the response by what it emits', async () => {
    const world = new SupervisedWorld(machineService(echo))
    const session = await world.connected()
    const body = new Uint8Array(300_000).fill(7)
    const response = await world.run(session.request({ method: 'POST', path: '/', body }), 5_000)
    expect(response.status).toBe(200)
    expect((await world.run(response.bytes(), 20_000)).length).toBe(300_000)
    await finish(world, session)
  })

  it('answers with its output: a Response, text, bytes, plain data', async () => {
    const outputs = {
      '/response': () => new Response('from a Response', { status: 203 }),
      '/text': () => 'text',
      '/bytes': () => Buffer.from('bytes'),
      '/data': () => ({ status: 404, headers: { 'x-a': 'b' }, body: 'none' }),
    } as const
    const machine = setup({
      types: { ...serviceTypes, context: {} as { path: keyof typeof outputs } },
    }).createMachine({
      context: ({ input }) => ({ path: new URL(input.request.url).pathname as keyof typeof outputs }),
      initial: 'done',
      states: { done: { type: 'final' } },
      output: ({ context }) => outputs[context.path](),
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const seen: string[] = []
    for (const path of Object.keys(outputs)) {
      const response = await world.run(session.request({ path }), 5_000)
      seen.push(`${response.status} ${await world.run(response.text(), 5_000)}`)
    }
    expect(seen).toEqual(['203 from a Response', '200 text', '200 bytes', '404 none'])
    await finish(world, session)
  })

  it('sends informational responses, head, chunks and trailers', async () => {
    const machine = setup({ types: serviceTypes }).createMachine({
      entry: [
        sendInformational(103, { link: '</a.css>; rel=preload' }),
        sendHead({ status: 201, headers: { 'X-Upper': 'v' } }),
        sendChunk('a'),
        sendChunk(Buffer.from('b')),
        sendTrailers({ 'x-sum': '2' }),
        endResponse(),
      ],
      initial: 'done',
      states: { done: { type: 'final' } },
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const response = await world.run(session.request({ path: '/' }), 5_000)
    expect(response.status).toBe(201)
    expect(response.header('x-upper')).toBe('v')
    expect(await world.run(response.text(), 5_000)).toBe('ab')
    expect(response.trailers).toEqual(['x-sum', '2'])
    await finish(world, session)
  })

  it('crashes alone: an action that throws resets its stream and no other', async () => {
    const machine = setup({ types: serviceTypes }).createMachine({
      entry: ({ event }) => {
        throw new Error(`broken by ${event.type}`)
      },
    })
    const world = new SupervisedWorld((exchange) =>
      exchange.path === '/crash' ? machineService(machine)(exchange) : machineService(echo)(exchange),
    )
    const session = await world.connected()
    const other = session.request({ method: 'POST', path: '/', body: Buffer.from('fine') })
    await expect(world.run(session.request({ path: '/crash' }), 5_000)).rejects.toMatchObject({
      kind: 'reset',
    })
    expect(await world.run((await world.run(other, 5_000)).text(), 5_000)).toBe('fine')
    expect(world.server.counters.crashed).toBe(1)
    await finish(world, session)
  })

  it('that loops without events is a crash, not a hang', async () => {
    const machine = setup({ types: serviceTypes }).createMachine({
      initial: 'a',
      states: { a: { always: 'b' }, b: { always: 'a' } },
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    await expect(world.run(session.request({ path: '/' }), 5_000)).rejects.toMatchObject({ kind: 'reset' })
    await finish(world, session)
  })

  it('hears that the client has left, may finish what it is at, and is stopped after its grace', async () => {
    const seen: ServiceEvent[] = []
    const machine = setup({ types: serviceTypes }).createMachine({
      initial: 'working',
      states: {
        working: {
          on: { 'recv.stopSending': { target: 'cleaning', actions: ({ event }) => void seen.push(event) } },
        },
        cleaning: { after: { 300: 'done' } },
        done: { type: 'final' },
      },
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const abort = new AbortController()
    const request = session.request({ path: '/', signal: abort.signal })
    request.catch(() => {})
    await world.pass(100)
    abort.abort()
    await world.pass(200)
    expect(seen).toEqual([{ type: 'recv.stopSending', code: 0x10c }])
    expect(world.status().handlers.live).toBe(1)
    await world.pass(400)
    expect(world.status().handlers.live).toBe(0)
    await finish(world, session)
  })

  it('that does not care is stopped at once, and with it what it has started', async () => {
    let stopped = 0
    const machine = setup({
      types: serviceTypes,
      actors: { ticker: fromCallback(() => () => void stopped++) },
    }).createMachine({ invoke: { src: 'ticker' }, on: { 'body.end': {} } })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const abort = new AbortController()
    session.request({ path: '/', signal: abort.signal }).catch(() => {})
    await world.pass(100)
    abort.abort()
    await world.pass(100)
    expect(stopped).toBe(1)
    expect(world.status().handlers.live).toBe(0)
    await finish(world, session)
  })

  it('that takes the deadline event and answers nothing is cut when its grace is over', async () => {
    let deadlines = 0
    const machine = setup({ types: serviceTypes }).createMachine({
      on: { deadline: { actions: () => void deadlines++ } },
    })
    const world = new SupervisedWorld(machineService(machine), { handlerDeadline: 2_000 })
    const session = await world.connected()
    const request = session.request({ path: '/' })
    request.catch(() => {})
    await world.pass(10_000)
    expect(deadlines).toBe(1)
    expect(world.status().handlers.live).toBe(0)
    await expect(request).rejects.toMatchObject({ kind: 'reset' })
    await finish(world, session)
  })

  it('hears of the drain of its connection', async () => {
    const machine = setup({ types: serviceTypes }).createMachine({
      initial: 'waiting',
      states: { waiting: { on: { drain: 'done' } }, done: { type: 'final' } },
      output: 'drained',
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const request = session.request({ path: '/' })
    await world.pass(100)
    const closing = world.server.close(20_000)
    expect(await world.run((await world.run(request, 5_000)).text(), 5_000)).toBe('drained')
    await world.run(closing, 60_000)
    await finish(world, session)
  })

  it('may reset its stream with a code', async () => {
    const machine = setup({ types: serviceTypes }).createMachine({ entry: resetStream(0x10b) })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    await expect(world.run(session.request({ path: '/' }), 5_000)).rejects.toMatchObject({ code: 0x10b })
    expect(world.server.counters.crashed).toBe(0)
    await finish(world, session)
  })

  it('holds the body: the window of the client closes while the machine pauses', async () => {
    const machine = setup({ types: { ...serviceTypes, context: {} as { bytes: number } } }).createMachine({
      context: { bytes: 0 },
      initial: 'paused',
      on: {
        'body.chunk': {
          actions: assign({ bytes: ({ context, event }) => context.bytes + event.chunk.length }),
        },
      },
      states: {
        paused: { entry: pauseBody(), after: { 2000: 'reading' } },
        reading: { entry: resumeBody(), on: { 'body.end': 'done' } },
        done: { type: 'final' },
      },
      output: ({ context }) => String(context.bytes),
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const body = new Uint8Array(3_000_000)
    const request = session.request({ method: 'POST', path: '/', body })
    await world.pass(1_500)
    expect(world.status().buffers.receiveBytes).toBeLessThan(1_000_000)
    expect(await world.run((await world.run(request, 60_000)).text(), 5_000)).toBe('3000000')
    await finish(world, session)
  })

  it('is told to pause and to resume when the client reads slowly', async () => {
    const seen: string[] = []
    const machine = setup({ types: { ...serviceTypes, context: {} as { left: number } } }).createMachine({
      context: { left: 40 },
      initial: 'writing',
      states: {
        writing: {
          always: { guard: ({ context }) => context.left === 0, target: 'done' },
          after: {
            1: {
              target: 'writing',
              reenter: true,
              actions: [
                sendChunk(() => new Uint8Array(100_000)),
                assign({ left: ({ context }) => context.left - 1 }),
              ],
            },
          },
          on: { 'response.pause': 'paused' },
        },
        paused: {
          entry: () => void seen.push('pause'),
          exit: () => void seen.push('resume'),
          on: { 'response.resume': 'writing' },
        },
        done: { type: 'final' },
      },
    })
    const world = new SupervisedWorld(machineService(machine))
    const session = await world.connected()
    const response = await world.run(session.request({ path: '/' }), 5_000)
    await world.pass(2_000)
    expect(seen.at(-1)).toBe('pause')
    expect((await world.run(response.bytes(), 120_000)).length).toBe(4_000_000)
    expect(seen.at(-1)).toBe('resume')
    await finish(world, session)
  })

  it('may be a promise, or a callback', async () => {
    const promised = machineService(
      fromPromise<Response, ServiceInput>(async ({ input }) => new Response(await input.request.text())),
    )
    const called = machineService(
      fromCallback<ServiceEvent, ServiceInput>(({ input }) => {
        input.response.head({ status: 202 })
        input.response.end('called')
      }),
    )
    const world = new SupervisedWorld((exchange) =>
      exchange.path === '/promise' ? promised(exchange) : called(exchange),
    )
    const session = await world.connected()
    const first = await world.run(
      session.request({ path: '/promise', method: 'POST', body: Buffer.from('p') }),
      5_000,
    )
    expect(await world.run(first.text(), 5_000)).toBe('p')
    const second = await world.run(session.request({ path: '/callback' }), 5_000)
    expect(`${second.status} ${await world.run(second.text(), 5_000)}`).toBe('202 called')
    await world.pass(1_000)
    expect(world.status().handlers.live).toBe(0)
    await finish(world, session)
  })

  it('is seen by whoever inspects the server', async () => {
    const world = new SupervisedWorld(machineService(echo, { id: 'echo-service' }))
    const ids = new Set<string>()
    const { unsubscribe } = world.server.inspection.inspect(
      (event) => void ids.add(Reflect.get(event.actorRef, 'id')),
    )
    const session = await world.connected()
    const response = await world.run(
      session.request({ method: 'POST', path: '/', body: Buffer.from('x') }),
      5_000,
    )
    await world.run(response.text(), 5_000)
    unsubscribe()
    expect(ids).toContain('echo-service')
    await finish(world, session)
  })
})
