// What must compile and what must not, checked by tsc: each line that is expected to fail makes the check fail if it
// does not. The cases also run, so that the types describe what is there.
import { describe, expect, it } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'
import {
  endResponse,
  machineService,
  type ResponseEvent,
  type ServiceEvent,
  type ServiceInput,
  type ServiceOutput,
  sendChunk,
  sendHead,
  serviceTypes,
} from '../../../../src/handlers/machine-service/index.ts'

const counting = setup({
  types: { ...serviceTypes, context: {} as { bytes: number } },
}).createMachine({
  context: { bytes: 0 },
  initial: 'reading',
  states: {
    reading: {
      on: {
        'body.chunk': {
          actions: [
            assign({ bytes: ({ context, event }) => context.bytes + event.chunk.length }),
            sendChunk(({ event }) => event.chunk),
          ],
        },
        'body.end': 'done',
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => `${context.bytes} bytes`,
})

describe('the types of machine services', () => {
  it('flow from setup() into the service without casts', () => {
    expect(machineService(counting)).toBeTypeOf('function')
  })

  it('let a machine take events of its own besides', () => {
    const machine = setup({
      types: {
        events: {} as ServiceEvent | { type: 'tick'; at: number },
        emitted: {} as ResponseEvent,
        input: {} as ServiceInput,
        output: {} as ServiceOutput,
      },
    }).createMachine({ on: { tick: { actions: [sendHead({ status: 201 }), endResponse('x')] } } })
    expect(machineService(machine)).toBeTypeOf('function')
  })

  it('refuse a machine that declares one of our events in another shape', () => {
    const machine = setup({
      types: { events: {} as { type: 'body.chunk'; chunk: number }, output: {} as string },
    }).createMachine({ on: { 'body.chunk': {} } })
    // @ts-expect-error body.chunk carries bytes
    expect(machineService(machine)).toBeTypeOf('function')
  })

  it('refuse an output that is no response', () => {
    const machine = setup({
      types: { events: {} as ServiceEvent, output: {} as number },
    }).createMachine({ initial: 'end', states: { end: { type: 'final' } }, output: 5 })
    // @ts-expect-error a number is no response
    expect(machineService(machine)).toBeTypeOf('function')
    const logic = fromPromise(() => Promise.resolve(5))
    // @ts-expect-error neither here
    expect(machineService(logic)).toBeTypeOf('function')
  })

  it('demand the input that a machine needs', () => {
    const machine = setup({
      types: {
        events: {} as ServiceEvent,
        input: {} as { id: string },
        output: {} as string,
        context: {} as { id: string },
      },
    }).createMachine({
      context: ({ input }) => ({ id: input.id }),
      initial: 'end',
      states: { end: { type: 'final' } },
      output: ({ context }) => context.id,
    })
    expect(machineService(machine, { input: ({ request }) => ({ id: request.url }) })).toBeTypeOf('function')
    // @ts-expect-error the machine wants an id
    expect(machineService(machine)).toBeTypeOf('function')
    // @ts-expect-error of type string
    expect(machineService(machine, { input: () => ({ id: 5 }) })).toBeTypeOf('function')
  })

  it('refuse actions with a wrong value, and events that do not exist', () => {
    const { createMachine } = setup({ types: serviceTypes })
    // @ts-expect-error a chunk is bytes or text
    createMachine({ on: { 'body.chunk': { actions: sendChunk(() => 5) } } })
    // @ts-expect-error no such event
    createMachine({ on: { 'body.chunks': {} } })
    expect(createMachine({ on: { 'body.chunk': { actions: sendChunk('x') } } })).toBeDefined()
  })

  it('take any logic whose output is a response', () => {
    const logic = fromPromise<Response, ServiceInput>(async ({ input }) => new Response(input.request.url))
    expect(machineService(logic)).toBeTypeOf('function')
  })
})
