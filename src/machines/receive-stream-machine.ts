// The receiving part of a stream, RFC 9000 section 3.2. Run by the supervisor for a unidirectional stream
// that the peer opened; its states are also the `receive` region of the bidirectional machine.
//
//          o
//          | first frame for the stream, or it is opened here
//          v
//      +-------+  recv.resetStream
//      | recv  |-----------------------.        app.stop  +---------+
//      +-------+                       |   recv --------->| stopped |   not in the figure, see below
//          | recv.fin                  |                  +---------+
//          v                           |                       | recv.fin, recv.resetStream
//      +-----------+ recv.resetStream  |                       v
//      | sizeKnown |------------------>|                  (resetRead)
//      +-----------+                   |
//          | recv.allData              |
//          v                           v
//      +-----------+             +------------+
//      | dataRecvd |             | resetRecvd |
//      +-----------+             +------------+
//          | app.readAll               | app.readReset
//          v                           v
//      +----------+              +-----------+
//      | dataRead |              | resetRead |<--- app.stop from sizeKnown, dataRecvd, resetRecvd
//      +----------+              +-----------+<--- app.readReset from dataRecvd
//
// After figure 3 of the RFC. Its two optional arrows between dataRecvd and resetRecvd are not taken: data
// that is here completely is delivered, and a reset throws the buffer away. In `stopped` the application has
// turned away before the final size was known: STOP_SENDING is queued and arriving data only counts for flow
// control, until FIN or RESET_STREAM gives the final size (section 4.5). With the final size known nothing is
// left to wait for, so app.stop then ends the part at once. RESET_STREAM_AT takes the way of the FIN
// (draft-ietf-quic-reliable-stream-reset section 5.3): data up to its reliable size is waited for and read, and the
// application is told of the reset after that, hence app.readReset in dataRecvd. connectionClosed: section 10.2.
import { setup } from 'xstate'
import { type DeclaredState, each, ignore, impossible, namedActions } from './declare.ts'
import {
  type ReceivingEvent,
  SENDING_EVENTS,
  STREAM_ACTIONS,
  type StreamActionType,
  type StreamEventType,
  type StreamOutput,
} from './stream-events.ts'

type ReceivingState = DeclaredState<ReceivingEvent | 'connection.closed', StreamActionType>

const close = { target: 'connectionClosed' } as const

// RFC 9000 section 4.5: the data plane has compared the sizes before it raises the event.
const finAgain = ignore('a FIN that arrives again, or late, carries the same final size')
const resetAgain = ignore('a RESET_STREAM that arrives again, or after all data was here')
const stopAgain = ignore('the application turns away from a part that is over or already stopped')
const alreadyOver = ignore('the connection closed after this part had ended')
const sizeUnknown = impossible('data is complete only after the final size is known')
const completeOnce = impossible('data becomes complete once')
const thrownAway = ignore('data that arrives after the end was decided is thrown away')
const notComplete = impossible('the application cannot have read what is not here completely')
const nothingToRead = impossible('there is no data left that could be read')
const notReset = impossible('no reset is waiting to be read')
const sameDatagram = ignore('the rest of the datagram that closed the connection, or its application')

export const receivingStates = {
  recv: {
    on: {
      'recv.fin': { target: 'sizeKnown' },
      'recv.allData': sizeUnknown,
      'app.readAll': notComplete,
      'recv.resetStream': { target: 'resetRecvd' },
      'app.readReset': notReset,
      'app.stop': { target: 'stopped' },
      'connection.closed': close,
    },
  },
  sizeKnown: {
    on: {
      'recv.fin': finAgain,
      'recv.allData': { target: 'dataRecvd' },
      'app.readAll': notComplete,
      'recv.resetStream': { target: 'resetRecvd' },
      'app.readReset': notReset,
      'app.stop': { target: 'resetRead' },
      'connection.closed': close,
    },
  },
  dataRecvd: {
    on: {
      'recv.fin': finAgain,
      'recv.allData': completeOnce,
      'app.readAll': { target: 'dataRead' },
      'recv.resetStream': resetAgain,
      'app.readReset': { target: 'resetRead' },
      'app.stop': { target: 'resetRead' },
      'connection.closed': close,
    },
  },
  dataRead: {
    type: 'final',
    entry: ['discardReceiveBuffer'],
    on: {
      'recv.fin': finAgain,
      'recv.allData': completeOnce,
      'app.readAll': nothingToRead,
      'recv.resetStream': resetAgain,
      'app.readReset': notReset,
      'app.stop': stopAgain,
      'connection.closed': alreadyOver,
    },
  },
  resetRecvd: {
    entry: ['discardReceiveBuffer'],
    on: {
      'recv.fin': finAgain,
      'recv.allData': thrownAway,
      'app.readAll': nothingToRead,
      'recv.resetStream': resetAgain,
      'app.readReset': { target: 'resetRead' },
      'app.stop': { target: 'resetRead' },
      'connection.closed': close,
    },
  },
  resetRead: {
    type: 'final',
    entry: ['discardReceiveBuffer'],
    on: {
      'recv.fin': finAgain,
      'recv.allData': thrownAway,
      'app.readAll': nothingToRead,
      'recv.resetStream': resetAgain,
      'app.readReset': ignore('the application turned away while it was being told of the reset'),
      'app.stop': stopAgain,
      'connection.closed': alreadyOver,
    },
  },
  stopped: {
    entry: ['queueStopSending', 'discardReceiveBuffer'],
    on: {
      'recv.fin': { target: 'resetRead' },
      'recv.allData': sizeUnknown,
      'app.readAll': nothingToRead,
      'recv.resetStream': { target: 'resetRead' },
      'app.readReset': notReset,
      'app.stop': stopAgain,
      'connection.closed': close,
    },
  },
  connectionClosed: {
    type: 'final',
    entry: ['discardReceiveBuffer'],
    on: {
      'recv.fin': sameDatagram,
      'recv.allData': sameDatagram,
      'app.readAll': sameDatagram,
      'recv.resetStream': sameDatagram,
      'app.readReset': sameDatagram,
      'app.stop': sameDatagram,
      'connection.closed': alreadyOver,
    },
  },
} as const satisfies Record<string, ReceivingState>

/** Receiving part alone; output `closed` when the application has read all data, else `reset`. */
export const receiveStreamMachine = setup({
  types: {} as { events: { type: StreamEventType }; output: StreamOutput },
  actions: namedActions(STREAM_ACTIONS),
}).createMachine({
  id: 'receiveStream',
  initial: 'recv',
  // RFC 9000 section 19: frames for a sending part are a STREAM_STATE_ERROR before any machine is asked.
  on: each(SENDING_EVENTS, impossible('a stream that only receives has no sending part')),
  states: {
    ...receivingStates,
    dataRead: { ...receivingStates.dataRead, output: 'closed' },
    resetRead: { ...receivingStates.resetRead, output: 'reset' },
    connectionClosed: { ...receivingStates.connectionClosed, output: 'reset' },
  },
  output: ({ event }) => event.output as StreamOutput,
})
