// The leanest form of a request handler, and what it gets: one exchange of a request and a response. HTTP/3 and
// the TCP fallback both offer it, so the same handler runs on all versions. Every other kind of handler in this
// room is built on it.

import type { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Priority } from '../http3/index.ts'
import type { InspectionHub } from '../machines/index.ts'
import type { CancelReason } from '../supervisor/handler-actor.ts'
import type { DatagramWatcher, RemoteAddress } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'

/** Which HTTP carried the request. */
export type ExchangeProtocol = 'h3' | 'h2' | 'http/1.1'

/**
 * Handles one request. The exchange is over when the function returns, or when the promise it returned settles:
 * the response has to be whole by then. A throw or a rejection resets the stream.
 */
export type ExchangeHandler = (exchange: Exchange) => void | Promise<void>

/** One request and its response, the same on all versions of HTTP. */
export interface Exchange {
  /** Which HTTP carries it. */
  readonly protocol: ExchangeProtocol
  /** Request method, as sent. */
  readonly method: string
  /**
   * What the client wants to speak on a tunnel (RFC 9110 section 16.7): the value of :protocol (RFC 9220, RFC 8441), or
   * of Upgrade in HTTP/1.1. Undefined for everything else, and for CONNECT to a host.
   */
  readonly upgradeToken: string | undefined
  /** Scheme of the request's URL, as a rule `https`. */
  readonly scheme: string
  /** Host and port that the client asked for. */
  readonly authority: string
  /** Path with query, as sent. */
  readonly path: string
  /** Request fields: name, value, name, value ... Names in lower case. */
  readonly headers: readonly string[]
  /** Address of the client. */
  readonly remote: RemoteAddress
  /** The client's certificate, verified; only where serve() asks for them. */
  readonly clientCertificate: X509Certificate | undefined
  /**
   * The request came as early data (0-RTT) and the handshake is not complete: it may be a replay of an earlier one
   * (RFC 8470). Only safe methods get here so; a handler that must not run twice answers 425.
   */
  readonly earlyData: boolean
  /** Fires when the client gives up, a deadline passes, or the connection ends. Made on first use. */
  readonly signal: AbortSignal
  /** Called at most once, at the moment when `signal` would fire: cheaper than a signal. */
  onCancel: ((reason: CancelledError) => void) | undefined
  /** Called once when a cancelled handler's grace is over: whatever it still does has no effect. */
  onCut: (() => void) | undefined
  /** Called once when the connection begins to drain: the exchange may finish, and may hurry. */
  onDrain: (() => void) | undefined
  /**
   * How the response is sent beside others on its connection (RFC 9218): as the client asked, until it is set here or by
   * a `priority` field of the response. Over TCP it is what the client asked for, and setting it changes nothing else.
   */
  priority: Priority
  /** Called when the client asks for another priority; `priority` has it, unless the server has set its own. */
  onPriorityChange: (() => void) | undefined
  /** Most bytes of body that are taken, default no limit; reading more throws BodyTooLargeError. Set before reading. */
  bodyLimit: number
  /** The response has to begin within so many ms; default: what the server's supervision says. */
  deadline: number
  /** The head of the final response has been sent. */
  readonly isHeadSent: boolean
  /** Status of the final response, 0 before its head. */
  readonly status: number
  /** Bytes of the response's body that were handed over so far. */
  readonly bytesSent: number
  /** The response is whole or given up: nothing more can be sent. */
  readonly isEnded: boolean
  /** What the server offers to machines that work on this exchange. */
  readonly host: ActorHost
  /**
   * The request's body. Each chunk belongs to the handler. Not taking chunks closes the client's window.
   * Throws CancelledError when the client gives up.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** Request trailers, once the body has ended; empty when there were none. */
  readonly trailers: readonly string[]
  /**
   * HTTP datagrams (RFC 9297): those that acceptDatagrams() returned, or those in DATAGRAM frames. Undefined before
   * acceptDatagrams() on HTTP/2, HTTP/1.1, and where the server does not offer them.
   */
  readonly datagrams: ExchangeDatagrams | undefined
  /** First value of a request field; `name` in lower case. */
  header(name: string): string | undefined
  /**
   * Sends a whole response.
   * @param headers flat list; names in lower case
   * @param body kept by reference: must not be changed afterwards
   * @throws TypeError as begin()
   */
  respond(status: number, headers?: readonly string[], body?: Uint8Array | string): void
  /**
   * Sends the head of a response whose body follows with write() and end().
   * @param status 200 to 599
   * @param headers flat list; names in lower case
   * @throws TypeError when a response has begun, or for fields that HTTP does not allow; nothing once it is cancelled
   */
  begin(status: number, headers?: readonly string[]): void
  /** Sends an informational response (100 to 199) before the final one. @throws TypeError when that has begun */
  inform(status: number, headers?: readonly string[]): void
  /**
   * Sends a piece of the body, kept by reference. A promise means: wait for it before writing more. It rejects with
   * CancelledError when nobody reads any longer.
   */
  write(chunk: Uint8Array | string): Promise<void> | undefined
  /** Sends trailers after the body; end() follows. HTTP/1.1 carries them only in a chunked response. */
  sendTrailers(fields: readonly string[]): void
  /** Ends the response, after a last piece if one is given. */
  end(chunk?: Uint8Array | string): void
  /**
   * Accepts a CONNECT, or an Upgrade of HTTP/1.1, with a 2xx (101) head: what follows are bytes in both directions. The
   * exchange is over when the handler has ended and the tunnel is closed. Half-close is the end of one direction;
   * destroy() resets both (H3_REQUEST_CANCELLED; H3_CONNECT_ERROR for an error in a CONNECT to a host).
   * @param headers flat list; names in lower case
   * @throws TypeError when the request is neither, or a response has begun; CancelledError
   */
  accept(headers?: readonly string[]): Duplex
  /** Like accept(), for protocols of HTTP datagrams: they travel in DATAGRAM frames, or in capsules (RFC 9297). */
  acceptDatagrams(headers?: readonly string[]): DatagramTunnel
  /** Runs a callback that belongs to the handler: what it throws crashes this exchange, and goes no further. */
  contain(run: () => void): void
  /** The same object for all exchanges of one connection: a key for limits per client. */
  readonly connectionKey: object
  /**
   * Gives the exchange up in both directions and cancels it.
   * @param code HTTP/3 error code (RFC 9114 section 8.1), default H3_INTERNAL_ERROR
   */
  reset(code?: number): void
}

