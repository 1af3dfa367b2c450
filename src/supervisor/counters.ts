// The numbers that the supervisors keep, one set per endpoint. A level (live) is always opened minus closed: it
// is never stored, so it cannot disagree. Written by the supervisors, read for /status and /metrics.

export class Counters {
  connectionsOpened = 0
  connectionsClosed = 0
  streamsOpened = 0
  streamsClosed = 0
  actorsStarted = 0
  actorsStopped = 0
  /** WebTransport sessions. */
  sessionsOpened = 0
  sessionsClosed = 0
  handlersStarted = 0
  handlersEnded = 0
  /** Handlers cut off because a drain's deadline was over. */
  handlersCut = 0
  /** Handlers that threw, rejected, or ended without a whole response. */
  crashed = 0
  /** Streams reset with H3_INTERNAL_ERROR because of a crash: always equals `crashed`. */
  crashResets = 0
  /** Errors of handlers whose response was whole, or that were over: nothing was reset. */
  lateFaults = 0
  /** Handlers that had not begun a response at their deadline. */
  hung = 0
  /** Handlers that still ran when their connection was long gone. */
  abandoned = 0
  missedTransitions = 0
  /** Comparisons of supervisor/invariants.ts that failed: each is a bug. */
  invariantViolations = 0
  /** Times that an actor was found past the deadline of its state. */
  stuckReports = 0
  /** Streams reset for that by the policy. */
  stuckResets = 0
  /** Connections closed because their handlers crashed too often. */
  intensityCloses = 0
  /** Exceptions of our own code, each the end of one connection: each is a bug. */
  internalErrors = 0
  timersArmed = 0
  channelsOpened = 0
  channelsClosed = 0
  /** HTTP datagrams that gave way to newer ones because their handler was slow. */
  datagramsDropped = 0
  datagramsReceived = 0
  datagramsSent = 0
  bytesReceived = 0
  bytesSent = 0
  /** Datagrams that belonged to nothing we know and got no answer. */
  unroutable = 0
  /** First packets turned away because of a limit. */
  refused = 0
  /** Datagrams dropped because a connection had too many waiting. */
  backlogDropped = 0
  versionNegotiations = 0
  statelessResets = 0
  /** Datagrams given to the worker whose connection they name, see hand-over.ts. */
  handedOver = 0
  /** Datagrams of other workers that these could not take. */
  handOverDropped = 0
  /** Datagrams that other workers handed over. */
  takenOver = 0
  /** Packets in flight of connections that have ended; transport-totals.ts adds those that live. The same holds below. */
  packetsSent = 0
  packetsAcknowledged = 0
  packetsLost = 0
  /** Packets declared lost that had arrived after all. */
  spuriousLosses = 0
  probeTimeouts = 0
  persistentCongestions = 0
  /** Moves of a connection to another path that stood. */
  migrations = 0
  keyUpdates = 0
  /** Handshakes that rested on a ticket. */
  handshakesResumed = 0
  earlyDataAccepted = 0
  earlyDataRejected = 0
  /** Retry packets sent. */
  retries = 0
  /** Tokens that proved an address. */
  tokensAccepted = 0
  /** Tokens that were forged, expired, used or of another address. */
  tokensRejected = 0

  get connectionsLive(): number {
    return this.connectionsOpened - this.connectionsClosed
  }

  get streamsLive(): number {
    return this.streamsOpened - this.streamsClosed
  }

  get sessionsLive(): number {
    return this.sessionsOpened - this.sessionsClosed
  }

  get actorsLive(): number {
    return this.actorsStarted - this.actorsStopped
  }

  get channelsLive(): number {
    return this.channelsOpened - this.channelsClosed
  }

  get handlersLive(): number {
    return this.handlersStarted - this.handlersEnded
  }
}
