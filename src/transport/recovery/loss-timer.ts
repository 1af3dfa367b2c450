// The one timer of loss detection: early losses by time, probe timeouts with backoff, anti-deadlock probes
// (RFC 9002 section 6.2, appendix A.8). Part of LossRecovery.
import type { Role } from '../wire/index.ts'
import { MAX_PTO_BACKOFF } from './limits.ts'
import { Space } from './recovery-types.ts'
import type { RttEstimator } from './rtt.ts'
import type { SentSpace } from './sent-space.ts'

const DEFAULT_MAX_ACK_DELAY = 25

export class LossTimer {
  /** When it fires, ms; Infinity when it is not set. */
  time = Number.POSITIVE_INFINITY
  /** Probe timeouts since the last acknowledgement that resets them. */
  ptoCount = 0
  /** max_ack_delay of the peer, ms. */
  peerMaxAckDelay = DEFAULT_MAX_ACK_DELAY
  isHandshakeConfirmed = false
  /** RFC 9002 appendix A.8: a server takes for granted that the client has validated its address. */
  hasPeerValidatedAddress: boolean
  hasHandshakeKeys = false
  isAmplificationBlocked = false
  private readonly role: Role
  private readonly rtt: RttEstimator
  private readonly spaces: readonly SentSpace[]

  constructor(role: Role, rtt: RttEstimator, spaces: readonly SentSpace[]) {
    this.role = role
    this.rtt = rtt
    this.spaces = spaces
    this.hasPeerValidatedAddress = role === 'server'
  }

  /** SetLossDetectionTimer of RFC 9002 appendix A.8. */
  set(now: number): void {
    const lossSpace = this.earliestLossSpace()
    if (lossSpace >= 0) {
      this.time = this.spaces[lossSpace].lossTime
      return
    }
    const space = this.ptoSpace()
    if (this.isAmplificationBlocked && this.role === 'server') {
      // RFC 9002 section 6.2.2.1: no timer while nothing may be sent.
      this.time = Number.POSITIVE_INFINITY
    } else if (space >= 0) {
      this.time = this.ptoTime(space)
    } else if (this.hasPeerValidatedAddress) {
      this.time = Number.POSITIVE_INFINITY
    } else {
      // RFC 9002 section 6.2.2.1: the client probes so that a blocked server may send again.
      this.time = now + this.ptoInterval(this.antiDeadlockSpace()) * this.backoff()
    }
  }

  /** Space with the earliest loss by time, -1 for none. */
  earliestLossSpace(): number {
    let earliest = -1
    for (let i = 0; i < this.spaces.length; i++) {
      const time = this.spaces[i].lossTime
      if (time === Number.POSITIVE_INFINITY) continue
      if (earliest < 0 || time < this.spaces[earliest].lossTime) earliest = i
    }
    return earliest
  }

  /** Space whose probe timeout comes first, -1 for none (GetPtoTimeAndSpace). */
  ptoSpace(): number {
    let earliest = -1
    // RFC 9002 section 6.2.1: "An endpoint MUST NOT set its PTO timer for the Application Data packet number
    // space until the handshake is confirmed."
    const end = this.isHandshakeConfirmed ? Space.application : Space.handshake
    for (let i = 0; i <= end; i++) {
      if (this.spaces[i].ackElicitingInFlight === 0 && this.spaces[i].heldBackAt < 0) continue
      if (earliest < 0 || this.ptoTime(i) < this.ptoTime(earliest)) earliest = i
    }
    return earliest
  }

  /** Where a client probes when nothing is in flight. */
  antiDeadlockSpace(): number {
    return this.hasHandshakeKeys ? Space.handshake : Space.initial
  }

  /** Probe timeout of a space without backoff, ms. */
  ptoInterval(space: number): number {
    return this.rtt.timeoutBase + (space === Space.application ? this.peerMaxAckDelay : 0)
  }

  private ptoTime(space: number): number {
    const { lastAckElicitingTime, heldBackAt } = this.spaces[space]
    return Math.max(lastAckElicitingTime, heldBackAt) + this.ptoInterval(space) * this.backoff()
  }

  private backoff(): number {
    return 2 ** Math.min(this.ptoCount, MAX_PTO_BACKOFF)
  }
}
