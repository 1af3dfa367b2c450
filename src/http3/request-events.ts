// What a request stream tells its owner, and what its owner may ask for with a response (RFC 9114 section 4.1).
// Implemented by the supervisor's handler actors and the client's exchanges.

/** What the owner of a request stream is told. All calls are synchronous. */
export interface RequestStreamEvents {
  /** Client: the final response head has arrived. `fields` is a flat list that may be kept. */
  handleHead?(status: number, fields: string[]): void
  /** Client: an interim response (1xx) has arrived. */
  handleInformational?(status: number, fields: string[]): void
  /** Body bytes can be read with `readBody`; repeated after each arrival while some are left. */
  handleBodyReadable(): void
  /** The trailer section has arrived. */
  handleTrailers?(fields: string[]): void
  /** An HTTP datagram of this stream (RFC 9297); the view is borrowed. */
  handleDatagram?(payload: Uint8Array): void
  /** The message is complete and well-formed. */
  handleBodyEnd(): void
  /** Writing may go on after `write` returned false. */
  handleWritable(): void
  /** Server: the client has changed its mind about the priority of the response (RFC 9218 section 7). */
  handlePriority?(): void
  /** The peer's message ends here unfinished: reset by the peer, or (`isLocal`) refused by us as an error. */
  handleReset(code: number, isLocal: boolean): void
  /** The peer wants no more of our message; it has been reset. */
  handleStopSending(code: number): void
  /** Last call. The stream is gone. */
  handleClosed(outcome: 'closed' | 'reset'): void
}

/** Options of {@link RequestStream.respond}. */
export interface RespondOptions {
  /** First, possibly only, piece of the body; small ones travel in the same piece as the head. */
  readonly body?: Uint8Array
  /** Nothing follows: end the message in the same call. */
  readonly end?: boolean
}
