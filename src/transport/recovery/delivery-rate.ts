// The rate at which the path delivers, measured with every ACK (delivery rate estimation, as BBR needs it; see
// draft-cardwell-iccrg-bbr-congestion-control section 4.5.2). Part of LossRecovery.
//
//   sent      |--p0--------------p1--|                 rate = bytes delivered between p0's and p1's delivery
//   delivered        |--p0--------------p1--|                 / the longer of the two intervals
import type { AckSample } from './congestion/ack-sample.ts'
import type { SentPacket } from './sent-packet.ts'

export class DeliveryRate {
  /** Bytes delivered so far. */
  delivered = 0
  /** Bytes declared lost so far. */
  lost = 0
  #deliveredTime = 0
  #firstSentTime = 0
  /** Everything up to this count of delivered bytes was sent by a sender without enough data; 0 for nothing. */
  #appLimitedUntil = 0

  get isAppLimited(): boolean {
    return this.#appLimitedUntil > 0
  }

  /** Nothing more to send, although the window has room. */
  markAppLimited(inFlight: number): void {
    this.#appLimitedUntil = Math.max(1, this.delivered + inFlight)
  }

  /** @param inFlight bytes in flight before this packet */
  onPacketSent(packet: SentPacket, inFlight: number, now: number): void {
    if (inFlight === 0) {
      this.#firstSentTime = now
      this.#deliveredTime = now
    }
    packet.firstSentTime = this.#firstSentTime
    packet.deliveredTime = this.#deliveredTime
    packet.delivered = this.delivered
    packet.lostBefore = this.lost
    packet.txInFlight = inFlight + packet.size
    packet.isAppLimited = this.#appLimitedUntil > 0
  }

  /**
   * Counts packets that an ACK newly acknowledges, and takes the sample of the newest.
   * @param packets the first `count` are meant, largest number first
   * @param minimumRtt ms; a shorter interval is an artefact of reordered or compressed ACKs
   */
  onAcked(packets: readonly SentPacket[], count: number, minimumRtt: number, sample: AckSample): void {
    let newest: SentPacket | undefined
    for (let i = 0; i < count; i++) {
      const packet = packets[i]
      if (!packet.isCounted) continue
      newest ??= packet
      this.delivered += packet.size
      sample.acked += packet.size
    }
    sample.totalDelivered = this.delivered
    sample.totalLost = this.lost
    if (newest === undefined) return
    this.#deliveredTime = sample.now
    this.#firstSentTime = newest.timeSent
    if (this.#appLimitedUntil > 0 && this.delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0
    this.#measure(newest, minimumRtt, sample)
  }

  #measure(newest: SentPacket, minimumRtt: number, sample: AckSample): void {
    sample.newestSent = newest.timeSent
    sample.priorDelivered = newest.delivered
    sample.delivered = this.delivered - newest.delivered
    sample.isAppLimited = newest.isAppLimited
    sample.txInFlight = newest.txInFlight
    sample.lostSinceSent = this.lost - newest.lostBefore
    const sending = newest.timeSent - newest.firstSentTime
    const receiving = sample.now - newest.deliveredTime
    const interval = Math.max(sending, receiving)
    if (interval > 0 && interval >= minimumRtt) sample.deliveryRate = sample.delivered / interval
  }

  onLost(bytes: number): void {
    this.lost += bytes
  }
}
