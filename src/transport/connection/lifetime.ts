// How long a connection lives without news: the idle timeout (RFC 9000 section 10.1), what keeps it from coming
// (section 10.1.2), and the closing and draining
// periods (section 10.2). A part of QuicConnection.
import type { LossRecovery } from '../recovery/index.ts'
import { CLOSE_PTO_COUNT } from './limits.ts'
import { Space } from './packet-space.ts'
import type { TransportSettings } from './settings.ts'
import { TimerKind, type Timers } from './timers.ts'

export class Lifetime {
  readonly #timers: Timers
  readonly #recovery: LossRecovery
  /** Milliseconds; 0 for none. */
  #idleTimeout: number
  readonly #wantedKeepAlive: number
  /** Milliseconds without anything that the peer answers until a PING; 0 for never. */
  #keepAlive = 0
  #hasSentSinceReceive = false
  /** The closing period was begun by a call that knew no time: it starts with the next one that does. */
  #isEndStartDue = false

  constructor(timers: Timers, recovery: LossRecovery, settings: TransportSettings) {
    this.#timers = timers
    this.#recovery = recovery
    this.#idleTimeout = settings.maxIdleTimeout
    this.#wantedKeepAlive = settings.keepAlive
  }

  /** The peer's max_idle_timeout is known: the smaller one holds, and 0 stands for no limit. */
  negotiateIdle(theirs: number): void {
    const own = this.#idleTimeout
    this.#idleTimeout = own === 0 || theirs === 0 ? Math.max(own, theirs) : Math.min(own, theirs)
  }

  /** The handshake is confirmed: a connection that may be idle now is kept alive, if that is wanted. */
  handleConfirmed(now: number): void {
    const longest = this.#idleTimeout === 0 ? Number.POSITIVE_INFINITY : this.#idleTimeout / 2
    this.#keepAlive = Math.min(this.#wantedKeepAlive, longest)
    this.#restartKeepAlive(now)
  }

  handleReceived(now: number): void {
    this.#hasSentSinceReceive = false
    this.restartIdle(now)
    this.#restartKeepAlive(now)
  }

  /** Only the first ack-eliciting packet since something arrived restarts the idle timer. */
  handleAckElicitingSent(now: number): void {
    this.#restartKeepAlive(now)
    if (this.#hasSentSinceReceive) return
    this.#hasSentSinceReceive = true
    this.restartIdle(now)
  }

  #restartKeepAlive(now: number): void {
    if (this.#keepAlive > 0) this.#timers.set(TimerKind.keepAlive, now + this.#keepAlive)
  }

  restartIdle(now: number): void {
    if (this.#idleTimeout === 0) return
    // RFC 9000 section 10.1: "endpoints MUST increase the idle timeout period to be at least three times the current
    // Probe Timeout (PTO)".
    this.#timers.set(TimerKind.idle, now + Math.max(this.#idleTimeout, this.#threeProbeTimeouts))
  }

  /** Closing or draining begins; every other timer is over. */
  beginEnd(now: number): void {
    this.#timers.clearAll()
    this.#startEnd(now)
    this.#isEndStartDue = true
  }

  /** The time is known again: the period that `beginEnd` started with an old one starts now. */
  settleEndStart(now: number): void {
    if (!this.#isEndStartDue) return
    this.#isEndStartDue = false
    if (this.#timers.isArmed(TimerKind.drain)) this.#startEnd(now)
  }

  #startEnd(now: number): void {
    this.#timers.set(TimerKind.drain, now + this.#threeProbeTimeouts)
  }

  get #threeProbeTimeouts(): number {
    return CLOSE_PTO_COUNT * this.#recovery.ptoInterval(Space.application)
  }
}
