// How BBR's window follows a loss recovery (draft-cardwell-iccrg-bbr-congestion-control-02, section 4.6.4.4): in the
// first round no more leaves than arrives; afterwards the window is what it was. Part of Bbr.
import type { AckSample } from './ack-sample.ts'

export class BbrRecovery {
  isActive = false
  /** Round trips since it began. */
  rounds = 0
  /** The window is held at what is in flight and arrives. */
  conserves = false
  /** The last window that neither a recovery nor ProbeRTT had lowered, bytes. */
  priorWindow = 0
  #start = Number.NEGATIVE_INFINITY
  #isBeginning = false

  /** Whether a loss of something sent at `timeSent` begins a new recovery. */
  isNew(timeSent: number): boolean {
    return timeSent > this.#start
  }

  begin(now: number, window: number): void {
    this.#start = now
    this.priorWindow = window
    this.isActive = true
    this.#isBeginning = true
    this.rounds = 0
  }

  /** Returns true when a packet sent after the loss has arrived, which ends the recovery. */
  endsWith(timeSent: number): boolean {
    if (!this.isActive || timeSent <= this.#start) return false
    this.isActive = false
    this.conserves = false
    this.#isBeginning = false
    return true
  }

  /** Persistent congestion: what comes is a start, not a recovery. */
  abandon(): void {
    this.isActive = false
    this.conserves = false
    this.#isBeginning = false
    this.#start = Number.NEGATIVE_INFINITY
  }

  /** A packet-timed round trip has ended. */
  noteRound(): void {
    if (!this.#isBeginning) this.rounds++
  }

  /** @returns the window after an ACK, before it grows */
  modulate(sample: AckSample, window: number, datagram: number): number {
    if (!this.isActive) return window
    if (this.#isBeginning) {
      this.#isBeginning = false
      this.conserves = true
      return sample.inFlight + Math.max(sample.acked, datagram)
    }
    let next = sample.lost > 0 ? Math.max(window - sample.lost, datagram) : window
    if (this.rounds > 0) this.conserves = false
    if (this.conserves) next = Math.max(next, sample.inFlight + sample.acked)
    return next
  }
}
