// The alphabet of the WebTransport session machine, draft-ietf-webtrans-http3 sections 3 and 6, and the numbers by which
// http3/webtransport speaks it.

export const SESSION_EVENTS = [
  'session.established', // a 2xx response was sent (server) or received (client), section 3.2
  'session.rejected', // any other final response
  'app.drain', // our application wants an end soon, section 4.7
  'recv.drain', // WT_DRAIN_SESSION or GOAWAY
  'app.close', // our application closes, section 6
  'recv.close', // WT_CLOSE_SESSION
  'recv.fin', // the peer ended the CONNECT stream
  'recv.leave', // the peer reads the CONNECT stream no more: its close is on its way (STOP_SENDING, WT_SESSION_GONE)
  'recv.abort', // the peer reset the CONNECT stream, or stopped it for another reason
  'session.fail', // we found a violation, or the handler crashed
  'timeout.close', // the peer did not end its side after a close, or after it left
  'stream.closed', // the CONNECT stream is gone
] as const

export type SessionEventType = (typeof SESSION_EVENTS)[number]

/** Index of each session event in the session table. */
export const SessionEvent = {
  established: 0,
  rejected: 1,
  appDrain: 2,
  recvDrain: 3,
  appClose: 4,
  recvClose: 5,
  recvFin: 6,
  recvLeave: 7,
  recvAbort: 8,
  fail: 9,
  timeoutClose: 10,
  streamClosed: 11,
} as const

export const SESSION_ACTIONS = [
  'announceOpen',
  'sendDrain',
  'announceDrain',
  'endChildren', // streams and datagrams end with their session, section 6
  'sendClose',
  'sendFin',
  'resetStream',
  'announceEnd',
] as const

export type SessionActionType = (typeof SESSION_ACTIONS)[number]

/** Index of each action in the session table. */
export const SessionAction = {
  announceOpen: 0,
  sendDrain: 1,
  announceDrain: 2,
  endChildren: 3,
  sendClose: 4,
  sendFin: 5,
  resetStream: 6,
  announceEnd: 7,
} as const

/** Phase of a session; `over` in every final state. */
export const SessionPhase = {
  none: 0,
  connecting: 1,
  open: 2,
  draining: 3,
  leaving: 4,
  closing: 5,
  ending: 6,
  over: 7,
} as const

/** How a session ended. */
export type SessionOutput = 'rejected' | 'closedLocal' | 'closedPeer' | 'failed'
