// Flow-control credit of one stream or of the connection, RFC 9000 section 4. Used by streams and connection.
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { FAST_ROUND_TRIPS } from './limits.ts'

/** What the peer lets us send. */
export class SendCredit {
  /** Highest offset the peer allows, in bytes. */
  max: number
  /** Highest offset used, in bytes. */
  used = 0
  /** The limit at which we last told the peer that we are blocked; -1 when never. */
  reportedAt = -1

  constructor(max: number) {
    this.max = max
  }

  get available(): number {
    return this.max - this.used
  }

  /** RFC 9000 section 4.1: a smaller limit than before is ignored. Returns whether credit grew. */
  raise(max: number): boolean {
    if (max <= this.max) return false
    this.max = max
    return true
  }
}

/** What we let the peer send; the window slides with what the application has consumed. */
export class ReceiveCredit {
  /** Window kept open ahead of the application, in bytes. */
  window: number
  /** Highest limit told to the peer. */
  advertised: number
  /** Bytes received: the highest offset of a stream, or the sum of them for a connection. */
  received = 0
  /** Bytes consumed by the application or discarded for it. */
  consumed = 0

  /** When the window last moved, ms. */
  #moved: number

  /** @param now ms */
  constructor(window: number, now = 0) {
    this.window = window
    this.advertised = window
    this.#moved = now
  }

  /**
   * Doubles the window when half of it was used up within two round trips: then it is the window that holds the sender
   * back, not the path. Called when an update is about to be sent; a repeated one changes nothing.
   * @param now ms
   * @param roundTrip ms
   * @param cap bytes
   * @returns whether it grew
   */
  tune(now: number, roundTrip: number, cap: number): boolean {
    if (!this.isUpdateDue) return false
    const isFast = now - this.#moved < FAST_ROUND_TRIPS * roundTrip
    this.#moved = now
    return isFast && this.ensure(2 * this.window, cap)
  }

  /** Makes the window at least so large, as far as the cap allows. Returns whether it grew. */
  ensure(window: number, cap: number): boolean {
    const next = Math.min(window, cap)
    if (next <= this.window) return false
    this.window = next
    return true
  }

  /** Counts newly received bytes. @throws QuicError FLOW_CONTROL_ERROR, counting none, beyond the limit (section 4.1). */
  receive(bytes: number): void {
    if (this.received + bytes > this.advertised) {
      throw new QuicError(TransportErrorCode.FLOW_CONTROL_ERROR, 'more data than the advertised limit')
    }
    this.received += bytes
  }

  consume(bytes: number): void {
    this.consumed += bytes
  }

  /** An update is due when half of the window is used up: it arrives in time and is not sent per packet. */
  get isUpdateDue(): boolean {
    return this.consumed + this.window - this.advertised >= this.window / 2
  }

  /** The limit to send now; from here on it is the one that is enforced. */
  advertise(): number {
    const next = this.consumed + this.window
    if (next > this.advertised) this.advertised = next
    return this.advertised
  }
}
