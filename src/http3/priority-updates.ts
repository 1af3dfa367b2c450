// PRIORITY_UPDATE on a connection, RFC 9218 section 7: finds the request that a client's frame speaks of, or keeps the
// frame's word for a request that is still on its way. One object per connection; called by H3Connection.

import type { QuicConnection } from '../transport/connection/index.ts'
import { connectionError, H3ErrorCode } from './errors.ts'
import { MAX_EARLY_PRIORITIES } from './limits.ts'
import { type Priority, parsePriority } from './priorities.ts'
import { RequestStream } from './request-stream.ts'

export class PriorityUpdates {
  readonly #transport: QuicConnection
  readonly #nextRequestId: () => number
  readonly #early = new Map<number, Priority>()

  /** @param nextRequestId ID of the first request stream that was not opened yet */
  constructor(transport: QuicConnection, nextRequestId: () => number) {
    this.#transport = transport
    this.#nextRequestId = nextRequestId
  }

  /** Updates that wait for their request. */
  get waiting(): number {
    return this.#early.size
  }

  /**
   * Applies or keeps an update; one for a request that is over is dropped.
   * @param value the field's text; what does not parse means the defaults, an error is not mandatory
   * @throws H3Error H3_ID_ERROR for a stream beyond the client's limit
   */
  handle(id: number, value: string): void {
    // RFC 9218 section 7.2
    if (id >= this.#transport.host.table.peer[0].advertised * 4) {
      throw connectionError(H3ErrorCode.H3_ID_ERROR, 'priority of a stream beyond the limit')
    }
    const request = this.#transport.streams.get(id)?.application
    if (request instanceof RequestStream) request.handlePriorityUpdate(parsePriority(value))
    else if (id >= this.#nextRequestId()) this.#keep(id, parsePriority(value))
  }

  // "SHOULD buffer the most recently received PRIORITY_UPDATE frame": one per request, the oldest go first.
  #keep(id: number, priority: Priority): void {
    const early = this.#early
    early.delete(id)
    if (early.size === MAX_EARLY_PRIORITIES) early.delete(early.keys().next().value!)
    early.set(id, priority)
  }

  /** A request has been opened: the update that came before it is applied. */
  deliverEarly(request: RequestStream): void {
    if (this.#early.size === 0) return
    const priority = this.#early.get(request.id)
    if (priority === undefined) return
    this.#early.delete(request.id)
    request.handlePriorityUpdate(priority)
  }
}
