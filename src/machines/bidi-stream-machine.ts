// A bidirectional stream, RFC 9000 section 3.4: the sending part of figure 2 and the receiving part of
// figure 3 side by side. Run by the supervisor for every bidirectional stream, whoever opened it.
//
//        open (parallel)                        when both regions are final
//      +------------------------------------+
//      | send:    states of figure 2        |     dataRecvd|dataRead      output closed
//      |....................................| ==> every other pair        output reset
//      | receive: states of figure 3        |
//      +------------------------------------+
//
// An event belongs to one part, connection.closed to both. A part that is final while the other lives keeps
// answering for its own events, with the outcomes that its final state declares. The last states are named
// after the pair, because XState hands an output the final state it entered but not the value of a parallel
// state; so the parts' phases stay readable after the end.
import { setup, stateIn } from 'xstate'
import { namedActions } from './declare.ts'
import { receivingStates } from './receive-stream-machine.ts'
import { sendingStates } from './send-stream-machine.ts'
import { STREAM_ACTIONS, type StreamEventType, type StreamOutput } from './stream-events.ts'

const SEND_FINALS = ['dataRecvd', 'resetRecvd', 'connectionClosed'] as const
const RECEIVE_FINALS = ['dataRead', 'resetRead', 'connectionClosed'] as const

interface Ending {
  readonly name: string
  readonly parts: { readonly send: string; readonly receive: string }
  readonly state: object
}

function ending(send: (typeof SEND_FINALS)[number], receive: (typeof RECEIVE_FINALS)[number]): Ending {
  const output: StreamOutput = send === 'dataRecvd' && receive === 'dataRead' ? 'closed' : 'reset'
  const parts = { send, receive }
  const on = { ...sendingStates[send].on, ...receivingStates[receive].on }
  return { name: `${send}|${receive}`, parts, state: { type: 'final', output, meta: { parts }, on } }
}

const endings = SEND_FINALS.flatMap((send) => RECEIVE_FINALS.map((receive) => ending(send, receive)))

/** Both parts; output `closed` only when all data was acknowledged and all data was read, else `reset`. */
export const bidiStreamMachine = setup({
  types: {} as { events: { type: StreamEventType }; output: StreamOutput },
  actions: namedActions(STREAM_ACTIONS),
  guards: Object.fromEntries(endings.map(({ name, parts }) => [name, stateIn({ open: parts })])),
}).createMachine({
  id: 'bidiStream',
  initial: 'open',
  states: {
    open: {
      type: 'parallel',
      states: {
        send: { initial: 'ready', states: sendingStates },
        receive: { initial: 'recv', states: receivingStates },
      },
      onDone: endings.map(({ name }) => ({ guard: name, target: name })),
    },
    ...Object.fromEntries(endings.map(({ name, state }) => [name, state])),
  },
  output: ({ event }) => event.output as StreamOutput,
})
