// The life of a connection, RFC 9000 section 10 and RFC 9001 sections 4.1.1 and 4.1.2. One per connection,
// started by the connection supervisor, raised by transport/connection.
//
//          o
//          v
//   +-------------+  timeout.handshake ............................> closedHandshakeTimeout
//   | handshaking |  recv.versionNegotiation .......................> closedVersionNegotiation
//   +-------------+
//          | handshake.completed
//          v
//   +-------------+     from these three:
//   | established |        timeout.idle ............................> closedIdle
//   +-------------+        close.silent ............................> closedLocal
//          | handshake.confirmed
//          v                                     timeout.drain
//   +-----------+  close.local  +---------+  (3 PTOs)
//   | confirmed |-------------->| closing |------------------------> closedLocal
//   +-----------+               +---------+                             ^
//          |                         | recv.connectionClose,            |
//          |                         v recv.statelessReset              |
//          |                    +----------------+  timeout.drain       |
//          |                    | draining.local |----------------------'
//          |                    +----------------+
//          | recv.connectionClose    +---------------+
//          |------------------------>| draining.peer |--------------> closedPeer
//          | recv.statelessReset     +-------------------------+
//          '------------------------>| draining.statelessReset |----> closedStatelessReset
//                                    +-------------------------+
//
// The RFC has no figure; the names are its words. `closed` is one final state per reason, because the reason
// is the output. In `closing` only CONNECTION_CLOSE is sent (section 10.2.1), in `draining` nothing (10.2.2).
import { setup } from 'xstate'
import {
  CONNECTION_ACTIONS,
  type ConnectionActionType,
  type ConnectionEventType,
  type ConnectionOutput,
} from './connection-events.ts'
import { type DeclaredState, ignore, impossible, namedActions } from './declare.ts'

type ConnectionState = DeclaredState<ConnectionEventType, ConnectionActionType>

const closing = {
  target: '#connection.closing',
  actions: ['queueConnectionClose', 'armDrainTimer', 'closeStreams'],
} as const
const drainingAfterPeer = {
  target: '#connection.draining.peer',
  actions: ['armDrainTimer', 'closeStreams'],
} as const
// RFC 9000 section 10.3.1: "The endpoint MUST then enter the draining period".
const drainingAfterReset = {
  target: '#connection.draining.statelessReset',
  actions: ['armDrainTimer', 'closeStreams'],
} as const
// RFC 9000 section 10.2.2: the draining period then ends when the closing period would have ended.
const drainingAfterLocal = { target: '#connection.draining.local' } as const
const forgotten = { target: '#connection.closedLocal', actions: 'closeStreams' } as const
const idle = { target: '#connection.closedIdle', actions: 'closeStreams' } as const

// RFC 9000 section 6.2: a client discards Version Negotiation once any other packet was processed.
const lateVersionNegotiation = ignore('Version Negotiation counts only as the answer to the first flight')
const closedInside = ignore('the application may close from inside the callback that reports the handshake')
const alreadyClosing = ignore('the connection is closing or closed already')
const timerDisarmed = impossible('this timer is not armed in this state')
const notYetComplete = impossible('a handshake is confirmed only after it is complete')
const completedOnce = impossible('a handshake completes once')

const afterClose = {
  'handshake.completed': closedInside,
  'handshake.confirmed': closedInside,
  'close.local': alreadyClosing,
  'timeout.idle': timerDisarmed,
  'timeout.handshake': timerDisarmed,
  'recv.versionNegotiation': lateVersionNegotiation,
} as const

/** A draining state: waits for its timer and ends with its own reason, RFC 9000 section 10.2.2. */
function drainingUntil<TFinal extends string>(target: TFinal) {
  return {
    on: {
      ...afterClose,
      'recv.connectionClose': alreadyClosing,
      'recv.statelessReset': alreadyClosing,
      'timeout.drain': { target: `#connection.${target}` },
      'close.silent': { target: `#connection.${target}` },
    },
  } as const satisfies ConnectionState
}

/** A final state: the reason is the output of the machine. */
function closedBecause(output: ConnectionOutput) {
  return {
    type: 'final',
    output,
    entry: ['releaseConnection'],
    on: {
      ...afterClose,
      'recv.connectionClose': alreadyClosing,
      'recv.statelessReset': alreadyClosing,
      'timeout.drain': timerDisarmed,
      'close.silent': alreadyClosing,
    },
  } as const satisfies ConnectionState & { output: ConnectionOutput }
}

const liveStates = {
  handshaking: {
    on: {
      'handshake.completed': { target: 'established' },
      'handshake.confirmed': notYetComplete,
      'close.local': closing,
      'recv.connectionClose': drainingAfterPeer,
      'timeout.idle': idle,
      'timeout.handshake': { target: 'closedHandshakeTimeout', actions: 'closeStreams' },
      'timeout.drain': timerDisarmed,
      'recv.statelessReset': drainingAfterReset,
      'recv.versionNegotiation': { target: 'closedVersionNegotiation', actions: 'closeStreams' },
      'close.silent': forgotten,
    },
  },
  established: {
    on: {
      'handshake.completed': completedOnce,
      'handshake.confirmed': { target: 'confirmed' },
      'close.local': closing,
      'recv.connectionClose': drainingAfterPeer,
      'timeout.idle': idle,
      'timeout.handshake': timerDisarmed,
      'timeout.drain': timerDisarmed,
      'recv.statelessReset': drainingAfterReset,
      'recv.versionNegotiation': lateVersionNegotiation,
      'close.silent': forgotten,
    },
  },
  confirmed: {
    on: {
      'handshake.completed': completedOnce,
      'handshake.confirmed': ignore('HANDSHAKE_DONE is retransmitted until it is acknowledged'),
      'close.local': closing,
      'recv.connectionClose': drainingAfterPeer,
      'timeout.idle': idle,
      'timeout.handshake': timerDisarmed,
      'timeout.drain': timerDisarmed,
      'recv.statelessReset': drainingAfterReset,
      'recv.versionNegotiation': lateVersionNegotiation,
      'close.silent': forgotten,
    },
  },
  closing: {
    on: {
      ...afterClose,
      'recv.connectionClose': drainingAfterLocal,
      'recv.statelessReset': drainingAfterLocal,
      'timeout.drain': { target: 'closedLocal' },
      'close.silent': { target: 'closedLocal' },
    },
  },
} as const satisfies Record<string, ConnectionState>

/** Output: why the connection ended. */
export const connectionMachine = setup({
  types: {} as { events: { type: ConnectionEventType }; output: ConnectionOutput },
  actions: namedActions(CONNECTION_ACTIONS),
}).createMachine({
  id: 'connection',
  initial: 'handshaking',
  states: {
    ...liveStates,
    draining: {
      initial: 'peer',
      states: {
        peer: drainingUntil('closedPeer'),
        local: drainingUntil('closedLocal'),
        statelessReset: drainingUntil('closedStatelessReset'),
      },
    },
    closedLocal: closedBecause('local'),
    closedPeer: closedBecause('peer'),
    closedIdle: closedBecause('idle'),
    closedStatelessReset: closedBecause('statelessReset'),
    closedHandshakeTimeout: closedBecause('handshakeTimeout'),
    closedVersionNegotiation: closedBecause('versionNegotiation'),
  },
  output: ({ event }) => event.output as ConnectionOutput,
})
