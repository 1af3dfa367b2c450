// What every congestion controller offers to LossRecovery (RFC 9002 section 7, appendix B).
import type { RttEstimator } from '../rtt.ts'
import type { SentPacket } from '../sent-packet.ts'
import type { AckSample } from './ack-sample.ts'

export interface CongestionController {
  readonly name: string
  /** What it is doing now, for metrics and logs. */
  readonly phase: string
  /** Congestion window, bytes. */
  readonly window: number
  /** Slow start threshold, bytes; Infinity before the first loss. */
  readonly ssthresh: number
  readonly isInSlowStart: boolean
  /** Rate at which packets leave, bytes per ms; 0 leaves it to the pacer, which divides the window by the RTT. */
  readonly pacingRate: number
  /**
   * A packet that is in flight was sent.
   * @param inFlight bytes in flight before it
   * @param isAppLimited the sender has run out of data before
   */
  onPacketSent(bytes: number, now: number, inFlight: number, isAppLimited: boolean): void
  /**
   * A packet in flight was acknowledged.
   * @param timeSent when it was sent, ms
   * @param isUtilised false when the window was not used up, so it must not grow (RFC 9002 section 7.8)
   */
  onAcked(bytes: number, timeSent: number, now: number, rtt: RttEstimator, isUtilised: boolean): void
  /** All packets of an ACK frame have been told, losses included. The sample is valid during the call only. */
  onAckEnd(sample: AckSample, rtt: RttEstimator): void
  /**
   * A packet in flight was declared lost (path MTU probes are not told).
   * @param totalLost bytes lost on this connection so far, this packet included
   */
  onPacketLost(packet: SentPacket, totalLost: number, now: number): void
  /**
   * Loss or an ECN mark.
   * @param timeSent when the last packet concerned was sent, ms
   * @param isMark true for an ECN mark
   * @returns true when this begins a recovery period
   */
  onCongestionEvent(timeSent: number, now: number, isMark?: boolean): boolean
  onPersistentCongestion(now: number): void
  /** @param bytes new maximum datagram size */
  setMaxDatagramSize(bytes: number): void
}

/**
 * kInitialWindow (RFC 9002 section 7.2).
 * @param maxDatagramSize bytes
 */
export function initialWindow(maxDatagramSize: number): number {
  return Math.min(10 * maxDatagramSize, Math.max(2 * maxDatagramSize, 14_720))
}

/** kMinimumWindow (RFC 9002 section 7.2). */
export function minimumWindow(maxDatagramSize: number): number {
  return 2 * maxDatagramSize
}
