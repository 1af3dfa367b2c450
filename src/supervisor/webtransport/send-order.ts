// sendOrder of the W3C's WebTransport: streams with a greater number go first, those without one share. QUIC's queue has
// eight urgencies (RFC 9218), so ranks are mapped to them: the greatest order has the urgency of its session, the ones
// behind it what is below; the last urgency holds all the rest. One per session.
import type { WebTransportStream } from '../../http3/index.ts'

/** RFC 9218 section 4.1: of sessions about which nothing was said, and the last one. */
const DEFAULT = 3
const LAST = 7

export class SendOrder {
  readonly #orders = new Map<WebTransportStream, number>()

  get(stream: WebTransportStream): number | null {
    return this.#orders.get(stream) ?? null
  }

  set(stream: WebTransportStream, order: number | null): void {
    if (order === null) this.remove(stream)
    else {
      this.#orders.set(stream, Number(order))
      this.#apply()
    }
  }

  /** The stream shares with those without an order, or is over. */
  remove(stream: WebTransportStream): void {
    if (!this.#orders.delete(stream)) return
    stream.setPriority(stream.session?.urgency ?? DEFAULT, true)
    this.#apply()
  }

  #apply(): void {
    const ranks = [...new Set(this.#orders.values())].sort((one, other) => other - one)
    for (const [stream, order] of this.#orders) {
      const first = stream.session?.urgency ?? DEFAULT
      stream.setPriority(Math.min(first + ranks.indexOf(order), LAST), false)
    }
  }
}
