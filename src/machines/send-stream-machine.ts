// The sending part of a stream, RFC 9000 section 3.1. Run by the supervisor for a unidirectional stream that
// this endpoint opened; its states are also the `send` region of the bidirectional machine.
//
//          o
//          | the stream is opened
//          v
//      +-------+
//      | ready |------------------.
//      +-------+                  |
//          | send.stream          | app.reset, recv.stopSending
//          v                      v
//      +-------+            +-------------+
//      | send  |----------->| resetQueued |   not in the figure, see below
//      +-------+            +-------------+
//          | send.fin          ^      | send.resetStream
//          v                   |      v
//      +----------+            |   +-----------+
//      | dataSent |------------'   | resetSent |
//      +----------+                +-----------+
//          | send.allAcked             | send.resetAcked
//          v                           v
//      +-----------+               +------------+
//      | dataRecvd |               | resetRecvd |<--- send.resetAcked from dataSent
//      +-----------+               +------------+
//
// After figure 2 of the RFC. `send.fin` also leads from ready to dataSent: an empty stream's only frame
// carries the FIN. resetQueued is the time between the decision to reset and the packet that carries
// RESET_STREAM, which congestion control may delay; no STREAM frame is sent in it. RESET_STREAM_AT takes the way
// of the FIN (draft-ietf-quic-reliable-stream-reset section 5.3): with it the part is in dataSent until the peer has
// what it promised. The draft calls the end dataRecvd; here it is resetRecvd, so that the outcome is a reset.
// connectionClosed ends every state that is not final: section 10.2, no packet can move the stream any more.
import { setup } from 'xstate'
import { type DeclaredState, each, ignore, impossible, namedActions } from './declare.ts'
import {
  RECEIVING_EVENTS,
  type SendingEvent,
  STREAM_ACTIONS,
  type StreamActionType,
  type StreamEventType,
  type StreamOutput,
} from './stream-events.ts'

type SendingState = DeclaredState<SendingEvent | 'connection.closed', StreamActionType>

const close = { target: 'connectionClosed' } as const
const reset = { target: 'resetQueued' } as const

const finSentTwice = ignore('a lost FIN is sent again in the same state')
const resetSentTwice = ignore('a lost RESET_STREAM is sent again in the same state')
const lateReset = ignore('the application gives up a part that is already on its way to an end')
// RFC 9000 section 3.5: STOP_SENDING is answered by RESET_STREAM only in ready, send and dataSent.
const lateStop = ignore('STOP_SENDING after the reset was decided or everything was acknowledged')
const lateAcks = ignore('all ACKs can still arrive after the reset was decided; the reset stands')
const alreadyOver = ignore('the connection closed after this part had ended')
const firstByte = impossible('only the first byte queued in `ready` starts the part')
const noFin = impossible('no FIN is known to be sent yet')
// RFC 9000 section 3.3: MUST NOT send STREAM after RESET_STREAM.
const nothingSentAfterEnd = impossible('no STREAM frame is first sent after the end was decided')
const noReset = impossible('no reset has been decided')
const resetNotSent = impossible('no RESET_STREAM has been sent that could be acknowledged')
const ackedOnce = impossible('the last acknowledgement happens once')
const packetsEnded = impossible('nothing is sent on a closed connection')
const sameDatagram = ignore('the rest of the datagram that closed the connection, or its application')

export const sendingStates = {
  ready: {
    on: {
      'send.stream': { target: 'send' },
      'send.fin': { target: 'dataSent' },
      'send.allAcked': noFin,
      'app.reset': reset,
      'recv.stopSending': reset,
      'send.resetStream': noReset,
      'send.resetAcked': resetNotSent,
      'connection.closed': close,
    },
  },
  send: {
    on: {
      'send.stream': firstByte,
      'send.fin': { target: 'dataSent' },
      'send.allAcked': noFin,
      'app.reset': reset,
      'recv.stopSending': reset,
      'send.resetStream': noReset,
      'send.resetAcked': resetNotSent,
      'connection.closed': close,
    },
  },
  dataSent: {
    on: {
      'send.stream': firstByte,
      'send.fin': finSentTwice,
      'send.allAcked': { target: 'dataRecvd' },
      'app.reset': reset,
      'recv.stopSending': reset,
      'send.resetStream': noReset,
      'send.resetAcked': { target: 'resetRecvd' },
      'connection.closed': close,
    },
  },
  dataRecvd: {
    type: 'final',
    entry: ['discardSendBuffer'],
    on: {
      'send.stream': nothingSentAfterEnd,
      'send.fin': nothingSentAfterEnd,
      'send.allAcked': ackedOnce,
      'app.reset': lateReset,
      'recv.stopSending': lateStop,
      'send.resetStream': noReset,
      'send.resetAcked': resetNotSent,
      'connection.closed': alreadyOver,
    },
  },
  resetQueued: {
    entry: ['queueResetStream', 'discardSendBuffer'],
    on: {
      'send.stream': nothingSentAfterEnd,
      'send.fin': nothingSentAfterEnd,
      'send.allAcked': lateAcks,
      'app.reset': lateReset,
      'recv.stopSending': lateStop,
      'send.resetStream': { target: 'resetSent' },
      'send.resetAcked': resetNotSent,
      'connection.closed': close,
    },
  },
  resetSent: {
    on: {
      'send.stream': nothingSentAfterEnd,
      'send.fin': nothingSentAfterEnd,
      'send.allAcked': lateAcks,
      'app.reset': lateReset,
      'recv.stopSending': lateStop,
      'send.resetStream': resetSentTwice,
      'send.resetAcked': { target: 'resetRecvd' },
      'connection.closed': close,
    },
  },
  resetRecvd: {
    type: 'final',
    entry: ['discardSendBuffer'],
    on: {
      'send.stream': nothingSentAfterEnd,
      'send.fin': nothingSentAfterEnd,
      'send.allAcked': lateAcks,
      'app.reset': lateReset,
      'recv.stopSending': lateStop,
      'send.resetStream': impossible('an acknowledged RESET_STREAM is not sent again'),
      'send.resetAcked': ignore('a RESET_STREAM that was sent twice is acknowledged twice'),
      'connection.closed': alreadyOver,
    },
  },
  connectionClosed: {
    type: 'final',
    entry: ['discardSendBuffer'],
    on: {
      'send.stream': packetsEnded,
      'send.fin': packetsEnded,
      'send.allAcked': sameDatagram,
      'app.reset': sameDatagram,
      'recv.stopSending': sameDatagram,
      'send.resetStream': packetsEnded,
      'send.resetAcked': sameDatagram,
      'connection.closed': alreadyOver,
    },
  },
} as const satisfies Record<string, SendingState>

/** Sending part alone; output `closed` when all data was acknowledged, else `reset`. */
export const sendStreamMachine = setup({
  types: {} as { events: { type: StreamEventType }; output: StreamOutput },
  actions: namedActions(STREAM_ACTIONS),
}).createMachine({
  id: 'sendStream',
  initial: 'ready',
  // RFC 9000 section 19: frames for a receiving part are a STREAM_STATE_ERROR before any machine is asked.
  on: each(RECEIVING_EVENTS, impossible('a stream that only sends has no receiving part')),
  states: {
    ...sendingStates,
    dataRecvd: { ...sendingStates.dataRecvd, output: 'closed' },
    resetRecvd: { ...sendingStates.resetRecvd, output: 'reset' },
    connectionClosed: { ...sendingStates.connectionClosed, output: 'reset' },
  },
  output: ({ event }) => event.output as StreamOutput,
})
