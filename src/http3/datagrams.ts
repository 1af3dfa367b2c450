// HTTP datagrams over QUIC DATAGRAM frames, RFC 9297 section 2.1: each belongs to a request stream, named by a quarter
// of its ID. One object per connection; called by H3Connection and by the owners of request streams.

import type { DatagramWatcher, QuicConnection } from '../transport/connection/index.ts'
import { Cursor, varintLength, writeVarint } from '../transport/wire/index.ts'
import { connectionError, H3ErrorCode } from './errors.ts'
import { MAX_EARLY_DATAGRAM_BYTES, MAX_EARLY_DATAGRAMS } from './limits.ts'
import { RequestStream } from './request-stream.ts'

/** RFC 9297 section 2.1: larger quarter stream IDs do not exist. */
const MAX_QUARTER_STREAM_ID = 2 ** 60

export class HttpDatagrams {
  /** Datagrams dropped because their stream is closed, or was not opened soon enough. */
  unmatched = 0
  delivered = 0
  readonly #transport: QuicConnection
  readonly #cursor = new Cursor()
  readonly #nextRequestId: () => number
  #early: { readonly id: number; readonly payload: Uint8Array }[] = []

  /** @param nextRequestId ID of the first request stream that was not opened yet */
  constructor(transport: QuicConnection, nextRequestId: () => number) {
    this.#transport = transport
    this.#nextRequestId = nextRequestId
  }

  /**
   * Passes the payload of a DATAGRAM frame to its request stream; the view is borrowed.
   * @throws H3Error H3_DATAGRAM_ERROR when it has no valid quarter stream ID
   */
  handleFrame(payload: Uint8Array): void {
    const cursor = this.#cursor.reset(payload, 0, payload.length)
    if (payload.length === 0 || payload.length < 1 << (payload[0] >>> 6)) {
      throw connectionError(H3ErrorCode.H3_DATAGRAM_ERROR, 'datagram without quarter stream ID')
    }
    const quarter = cursor.readVarint()
    if (quarter > MAX_QUARTER_STREAM_ID) {
      throw connectionError(H3ErrorCode.H3_DATAGRAM_ERROR, 'quarter stream ID out of range')
    }
    this.#deliver(quarter * 4, payload.subarray(cursor.offset))
  }

  #deliver(id: number, payload: Uint8Array): void {
    const request = this.#transport.streams.get(id)?.application
    if (request instanceof RequestStream && request.events !== undefined) {
      this.delivered++
      request.events.handleDatagram?.(payload)
    } else if (request !== undefined || id >= this.#nextRequestId()) this.#keepEarly(id, payload)
    else this.unmatched++
  }

  /** RFC 9297 section 2.1: a datagram may overtake the head of its request. A few are kept, the oldest go first. */
  #keepEarly(id: number, payload: Uint8Array): void {
    if (payload.length > MAX_EARLY_DATAGRAM_BYTES) {
      this.unmatched++
      return
    }
    if (this.#early.length === MAX_EARLY_DATAGRAMS) {
      this.#early.shift()
      this.unmatched++
    }
    this.#early.push({ id, payload: new Uint8Array(payload) })
  }

  /** The request is known now: what came before it is delivered. */
  deliverEarly(request: RequestStream): void {
    if (this.#early.length === 0) return
    const own = this.#early.filter(({ id }) => id === request.id)
    this.#early = this.#early.filter(({ id }) => id !== request.id)
    for (const { id, payload } of own) this.#deliver(id, payload)
  }

  /** Largest payload that `send` takes for this stream now, bytes; 0 when the peer takes no datagrams. */
  maxPayload(request: RequestStream): number {
    return Math.max(0, this.#transport.maxDatagramPayload - varintLength(request.id / 4))
  }

  /**
   * Sends a datagram on a request stream; the payload is copied.
   * @param watcher told what becomes of it
   * @throws RangeError when it is larger than `maxPayload`
   */
  send(request: RequestStream, payload: Uint8Array, watcher?: DatagramWatcher): void {
    const quarter = request.id / 4
    const length = varintLength(quarter)
    const bytes = new Uint8Array(length + payload.length)
    writeVarint(bytes, 0, quarter)
    bytes.set(payload, length)
    this.#transport.sendDatagram(bytes, watcher)
  }
}
