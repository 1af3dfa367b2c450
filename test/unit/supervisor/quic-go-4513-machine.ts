// The bidirectional machine with the bug of quic-go #4513 put back: what ends the second half of a stream, when the
// first is over already, does nothing. Only the end of the connection still ends such a stream.
//
// The variant is made from the chart itself, and compiled as the real one is: where a transition of one half leads to
// a final state, a guarded entry in front of it takes the event away while the other half is over.
import { type AnyStateMachine, createMachine, or, stateIn } from 'xstate'
import { bidiStreamMachine } from '../../../src/machines/bidi-stream-machine.ts'
import { ignore, impossible } from '../../../src/machines/declare.ts'
import {
  type CompiledMachine,
  compile,
  ReceivePhase,
  SendPhase,
  STREAM_ACTIONS,
  STREAM_EVENTS,
} from '../../../src/machines/index.ts'

interface ChartState {
  readonly type?: string
  readonly on: Record<string, { readonly target?: string }>
}
type Part = Record<string, ChartState>

/** `ignore` is the bug as it was: an empty default branch. `impossible` is one that somebody would have declared. */
export type Mutation = 'ignore' | 'impossible'

/** The mutated table; its id is that of the real one. */
export function withoutSecondClosing(mutation: Mutation): CompiledMachine {
  const reason = 'quic-go #4513: the switch has no case for it'
  const declared = mutation === 'ignore' ? ignore(reason) : impossible(reason)
  const { config, implementations } = bidiStreamMachine
  const { open, ...endings } = config.states as unknown as Record<string, { states: Record<string, never> }>
  const { send, receive } = open.states as Record<string, { states: Part }>
  const states = {
    ...endings,
    open: {
      ...open,
      states: {
        send: { ...send, states: mutate(send.states, isOver('receive', receive.states), declared) },
        receive: { ...receive, states: mutate(receive.states, isOver('send', send.states), declared) },
      },
    },
  }
  const machine = createMachine({ ...config, states } as never, implementations as never)
  return compile(machine as unknown as AnyStateMachine, STREAM_EVENTS, STREAM_ACTIONS, [
    { name: 'send', codes: SendPhase },
    { name: 'receive', codes: ReceivePhase },
  ])
}

function isOver(part: string, states: Part): unknown {
  const finals = Object.keys(states).filter((name) => states[name].type === 'final')
  return or(finals.map((name) => stateIn({ open: { [part]: name } })) as never)
}

function mutate(states: Part, guard: unknown, declared: object): object {
  const entries = Object.entries(states).map(([name, state]) => {
    const on = Object.entries(state.on).map(([event, transition]) => {
      const isEnd = transition.target !== undefined && states[transition.target].type === 'final'
      return [
        event,
        isEnd && event !== 'connection.closed' ? [{ guard, ...declared }, transition] : transition,
      ]
    })
    return [name, { ...state, on: Object.fromEntries(on) }]
  })
  return Object.fromEntries(entries)
}
