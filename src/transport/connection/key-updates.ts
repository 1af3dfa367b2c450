// When keys are updated, and how often they may be used: RFC 9001 sections 6.1, 6.2, 6.5 and 6.6. A part of
// QuicConnection; the keys themselves are in application-keys.ts.
import { ConnectionPhase } from '../../machines/index.ts'
import type { PacketKeys } from '../crypto/index.ts'
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import {
  CLOSE_PTO_COUNT,
  KEY_LIMIT_RESERVE,
  KEY_UPDATE_MARGIN,
  KEY_UPDATE_WINDOW,
  MAX_KEY_UPDATES_PER_WINDOW,
} from './limits.ts'
import { Space } from './packet-space.ts'
import { TimerKind } from './timers.ts'

export class KeyUpdates {
  readonly #connection: QuicConnection
  /** Packets that failed authentication, over all keys of the connection (section 6.6). */
  forgeries = 0
  #discardAt = Number.POSITIVE_INFINITY
  #windowEnd = Number.NEGATIVE_INFINITY
  #updatesInWindow = 0

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  /** The handshake is confirmed: from now on keys may change, so the next ones are made soon. */
  handleConfirmed(now: number): void {
    this.#connection.timers.set(TimerKind.keyDiscard, now + this.#probeTimeout)
  }

  /**
   * Updates the keys of both directions, unless that is not allowed now: before the handshake is confirmed, and until
   * the last update has been acknowledged (section 6.1) and its old keys are gone (section 6.5).
   * @returns whether it did
   */
  request(): boolean {
    const { applicationKeys: keys, actor, control } = this.#connection
    if (keys === undefined || actor.phase !== ConnectionPhase.confirmed) return false
    if (!keys.isConfirmed || keys.hasPrevious) return false
    keys.initiate()
    // Something that the peer must answer, so that the update is not left half done.
    control.queuePing()
    return true
  }

  /**
   * Before packets are sealed: updates in time, and ends a connection whose peer does not follow.
   * @throws QuicError AEAD_LIMIT_REACHED
   */
  settle(): void {
    const { applicationKeys: keys, settings } = this.#connection
    const suite = keys?.write?.suite
    if (keys === undefined || suite === undefined) return
    const limit = suite.confidentialityLimit
    if (keys.sealed >= Math.min(limit - KEY_UPDATE_MARGIN, settings.packetsPerKey)) this.request()
    // RFC 9001 section 6.6: "If a key update is not possible ... the endpoint MUST stop using the connection".
    if (keys.sealed >= limit - KEY_LIMIT_RESERVE) throw limitReached('too many packets with one key')
  }

  /** A 1-RTT packet was opened. @throws QuicError KEY_UPDATE_ERROR */
  handleOpened(opener: PacketKeys, packetNumber: number, now: number): void {
    const keys = this.#connection.applicationKeys!
    const { updates } = keys
    if (!keys.handleOpened(opener, packetNumber)) return
    if (keys.updates > updates) this.#chargePeer(now)
    this.#discardAt = now + CLOSE_PTO_COUNT * this.#probeTimeout
    this.#connection.timers.set(TimerKind.keyDiscard, now + this.#probeTimeout)
  }

  /** Every update makes us derive keys; a peer that waits 3 PTO between two (section 6.5) never comes near the cap. */
  #chargePeer(now: number): void {
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + KEY_UPDATE_WINDOW
      this.#updatesInWindow = 0
    }
    if (++this.#updatesInWindow <= MAX_KEY_UPDATES_PER_WINDOW) return
    throw new QuicError(TransportErrorCode.KEY_UPDATE_ERROR, 'too many key updates')
  }

  /** A packet failed authentication. @throws QuicError AEAD_LIMIT_REACHED */
  handleForgery(keys: PacketKeys): void {
    if (++this.forgeries < keys.suite.integrityLimit) return
    throw limitReached('too many packets that no key opens')
  }

  /** The keyDiscard timer: first the next keys are made, then the old ones go. */
  handleTimeout(now: number): void {
    const { applicationKeys: keys, timers } = this.#connection
    timers.clear(TimerKind.keyDiscard)
    keys?.prepare()
    if (this.#discardAt === Number.POSITIVE_INFINITY) return
    if (now < this.#discardAt) {
      timers.set(TimerKind.keyDiscard, this.#discardAt)
      return
    }
    this.#discardAt = Number.POSITIVE_INFINITY
    keys?.discardPrevious()
  }

  get #probeTimeout(): number {
    return this.#connection.recovery.ptoInterval(Space.application)
  }
}

function limitReached(reason: string): QuicError {
  return new QuicError(TransportErrorCode.AEAD_LIMIT_REACHED, reason)
}
