// When a connection has to be looked at again, and what is due then: its own timers, those of recovery, and delayed
// acknowledgements. A part of QuicConnection, which is asked by the endpoint after each of its turns.
import { ConnectionEvent } from '../../machines/index.ts'
import { silentClose } from './closing.ts'
import type { QuicConnection } from './connection.ts'
import { prepareProbes } from './sent-entries.ts'
import { TimerKind } from './timers.ts'

export class Deadlines {
  readonly #connection: QuicConnection

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  /** Absolute milliseconds; Infinity for never. */
  get next(): number {
    const { isClosed, isEnding, timers, recovery, path, spaces } = this.#connection
    if (isClosed) return Number.POSITIVE_INFINITY
    if (isEnding) return timers.next
    let next = Math.min(timers.next, recovery.lossDetectionTimer())
    // What the 3x limit forbids is not due: only something that arrives can change that.
    if (!path.canSend) return next
    for (const space of spaces) if (!space.isDiscarded) next = Math.min(next, space.acks.ackDeadline)
    return next
  }

  handle(now: number): void {
    const connection = this.#connection
    const { timers } = connection
    if (timers.isExpired(TimerKind.drain, now)) connection.actor.raise(ConnectionEvent.timeoutDrain)
    else if (connection.isEnding) return
    else if (timers.isExpired(TimerKind.handshake, now)) {
      connection.end(
        ConnectionEvent.timeoutHandshake,
        silentClose('handshakeTimeout', 'handshake took too long'),
      )
    } else if (timers.isExpired(TimerKind.idle, now)) {
      connection.end(ConnectionEvent.timeoutIdle, silentClose('idle', 'idle timeout'))
    } else connection.guard(() => this.#handleWork(now))
  }

  #handleWork(now: number): void {
    const connection = this.#connection
    const { timers } = connection
    if (timers.isExpired(TimerKind.keyDiscard, now)) connection.keyUpdates.handleTimeout(now)
    if (timers.isExpired(TimerKind.earlyKeyDiscard, now)) connection.handshake.early.discard()
    if (timers.isExpired(TimerKind.keepAlive, now)) {
      timers.clear(TimerKind.keepAlive)
      connection.control.queuePing()
    }
    if (timers.isExpired(TimerKind.path, now)) connection.paths.handleTimeout(now)
    if (connection.isEnding) return
    const probe = connection.recovery.handleTimeout(now)
    if (probe !== undefined) prepareProbes(connection, probe.space, probe.count)
  }
}
