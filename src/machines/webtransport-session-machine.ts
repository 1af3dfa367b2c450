// One WebTransport session, draft-ietf-webtrans-http3 sections 3.2, 4.7 and 6. Its life is that of its CONNECT stream.
// Started by the connection supervisor, raised by http3/webtransport/session.ts.
//
//          o
//          v             session.rejected
//   +------------+ ----------------------------------------------------------> rejected
//   | connecting |
//   +------------+         app.drain, recv.drain
//          | session.established        |
//          v                            v
//      +------+                    +----------+
//      | open | -----------------> | draining |
//      +------+                    +----------+
//          |                            |
//          |<---------------------------'
//          |  recv.leave      +---------+
//          |<---------------->| leaving |  as open and draining, but not for ever
//          |                  +---------+
//          |  app.close      +---------+   recv.fin, recv.abort, timeout.close
//          |---------------->| closing | -------------------------------------> closedLocal
//          |                 +---------+
//          |  recv.close     +--------+    recv.fin, recv.abort, timeout.close
//          |---------------->| ending | --------------------------------------> closedPeer
//          |                 +--------+                                             ^
//          |  recv.fin                                                              |
//          |------------------------------------------------------------------------'
//          |  recv.abort, session.fail, stream.closed; in connecting also app.close
//          '------------------------------------------------------------------> failed
//
// The draft has no figure; the names are its words. Leaving open or draining ends the streams and datagrams of the
// session (section 6): in `closing` WT_CLOSE_SESSION and FIN have been sent and the peer's end is awaited, in `ending`
// the peer has sent WT_CLOSE_SESSION, ours was FIN, and anything but the peer's FIN is a violation. In `leaving` the peer
// has stopped our half with WT_SESSION_GONE, as section 6 allows beside a close, which may come later than that frame.
import { setup } from 'xstate'
import { type DeclaredState, ignore, impossible, namedActions } from './declare.ts'
import {
  SESSION_ACTIONS,
  type SessionActionType,
  type SessionEventType,
  type SessionOutput,
} from './webtransport-session-events.ts'

type SessionState = DeclaredState<SessionEventType, SessionActionType>

const id = '#webtransportSession'
const aborted = { target: `${id}.failed`, actions: ['endChildren', 'resetStream', 'announceEnd'] } as const
const vanished = { target: `${id}.failed`, actions: ['endChildren', 'announceEnd'] } as const

const answeredOnce = impossible('a CONNECT request has one final response')
const notRead = impossible('the data stream is read only once the session is established, section 3.2')
const noClose = impossible('nobody has closed, so nothing times out')
const soonOver = ignore('a session that closes need not drain')
const drainsAlready = ignore('the application knows already, section 4.7')
const closedAlready = ignore('the application closes a session that is closing or over')
const over = ignore('the session has ended before its CONNECT stream')
const gone = impossible('nothing of an ended session is read any more')

const lives = {
  'session.established': answeredOnce,
  'session.rejected': answeredOnce,
  'app.close': { target: `${id}.closing`, actions: ['endChildren', 'sendClose', 'announceEnd'] },
  'recv.close': { target: `${id}.ending`, actions: ['endChildren', 'sendFin', 'announceEnd'] },
  // Section 6: FIN alone means code 0 and no message.
  'recv.fin': { target: `${id}.closedPeer`, actions: ['endChildren', 'sendFin', 'announceEnd'] },
  'recv.leave': { target: `${id}.leaving` },
  'recv.abort': aborted,
  'session.fail': aborted,
  'timeout.close': noClose,
  'stream.closed': vanished,
} as const

/** After a close: waits for the peer's end of the CONNECT stream, and insists on it when it does not come. */
function until<TFinal extends string>(target: TFinal) {
  const done = { target } as const
  const insist = { target, actions: 'resetStream' } as const
  return {
    'session.established': answeredOnce,
    'session.rejected': answeredOnce,
    'app.drain': soonOver,
    'recv.drain': soonOver,
    'app.close': closedAlready,
    'recv.close': ignore('both sides closed at the same time; the first word counts'),
    'recv.fin': done,
    'recv.leave': ignore('beside a close it says nothing new'),
    'recv.abort': done,
    'session.fail': insist,
    'timeout.close': insist,
    'stream.closed': done,
  } as const
}

const liveStates = {
  connecting: {
    on: {
      'session.established': { target: `${id}.open`, actions: 'announceOpen' },
      'session.rejected': { target: `${id}.rejected`, actions: ['endChildren', 'announceEnd'] },
      'app.drain': soonOver,
      'recv.drain': ignore('looked at again when the session is established'),
      'app.close': aborted,
      'recv.close': notRead,
      'recv.fin': notRead,
      'recv.leave': aborted,
      'recv.abort': aborted,
      'session.fail': aborted,
      'timeout.close': noClose,
      'stream.closed': vanished,
    },
  },
  open: {
    on: {
      ...lives,
      'app.drain': { target: `${id}.draining`, actions: ['sendDrain', 'announceDrain'] },
      'recv.drain': { target: `${id}.draining`, actions: 'announceDrain' },
    },
  },
  draining: { on: { ...lives, 'app.drain': drainsAlready, 'recv.drain': drainsAlready } },
  leaving: {
    on: {
      ...lives,
      'app.drain': soonOver,
      'recv.drain': soonOver,
      'recv.leave': ignore('STOP_SENDING is told once'),
      'timeout.close': aborted,
    },
  },
  closing: { on: until(`${id}.closedLocal`) },
  ending: { on: until(`${id}.closedPeer`) },
} as const satisfies Record<string, SessionState>

const afterEnd = {
  'session.established': answeredOnce,
  'session.rejected': answeredOnce,
  'app.drain': soonOver,
  'recv.drain': over,
  'app.close': closedAlready,
  'recv.close': gone,
  'recv.fin': gone,
  'recv.leave': over,
  'recv.abort': over,
  'session.fail': over,
  'timeout.close': noClose,
  'stream.closed': over,
} as const satisfies SessionState['on']

/** Output: how the session ended. */
export const webtransportSessionMachine = setup({
  types: {} as { events: { type: SessionEventType }; output: SessionOutput },
  actions: namedActions(SESSION_ACTIONS),
}).createMachine({
  id: 'webtransportSession',
  initial: 'connecting',
  states: {
    ...liveStates,
    rejected: { type: 'final', output: 'rejected' as SessionOutput, on: afterEnd },
    closedLocal: { type: 'final', output: 'closedLocal' as SessionOutput, on: afterEnd },
    closedPeer: { type: 'final', output: 'closedPeer' as SessionOutput, on: afterEnd },
    failed: { type: 'final', output: 'failed' as SessionOutput, on: afterEnd },
  },
  output: ({ event }) => event.output as SessionOutput,
})
