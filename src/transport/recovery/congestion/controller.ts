// What every congestion controller offers to LossRecovery (RFC 9002 section 7, appendix B).
import type { RttEstimator } from '../rtt.ts'

export interface CongestionController {
  readonly name: string
  /** Congestion window, bytes. */
  readonly window: number
  /** Slow start threshold, bytes; Infinity before the first loss. */
  readonly ssthresh: number
  readonly isInSlowStart: boolean
  /** A packet that is in flight was sent. */
  onPacketSent(bytes: number, now: number): void
  /**
   * A packet in flight was acknowledged.
   * @param timeSent when it was sent, ms
   * @param isUtilised false when the window was not used up, so it must not grow (RFC 9002 section 7.8)
   */
  onAcked(bytes: number, timeSent: number, now: number, rtt: RttEstimator, isUtilised: boolean): void
  /**
   * Loss or an ECN mark.
   * @param timeSent when the last packet concerned was sent, ms
   * @returns true when this begins a recovery period
   */
  onCongestionEvent(timeSent: number, now: number): boolean
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
