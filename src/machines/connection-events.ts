// The alphabet of the connection machine, RFC 9000 section 10 and RFC 9001 section 4.1, and the numbers by
// which transport/connection speaks it.

export const CONNECTION_EVENTS = [
  'handshake.completed', // RFC 9001 section 4.1.1
  'handshake.confirmed', // RFC 9001 section 4.1.2
  'close.local', // this endpoint closes with CONNECTION_CLOSE
  'recv.connectionClose',
  'timeout.idle',
  'timeout.handshake',
  'timeout.drain', // three PTOs after closing or draining began
  'recv.statelessReset',
  'recv.versionNegotiation', // client: the server offers no version that we speak
  'close.silent', // this endpoint forgets the connection without a packet
] as const

export type ConnectionEventType = (typeof CONNECTION_EVENTS)[number]

/** Index of each connection event in the connection table. */
export const ConnectionEvent = {
  handshakeCompleted: 0,
  handshakeConfirmed: 1,
  closeLocal: 2,
  recvConnectionClose: 3,
  timeoutIdle: 4,
  timeoutHandshake: 5,
  timeoutDrain: 6,
  recvStatelessReset: 7,
  recvVersionNegotiation: 8,
  closeSilent: 9,
} as const

export const CONNECTION_ACTIONS = [
  'closeStreams', // raise connection.closed on every live stream
  'queueConnectionClose', // write CONNECTION_CLOSE into the next datagram
  'armDrainTimer', // three PTOs from now
  'releaseConnection', // retire connection IDs, forget keys
] as const

export type ConnectionActionType = (typeof CONNECTION_ACTIONS)[number]

/** Index of each connection action, as ActorSubject.perform receives it. */
export const ConnectionAction = {
  closeStreams: 0,
  queueConnectionClose: 1,
  armDrainTimer: 2,
  releaseConnection: 3,
} as const

/** Phase of a connection: every `draining.*` state is draining, every final state is closed. */
export const ConnectionPhase = {
  none: 0,
  handshaking: 1,
  established: 2,
  confirmed: 3,
  closing: 4,
  draining: 5,
  closed: 6,
} as const

/** Why a connection ended. */
export type ConnectionOutput =
  | 'local'
  | 'peer'
  | 'idle'
  | 'statelessReset'
  | 'handshakeTimeout'
  | 'versionNegotiation'
