// Whether packets are marked for explicit congestion notification, and whether the path can be trusted with the marks
// (RFC 9000 section 13.4 and appendix A.4). Part of LossRecovery; the counts of received marks are in AckTracker.
//
//   testing --[10 marked packets sent]--> unknown --[acknowledged with right counts]--> capable
//      |                                     |                                             |
//      '--------------[all lost, counts wrong, or every packet marked CE]----------> failed <'
import type { AckFrame } from '../wire/index.ts'
import { ECN_TESTING_PACKETS } from './limits.ts'
import { EcnMark } from './received-packets.ts'
import type { SentPacket } from './sent-packet.ts'

const EcnState = { disabled: 0, testing: 1, unknown: 2, capable: 3, failed: 4 } as const

const STATE_NAME = ['disabled', 'testing', 'unknown', 'capable', 'failed'] as const

export class EcnValidation {
  /** Mark of the datagram under construction: a value of EcnMark. */
  mark: number = EcnMark.notEct
  /** CE marks that the peer has reported. */
  congestionMarks = 0
  #state: number
  // Per packet number space: packets sent with ECT(0), and the last counts reported.
  readonly #sent = [0, 0, 0]
  readonly #ect0 = [0, 0, 0]
  readonly #ect1 = [0, 0, 0]
  readonly #ce = [0, 0, 0]
  #tested = 0
  #acked = 0
  #lost = 0

  /** @param isEnabled whether the socket can mark what it sends */
  constructor(isEnabled: boolean) {
    this.#state = isEnabled ? EcnState.testing : EcnState.disabled
  }

  get state(): (typeof STATE_NAME)[number] {
    return STATE_NAME[this.#state]
  }

  /** Chooses the mark of the next datagram; all of its packets share it. */
  beginDatagram(): number {
    const isMarking = this.#state === EcnState.testing || this.#state === EcnState.capable
    this.mark = isMarking ? EcnMark.ect0 : EcnMark.notEct
    return this.mark
  }

  onPacketSent(space: number, packet: SentPacket): void {
    if (this.mark === EcnMark.notEct) return
    packet.isEct = true
    this.#sent[space]++
    if (this.#state === EcnState.testing && ++this.#tested >= ECN_TESTING_PACKETS)
      this.#state = EcnState.unknown
  }

  /** Nothing marked has arrived for a probe timeout: what must arrive now goes without marks. */
  onProbeTimeout(): void {
    if (this.#state === EcnState.testing && this.#acked === 0 && this.#tested > 0)
      this.#state = EcnState.unknown
  }

  /** Appendix A.4: a path that loses every marked packet of the test drops marked packets. */
  onPacketLost(packet: SentPacket): void {
    if (!packet.isEct || this.#state !== EcnState.unknown) return
    if (++this.#lost >= this.#tested && this.#acked === 0) this.#state = EcnState.failed
  }

  /**
   * Validates the counts of an ACK frame (section 13.4.2.1).
   * @param isNewest it raises the largest acknowledged; others may be reordered, and their counts old
   * @param packets the first `count` are newly acknowledged
   * @returns whether it reports new CE marks that can be believed
   */
  onAck(
    space: number,
    ack: AckFrame,
    isNewest: boolean,
    packets: readonly SentPacket[],
    count: number,
  ): boolean {
    if (this.#state === EcnState.disabled || this.#state === EcnState.failed) return false
    let marked = 0
    for (let i = 0; i < count; i++) if (packets[i].isEct) marked++
    // "Processing counts out of order can result in verification failure", section 13.4.2.1.
    if (!isNewest) return false
    if (!ack.hasEcn) {
      // "If an ACK frame newly acknowledges a packet that the endpoint sent with either the ECT(0) or ECT(1) codepoint
      // set, ECN validation fails if the corresponding ECN counts are not present in the ACK frame."
      if (marked > 0) this.#state = EcnState.failed
      return false
    }
    const newCe = ack.ce - this.#ce[space]
    if (!this.#areCountsRight(space, ack, marked, newCe)) {
      this.#state = EcnState.failed
      return false
    }
    this.#ect0[space] = ack.ect0
    this.#ce[space] = ack.ce
    this.congestionMarks += newCe
    this.#acked += marked
    this.#judge()
    return newCe > 0 && this.#state !== EcnState.failed
  }

  #areCountsRight(space: number, ack: AckFrame, marked: number, newCe: number): boolean {
    const newEct0 = ack.ect0 - this.#ect0[space]
    if (newEct0 < 0 || newCe < 0 || ack.ect1 !== this.#ect1[space]) return false
    // Each marked packet must be counted, and no more can be counted than were marked.
    return newEct0 + newCe >= marked && ack.ect0 + ack.ce <= this.#sent[space]
  }

  /** Every packet marked CE is no congestion but a network element that mangles the field. */
  #judge(): void {
    if (this.#state === EcnState.capable || this.#acked === 0) return
    if (this.congestionMarks < this.#acked) this.#state = EcnState.capable
    else if (this.#acked >= ECN_TESTING_PACKETS) this.#state = EcnState.failed
  }

  /** A new path is tested anew; counts go on, for they belong to the connection (section 13.4.2). */
  reset(): void {
    if (this.#state === EcnState.disabled) return
    this.#state = EcnState.testing
    this.#tested = 0
    this.#acked = 0
    this.#lost = 0
    this.congestionMarks = 0
  }
}
