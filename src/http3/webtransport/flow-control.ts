// Credit of one session, draft-ietf-webtrans-http3 section 5: bytes and streams that each side may use, on top of what
// QUIC allows. Without it (section 5.1: one of the two does not want it) everything is unlimited. Owned by session.ts.

import { H3Error } from '../errors.ts'
import { WtErrorCode } from './errors.ts'
import { MAX_STREAMS_VALUE } from './limits.ts'

/** A violation that ends the session (section 5.6). */
export function flowControlError(reason: string): H3Error {
  return new H3Error(WtErrorCode.WT_FLOW_CONTROL_ERROR, reason, 'stream')
}

/** What we may use: bytes, or streams of one kind. */
export class OutgoingCredit {
  used = 0
  max: number
  /** Limit at which the peer was last told that we wait; each is told once. */
  reportedAt = -1

  constructor(max: number) {
    this.max = max
  }

  get available(): number {
    return this.max - this.used
  }

  /**
   * The peer's WT_MAX_DATA or WT_MAX_STREAMS.
   * @throws H3Error for a value that does not increase: capsules arrive in order (sections 5.6.2 and 5.6.4)
   */
  raise(max: number): void {
    if (max <= this.max) throw flowControlError('a limit that does not increase')
    this.max = max
  }

  /** Whether the peer should hear that we wait; true once per limit. */
  takeBlocked(): boolean {
    if (this.available > 0 || this.reportedAt === this.max) return false
    this.reportedAt = this.max
    return true
  }
}

/** What the peer may use. */
export class IncomingCredit {
  readonly window: number
  advertised: number
  /** Used by the peer. */
  received = 0
  /** Read by the application, or closed: given back with the next update. */
  returned = 0

  constructor(window: number) {
    this.window = window
    this.advertised = window
  }

  /** @throws H3Error when it is more than was allowed */
  receive(amount: number): void {
    this.received += amount
    if (this.received > this.advertised) throw flowControlError('more than the session allows')
  }

  /** @returns the new limit to tell, or 0 while an update can wait: until half of the window has come back */
  giveBack(amount: number): number {
    this.returned += amount
    const next = Math.min(this.returned + this.window, MAX_STREAMS_VALUE)
    if ((next - this.advertised) * 2 < this.window) return 0
    this.advertised = next
    return next
  }
}

/** What both sides said in SETTINGS about one session. */
export interface InitialCredit {
  readonly data: number
  readonly bidi: number
  readonly uni: number
}

export class SessionCredit {
  readonly isEnabled: boolean
  readonly data: OutgoingCredit
  readonly bidi: OutgoingCredit
  readonly uni: OutgoingCredit
  readonly peerData: IncomingCredit
  readonly peerBidi: IncomingCredit
  readonly peerUni: IncomingCredit

  /** Section 5.1: "If both endpoints take at least one of these actions, flow control is enabled". */
  constructor(own: InitialCredit, peer: InitialCredit) {
    this.isEnabled = isWanted(own) && isWanted(peer)
    const unlimited = Number.POSITIVE_INFINITY
    this.data = new OutgoingCredit(this.isEnabled ? peer.data : unlimited)
    this.bidi = new OutgoingCredit(this.isEnabled ? peer.bidi : unlimited)
    this.uni = new OutgoingCredit(this.isEnabled ? peer.uni : unlimited)
    this.peerData = new IncomingCredit(this.isEnabled ? own.data : unlimited)
    this.peerBidi = new IncomingCredit(this.isEnabled ? own.bidi : unlimited)
    this.peerUni = new IncomingCredit(this.isEnabled ? own.uni : unlimited)
  }
}

function isWanted({ data, bidi, uni }: InitialCredit): boolean {
  return data > 0 || bidi > 0 || uni > 0
}
