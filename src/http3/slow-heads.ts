// Request heads that are begun and do not come to an end: dripped, held back, or blocked on a dynamic table that never
// gets what they need. Asked once a second by the server's service; one object per connection.

import type { QuicConnection } from '../transport/connection/index.ts'
import { HEAD_DEADLINE } from './limits.ts'
import { RequestStream } from './request-stream.ts'

/** RFC 9110 section 15.5.9 */
const REQUEST_TIMEOUT = 408

export class SlowHeads {
  readonly #transport: QuicConnection
  /** Streams without a head at the last sweep, and since when that is known, ms. */
  #since = new Map<number, number>()

  constructor(transport: QuicConnection) {
    this.#transport = transport
  }

  /** @param now ms */
  sweep(now: number): void {
    const known = this.#since
    const waiting = new Map<number, number>()
    for (const { id, application } of this.#transport.streams.values()) {
      if (!(application instanceof RequestStream) || !application.isHeadMissing) continue
      const since = known.get(id) ?? now
      if (now - since >= HEAD_DEADLINE) application.refuseHead(REQUEST_TIMEOUT)
      else waiting.set(id, since)
    }
    this.#since = waiting
  }
}
