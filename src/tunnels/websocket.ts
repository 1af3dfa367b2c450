// A WebSocket on a byte tunnel or a socket: framing by the library `ws` (RFC 6455, RFC 7692), with bounds on what waits,
// and with listeners whose errors stay with their stream. Made by the handlers room and the client.
import type { Duplex } from 'node:stream'
import {
  MAX_PENDING_PONGS,
  MAX_WEBSOCKET_BUFFERED,
  MAX_WEBSOCKET_FRAGMENTS,
  MAX_WEBSOCKET_PAYLOAD,
  WEBSOCKET_CLOSE_TIMEOUT,
  WEBSOCKET_LOW_WATER,
} from './limits.ts'
import type { Containment } from './stream-tunnel.ts'
import type { WebSocketConnection, WebSocketData, WebSocketLimits } from './websocket-connection.ts'
import { attach, type DeflateExtension, LibraryWebSocket } from './ws-library.ts'

export interface TunnelWebSocketOptions extends WebSocketLimits {
  readonly isServer: boolean
  readonly duplex: Duplex
  /** Bytes that came before the tunnel was made. */
  readonly head?: Uint8Array | undefined
  /** The subprotocol that was agreed on, or ''. */
  readonly protocol: string
  /** The compression that was agreed on. */
  readonly deflate?: DeflateExtension | undefined
  readonly contain: Containment
}

const OPEN = 1
const CLOSED = 3

export class TunnelWebSocket extends LibraryWebSocket {
  /** Something has come since the last call of `checkAlive`. */
  #isAlive = true
  readonly #contain: Containment
  readonly #maxBuffered: number
  #drained: PromiseWithResolvers<void> | undefined

  constructor(options: TunnelWebSocketOptions) {
    super(null, undefined, {
      autoPong: true,
      maxPendingAutoPongs: MAX_PENDING_PONGS,
      closeTimeout: WEBSOCKET_CLOSE_TIMEOUT,
    })
    this.#contain = options.contain
    this.#maxBuffered = options.maxBuffered ?? MAX_WEBSOCKET_BUFFERED
    // A peer that breaks the protocol is no error of this process.
    this.on('error', ignore)
    this.on('pong', this.#noteLife)
    this.on('ping', this.#noteLife)
    this.on('message', this.#noteLife)
    attach(this, {
      duplex: options.duplex,
      head: options.head ?? new Uint8Array(0),
      isServer: options.isServer,
      protocol: options.protocol,
      deflate: options.deflate,
      limits: {
        allowSynchronousEvents: true,
        maxBufferedChunks: MAX_WEBSOCKET_FRAGMENTS,
        maxFragments: MAX_WEBSOCKET_FRAGMENTS,
        maxPayload: options.maxPayload ?? MAX_WEBSOCKET_PAYLOAD,
        skipUTF8Validation: false,
      },
    })
  }

  /** Listeners are code of the user, and they are called from within the transport. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    let isHeard = false
    this.#contain(() => {
      isHeard = super.emit(event, ...values)
    })
    if (event === 'close') this.#release()
    return isHeard
  }

  override send(data: WebSocketData, ...rest: unknown[]): void {
    const callback = rest.findLast((value) => typeof value === 'function')
    if (!this.#hasRoom()) {
      callback?.(new Error('the WebSocket is not open'))
      return
    }
    const options = typeof rest[0] === 'object' && rest[0] !== null ? rest[0] : {}
    super.send(data, options, (error) => {
      if (this.bufferedAmount <= WEBSOCKET_LOW_WATER) this.#release()
      if (callback !== undefined) this.#contain(() => callback(error))
    })
  }

  override ping(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    if (this.#hasRoom()) super.ping(data, mask, callback)
  }

  // The library answers pings through this function: a flood of them ends here, too.
  override pong(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    if (this.#hasRoom()) super.pong(data, mask, callback)
  }

  drained(): Promise<void> {
    if (this.readyState === CLOSED || this.bufferedAmount <= WEBSOCKET_LOW_WATER) return Promise.resolve()
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  /** Asks whether the peer is still there: ends the socket when the last question has brought nothing. */
  checkAlive(): void {
    if (this.readyState !== OPEN) return
    if (!this.#isAlive) {
      this.terminate()
      return
    }
    this.#isAlive = false
    this.ping()
  }

  #noteLife = (): void => {
    this.#isAlive = true
  }

  /** The cap on what waits for a peer that does not read; the one place that every frame of ours passes. */
  #hasRoom(): boolean {
    if (this.readyState === OPEN && this.bufferedAmount > this.#maxBuffered) this.terminate()
    return this.readyState === OPEN
  }

  #release(): void {
    this.#drained?.resolve()
    this.#drained = undefined
  }
}

/** The socket as its user sees it. */
export function asConnection(socket: TunnelWebSocket): WebSocketConnection {
  return socket as unknown as WebSocketConnection
}

function ignore(): void {}
