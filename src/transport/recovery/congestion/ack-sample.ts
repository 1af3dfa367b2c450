// What one ACK frame tells a congestion controller: acknowledged and lost bytes, a round-trip time, and the rate at
// which the path delivered. Filled by LossRecovery and DeliveryRate, one object reused for every ACK.

export class AckSample {
  /** ms. */
  now = 0
  /** Round-trip time measured by this ACK, ms; -1 when it gave none. */
  rtt = -1
  /** When the newest packet acknowledged was sent, ms; -1 when none of them was in flight. */
  newestSent = -1
  /** Bytes newly acknowledged and newly lost. */
  acked = 0
  lost = 0
  /** Bytes in flight before and after. */
  priorInFlight = 0
  inFlight = 0
  /** The congestion window held the sender back. */
  isWindowLimited = false
  /** Bytes delivered on this connection so far, and bytes lost. */
  totalDelivered = 0
  totalLost = 0
  /** Bytes that had been delivered when the newest packet was sent. */
  priorDelivered = 0
  /** Bytes delivered since then, and the rate of it in bytes per ms; 0 when the interval was too short. */
  delivered = 0
  deliveryRate = 0
  /** The sender had nothing more to send in that interval: the rate is a lower bound. */
  isAppLimited = false
  /** Bytes in flight when the newest packet had been sent, and bytes declared lost since. */
  txInFlight = 0
  lostSinceSent = 0
  /** Set by a controller that holds back on purpose: what is in flight now must not count as a rate of the path. */
  marksAppLimited = false

  /** Begins a new ACK. */
  begin(now: number, inFlight: number): void {
    this.now = now
    this.rtt = -1
    this.newestSent = -1
    this.acked = 0
    this.lost = 0
    this.priorInFlight = inFlight
    this.inFlight = inFlight
    this.isWindowLimited = false
    this.delivered = 0
    this.deliveryRate = 0
    this.isAppLimited = false
    this.txInFlight = 0
    this.lostSinceSent = 0
    this.marksAppLimited = false
  }
}
