// A service that is interrupted and goes on with a later request, and what a long row of requests leaves behind.
import { expect, it } from 'vitest'
import { assign, fromPromise, type Snapshot, setup } from 'xstate'
import { machineService, sendChunk, serviceTypes } from '../../../../src/handlers/machine-service/index.ts'
import { SupervisedWorld } from '../../supervisor/supervised-world.ts'

const counting = setup({
  types: { ...serviceTypes, context: {} as { step: number } },
  actors: {
    work: fromPromise(async () => {
      const { clock } = worlds.at(-1)!
      await new Promise<void>((done) => clock.setTimer(clock.now() + 100, done))
    }),
  },
}).createMachine({
  context: { step: 0 },
  initial: 'working',
  states: {
    working: {
      invoke: {
        src: 'work',
        onDone: [
          { guard: ({ context }) => context.step === 9, target: 'done' },
          {
            target: 'working',
            reenter: true,
            actions: [
              assign({ step: ({ context }) => context.step + 1 }),
              sendChunk(({ context }) => `${context.step} `),
            ],
          },
        ],
      },
    },
    done: { type: 'final' },
  },
  output: 'end',
})

/** The one that runs is the last. */
const worlds: SupervisedWorld[] = []

it('a later request goes on where the first was interrupted', async () => {
  const stored = new Map<string, string>()
  const service = machineService(counting, {
    restore: ({ request }) => {
      const text = stored.get(new URL(request.url).pathname)
      return text === undefined ? undefined : (JSON.parse(text) as Snapshot<unknown>)
    },
    persist: async (snapshot, { request }) => {
      await Promise.resolve()
      stored.set(new URL(request.url).pathname, JSON.stringify(snapshot))
    },
  })
  const first = new SupervisedWorld(service)
  worlds.push(first)
  const session = await first.connected()
  const response = await first.run(session.request({ path: '/job' }), 5_000)
  await first.pass(350)
  session.close()
  await expect(response.text()).rejects.toThrow()
  await first.pass(60_000)
  first.expectNothingLeft()
  expect(JSON.parse(stored.get('/job')!).context.step).toBeGreaterThanOrEqual(3)

  const second = new SupervisedWorld(service)
  worlds.push(second)
  const again = await second.connected()
  const rest = await second.run(again.request({ path: '/job' }), 5_000)
  const text = await second.run(rest.text(), 5_000)
  expect(text).toMatch(/^[34567] .*9 end$/)
  expect(JSON.parse(stored.get('/job')!).status).toBe('done')
  again.close()
  await second.pass(60_000)
  second.expectNothingLeft()
})

it('a snapshot that contains the input of its request is refused, and the service crashes', async () => {
  const machine = setup({ types: { ...serviceTypes, context: {} as { input: unknown } } }).createMachine({
    context: ({ input }) => ({ input }),
  })
  const service = machineService(machine, { persist: (snapshot) => void JSON.stringify(snapshot) })
  const world = new SupervisedWorld(service)
  const session = await world.connected()
  await expect(world.run(session.request({ path: '/' }), 5_000)).rejects.toMatchObject({ kind: 'reset' })
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
})

it('two thousand requests through a machine leave nothing behind', async () => {
  const machine = setup({ types: serviceTypes }).createMachine({
    initial: 'reading',
    states: { reading: { on: { 'body.end': 'done' } }, done: { type: 'final' } },
    output: 'ok',
  })
  const world = new SupervisedWorld(machineService(machine))
  const session = await world.connected()
  for (let round = 0; round < 40; round++) {
    const requests = Array.from({ length: 50 }, () => session.request({ path: '/' }))
    const responses = await world.run(Promise.all(requests), 10_000)
    await world.run(Promise.all(responses.map((response) => response.text())), 10_000)
  }
  await world.pass(1_000)
  expect(world.status()).toMatchObject({ handlers: { live: 0 }, actors: { crashed: 0 } })
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
})