/** HTTP datagrams of one exchange: unreliable, unordered, bounded on both sides. Iterating ends with the stream. */
export interface ExchangeDatagrams extends AsyncIterable<Uint8Array> {
  /** Largest payload that send() takes now, bytes; 0 when the client takes none. */
  readonly maxPayload: number
  /**
   * Sends a datagram, copied. `watcher` learns whether it was sent, acknowledged, lost or dropped.
   * @throws RangeError when it is larger than maxPayload
   */
  send(payload: Uint8Array, watcher?: DatagramWatcher): void
}

/** HTTP datagrams on a tunnel that was accepted for them. */
export interface DatagramTunnel extends ExchangeDatagrams {
  /** Called with each datagram, borrowed for the call, instead of iterating. */
  onDatagram: ((payload: Uint8Array) => void) | undefined
  /** Datagrams of ours that were dropped because too many waited for the client to read. */
  readonly dropped: number
  /** Resolves when the client has ended its direction, or the tunnel is gone. */
  readonly gone: Promise<void>
  /** Ends our direction. */
  end(): void
  /** Ends both directions at once. */
  destroy(): void
}

/** What a server offers to actors of its handlers. */
export interface ActorHost {
  /** Where the server's actors are inspected. */
  readonly inspection: InspectionHub | undefined
  /** The server's time: virtual in a simulation. */
  readonly clock: Clock | undefined
}

/** The exchange was given up: by the client, by a deadline, by its handler, or because the connection ended. */
export class CancelledError extends Error {
  override readonly name = 'AbortError'
  /** Who gave it up. */
  readonly reason: CancelReason
  /** Error code that the client gave (RFC 9114 section 8.1), -1 when it gave none. */
  readonly code: number

  constructor(reason: CancelReason, code = -1) {
    super(`the exchange was cancelled: ${reason}`)
    this.reason = reason
    this.code = code
  }
}

/** RFC 9297 section 3.4: what follows are capsules. */
export const CAPSULE_PROTOCOL: readonly string[] = ['capsule-protocol', '?1']

/** First value of `name` in a flat list of fields. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}

/** A promise that may stay unobserved: its rejection is nobody's unhandled one. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
