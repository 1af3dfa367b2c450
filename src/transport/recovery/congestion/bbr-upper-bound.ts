// The most that BBR lets be in flight, inflight_hi (draft-cardwell-iccrg-bbr-congestion-control-02, sections 4.3.3.4,
// 4.3.3.6 and 4.5.6.2): lowered when a probe for bandwidth loses too much, raised step by step by later probes.
import { HEADROOM, LOSS_THRESHOLD, MAX_PROBE_UP_ROUNDS } from './bbr-constants.ts'

export class BbrUpperBound {
  /** Bytes; Infinity while no probe has lost too much. */
  limit = Number.POSITIVE_INFINITY
  /** Packets of a probe are on the way, to whose losses nothing has reacted yet. */
  isProbing = false
  #rounds = 0
  #acked = 0
  /** Bytes acknowledged per datagram of growth. */
  #cost = Number.POSITIVE_INFINITY

  /** What leaves room for other flows. @param least bytes */
  withHeadroom(datagram: number, least: number): number {
    if (this.limit === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    return Math.max(this.limit - Math.max(datagram, HEADROOM * this.limit), least)
  }

  /** The next probe starts with small steps again. */
  reset(): void {
    this.#rounds = 0
    this.#acked = 0
  }

  /** No probe: no growth. */
  hold(): void {
    this.#cost = Number.POSITIVE_INFINITY
  }

  /** A round of a probe begins: twice as many datagrams as in the last one. */
  raiseSlope(window: number, datagram: number): void {
    const datagrams = 2 ** this.#rounds
    this.#rounds = Math.min(this.#rounds + 1, MAX_PROBE_UP_ROUNDS)
    this.#cost = Math.max(window / datagrams, datagram)
  }

  /** An ACK during a probe that fills the limit. */
  grow(acked: number, datagram: number): void {
    this.#acked += acked
    if (this.#acked < this.#cost) return
    const steps = Math.floor(this.#acked / this.#cost)
    this.#acked -= steps * this.#cost
    this.limit += steps * datagram
  }

  /** Bytes in flight at which losses went beyond the threshold; solved for the prefix of the packet. */
  static limitFromLoss(txInFlight: number, size: number, lost: number): number {
    const before = txInFlight - size
    const prefix = (LOSS_THRESHOLD * before - (lost - size)) / (1 - LOSS_THRESHOLD)
    return before + Math.max(0, prefix)
  }
}

/**
 * Whether a round trip lost more than is tolerated. The draft compares with the threshold alone; in a flight of thirty
 * packets a single random loss would then pass for congestion, so two standard deviations are allowed on top.
 * @param lost bytes
 * @param flight bytes they were lost from
 */
export function isTooMuchLost(lost: number, flight: number, datagram: number): boolean {
  const tolerated = (LOSS_THRESHOLD * flight) / datagram
  return lost / datagram > tolerated + 2 * Math.sqrt(tolerated)
}
