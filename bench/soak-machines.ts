// The soak's handlers as machine services: what handlers of soak-server.ts do, done by statecharts, each with an actor per
// request. Used by soak-server.ts.
import { assign, setup } from 'xstate'
import {
  type Exchange,
  type ExchangeHandler,
  machineService,
  sendChunk,
  sendHead,
  serviceTypes,
} from '../src/index.ts'

const PIECE = new Uint8Array(20_000)
const PIECES = 10

const echo = setup({ types: { ...serviceTypes, context: {} as { bytes: number } } }).createMachine({
  context: { bytes: 0 },
  initial: 'reading',
  states: {
    reading: {
      on: {
        'body.chunk': {
          actions: assign({ bytes: ({ context, event }) => context.bytes + event.chunk.length }),
        },
        'body.end': 'answered',
      },
    },
    answered: { type: 'final' },
  },
  output: ({ context }) => `${context.bytes} bytes`,
})

const pieces = setup({ types: { ...serviceTypes, context: {} as { sent: number } } }).createMachine({
  context: { sent: 0 },
  entry: sendHead(),
  initial: 'sending',
  states: {
    sending: {
      entry: [sendChunk(PIECE), assign({ sent: ({ context }) => context.sent + 1 })],
      always: { guard: ({ context }) => context.sent === PIECES, target: 'sent' },
      after: { 0: { target: 'sending', reenter: true } },
      on: { 'response.pause': 'paused' },
    },
    paused: { on: { 'response.resume': 'sending' } },
    sent: { type: 'final' },
  },
})

const crash = setup({ types: serviceTypes }).createMachine({
  entry: () => {
    throw new Error('planned')
  },
})

const hang = setup({ types: serviceTypes }).createMachine({
  initial: 'waiting',
  states: { waiting: { on: { 'recv.*': 'left' } }, left: { type: 'final' } },
})

const services: Readonly<Record<string, ExchangeHandler>> = {
  '/pieces': machineService(pieces),
  '/crash': machineService(crash),
  '/hang': machineService(hang),
}
const echoService = machineService(echo)

/** Every path by a machine. */
export function handleByMachines(exchange: Exchange): void | Promise<void> {
  return (services[exchange.path] ?? echoService)(exchange)
}
