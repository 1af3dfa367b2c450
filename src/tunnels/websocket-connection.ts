// A WebSocket as handlers and clients of this package see it, whatever library does the framing. Implemented by
// websocket.ts.

/** What is sent: text as a text message, anything else as a binary one. */
export type WebSocketData = string | Uint8Array | ArrayBuffer

/** Listeners by event. */
export interface WebSocketEvents {
  /** A whole message. Text comes as UTF-8 bytes with `isBinary` false. */
  message: [data: Buffer, isBinary: boolean]
  /** The last event. 1005: no code was given; 1006: the stream ended or was reset without a closing handshake. */
  close: [code: number, reason: Buffer]
  /** The peer broke the protocol, or the stream broke; `close` follows. Nobody has to listen. */
  error: [error: Error]
  /** The peer has sent a ping; the answer has gone out. */
  ping: [data: Buffer]
  /** The peer has answered a ping. */
  pong: [data: Buffer]
}

/** An open WebSocket (RFC 6455), over HTTP/3, HTTP/2 or HTTP/1.1. */
export interface WebSocketConnection {
  /** The subprotocol that was agreed on, or ''. */
  readonly protocol: string
  /** The extensions that were agreed on, or ''. */
  readonly extensions: string
  /** 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Bytes that wait for the peer to read; too many of them (`maxBuffered`) end the connection with 1006. */
  readonly bufferedAmount: number
  /** No message is delivered: the peer's window closes. */
  readonly isPaused: boolean
  /**
   * Sends a message; `callback` is called when it has left this socket, or with an error when it cannot.
   * The data must not be changed before that.
   */
  send(data: WebSocketData, callback?: (error?: Error) => void): void
  /** Resolves when little waits, or the socket has closed. Await it between sends to go at the peer's speed. */
  drained(): Promise<void>
  /** Sends a ping with up to 125 bytes. */
  ping(data?: WebSocketData): void
  /**
   * Begins the closing handshake.
   * @param code 1000 or 3000..4999 and a few registered ones (RFC 6455 section 7.4); default none
   * @param reason up to 123 bytes
   * @throws TypeError, RangeError for a code or reason that may not be sent
   */
  close(code?: number, reason?: string): void
  /** Ends at once, without a closing handshake. */
  terminate(): void
  /** Delivers no more messages, until resume(): the peer's window closes. */
  pause(): void
  /** Delivers messages again. */
  resume(): void
  /** Calls `listener` with every event of that name. */
  on<Name extends keyof WebSocketEvents>(
    event: Name,
    listener: (...values: WebSocketEvents[Name]) => unknown,
  ): this
  /** Calls `listener` with the next event of that name. */
  once<Name extends keyof WebSocketEvents>(
    event: Name,
    listener: (...values: WebSocketEvents[Name]) => unknown,
  ): this
  /** Takes a listener away. */
  off<Name extends keyof WebSocketEvents>(
    event: Name,
    listener: (...values: WebSocketEvents[Name]) => unknown,
  ): this
}

/** What both sides may set. */
export interface WebSocketLimits {
  /** Largest message that is taken, bytes; a longer one closes with 1009. Default 1 MiB. */
  readonly maxPayload?: number | undefined
  /** Bytes that may wait for a peer that does not read; beyond them the socket ends with 1006. Default 16 MiB. */
  readonly maxBuffered?: number | undefined
  /**
   * Compression of messages (RFC 7692). Off by default: a compressor costs each socket up to 300 KiB and CPU time, and
   * compressing secrets together with what an attacker may choose tells him their text (CRIME, BREACH).
   */
  readonly perMessageDeflate?: boolean | undefined
}
