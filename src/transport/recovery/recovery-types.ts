// The words between LossRecovery and connection: spaces, events, options, requests.
import type { Entropy } from '../crypto/entropy.ts'
import type { Role } from '../wire/index.ts'
import type { CongestionController } from './congestion/controller.ts'
import type { SentPacket } from './sent-packet.ts'

/** Packet number spaces (RFC 9000 section 12.3). */
export const Space = { initial: 0, handshake: 1, application: 2 } as const

/** What recovery reports. The packet is valid during the call only; the callee sends nothing meanwhile. */
export interface RecoveryEvents {
  handleAcked(space: number, packet: SentPacket): void
  /** @param now ms */
  handleLost(space: number, packet: SentPacket, now: number): void
  /** A recovery period began, or persistent congestion was found. */
  handleCongestion?(isPersistent: boolean): void
}

export interface RecoveryOptions {
  role: Role
  events: RecoveryEvents
  /** For skipped packet numbers in the application space; undefined skips none. */
  entropy?: Entropy | undefined
  /** CUBIC when absent. */
  congestion?: CongestionController
  /** bytes; 1200 when absent. */
  maxDatagramSize?: number
  /** Whether packets are sent with ECN marks; false when absent. */
  ecn?: boolean
  /** RTT before the first sample, ms; 333 when absent. */
  initialRtt?: number
  /** Average packets until the first skipped number. */
  skipPeriod?: number
}

/** Ack-eliciting packets to send although the window may be full (RFC 9002 section 6.2.4). */
export interface ProbeRequest {
  space: number
  count: number
}

/** Numbers for /status and logs; they only grow. Packets count when they were in flight. */
export interface RecoveryCounters {
  sent: number
  acked: number
  lost: number
  ptos: number
  spurious: number
  persistentCongestion: number
}
