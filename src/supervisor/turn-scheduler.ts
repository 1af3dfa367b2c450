// Gives every connection that has something to do its turn, and none more than its share: at most 16 operations or
// 100 datagrams per turn of the loop. Also arms the one timer per connection. Used by endpoint.ts.
//
//   markDirty -> dirty list -> (clock.immediate) runTurn: backlog, timeout, output -> batch -> socket
//                    ^                                          |
//                    +------- more to do than one turn's share -+
import { DatagramBatch, MAX_DATAGRAMS_PER_POLL } from '../transport/connection/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import type { Counters } from './counters.ts'
import type { Invariants } from './invariants.ts'
import { BLOCKED_SOCKET_DELAY, DATAGRAMS_PER_TURN, OPERATIONS_PER_TURN } from './limits.ts'
import type { TurnTime } from './turn-time.ts'

export class TurnScheduler {
  readonly #clock: Clock
  readonly #time: TurnTime
  readonly #counters: Counters
  readonly #batch = new DatagramBatch()
  readonly #invariants: Invariants | undefined
  readonly #handleDefect: (entry: ConnectionEntry, error: unknown) => void
  #batchSocket: DatagramSocket | undefined
  #dirty: ConnectionEntry[] = []
  #running: ConnectionEntry[] = []
  #isScheduled = false

  /**
   * @param handleDefect ends a connection whose code has thrown; must not throw
   * @param invariants what is compared after each turn
   */
  constructor(
    clock: Clock,
    time: TurnTime,
    counters: Counters,
    handleDefect: (entry: ConnectionEntry, error: unknown) => void,
    invariants?: Invariants,
  ) {
    this.#invariants = invariants
    this.#handleDefect = handleDefect
    this.#clock = clock
    this.#time = time
    this.#counters = counters
  }

  /** The connection may have output or another timeout; it gets a turn after the input at hand. */
  markDirty(entry: ConnectionEntry): void {
    if (entry.isDirty || entry.isGone) return
    entry.isDirty = true
    this.#dirty.push(entry)
    this.#schedule()
  }

  /** The connection is gone: no turn and no timer any more. */
  remove(entry: ConnectionEntry): void {
    entry.isGone = true
    this.#disarm(entry)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.immediate(this.#runTurn)
  }

  #runTurn = (): void => {
    this.#isScheduled = false
    const now = this.#time.read()
    const turn = this.#dirty
    this.#dirty = this.#running
    this.#running = turn
    for (let index = 0; index < turn.length; index++) {
      const entry = turn[index]
      entry.isDirty = false
      if (!entry.isGone) this.#serveGuarded(entry, now)
    }
    this.#sendBatch()
    this.#check(turn)
    turn.length = 0
  }

  /** Throws in tests (mode `check`), after everybody was served. */
  #check(served: readonly ConnectionEntry[]): void {
    if (this.#invariants === undefined) return
    for (let index = 0; index < served.length; index++) this.#invariants.checkConnection(served[index])
    this.#invariants.checkEndpoint()
  }

  /** A defect that shows in one connection must not reach the others (design: supervision). */
  #serveGuarded(entry: ConnectionEntry, now: number): void {
    try {
      this.#serve(entry, now)
    } catch (error) {
      this.#handleDefect(entry, error)
    }
  }

  #serve(entry: ConnectionEntry, now: number): void {
    const { connection } = entry.supervisor
    entry.readThisTurn = 0
    if (entry.hasBacklog) this.#readBacklog(entry, now)
    if (connection.nextTimeout() <= now) connection.handleTimeout(now)
    if (entry.isGone) return
    if (entry.outputSocket.isBlocked) {
      this.#retryLater(entry, now)
      return
    }
    const isDone = this.#write(entry, now)
    if (entry.isGone) return
    if (!isDone || entry.hasBacklog) this.markDirty(entry)
    this.#arm(entry, connection.nextTimeout())
  }

  #readBacklog(entry: ConnectionEntry, now: number): void {
    for (const { bytes, remote, ecn, socket } of entry.takeBacklog(DATAGRAMS_PER_TURN)) {
      if (entry.isGone) return
      entry.readThisTurn++
      entry.supervisor.connection.handleDatagram(bytes, 0, bytes.length, remote, now, ecn, socket)
    }
  }

  /** True when the connection had nothing more to send, false when its share of the turn is used up. */
  #write(entry: ConnectionEntry, now: number): boolean {
    const { connection } = entry.supervisor
    const batch = this.#batch
    if (this.#batchSocket !== entry.socket) this.#sendBatch()
    this.#batchSocket = entry.socket
    let datagrams = 0
    for (let operation = 0; operation < OPERATIONS_PER_TURN; operation++) {
      const added = connection.pollTransmit(batch, now)
      const isBarred = batch.isBarred
      if (batch.isFull || isBarred) this.#sendBatch()
      if (added === 0 && !isBarred) return true
      datagrams += added
      // The next call could exceed the share.
      if (datagrams > DATAGRAMS_PER_TURN - MAX_DATAGRAMS_PER_POLL) return false
      if (entry.isGone) return true
    }
    return false
  }

  #sendBatch(): void {
    const batch = this.#batch
    if (batch.count === 0 || this.#batchSocket === undefined) return
    this.#counters.datagramsSent += batch.count
    this.#counters.bytesSent += batch.used
    const socket = (batch.local as DatagramSocket | undefined) ?? this.#batchSocket
    socket.send(batch)
    batch.reset()
  }

  // --- timers: one per connection, left armed when its time only moves back ----------------------------------------

  #arm(entry: ConnectionEntry, at: number): void {
    if (entry.timer !== undefined) {
      if (entry.timer.at <= at) return
      this.#disarm(entry)
    }
    if (at === Number.POSITIVE_INFINITY) return
    this.#counters.timersArmed++
    entry.timer = this.#clock.setTimer(at, () => {
      entry.timer = undefined
      this.#counters.timersArmed--
      // A time that was moved back meanwhile costs one turn that finds nothing to do and arms the timer anew.
      this.markDirty(entry)
    })
  }

  #disarm(entry: ConnectionEntry): void {
    if (entry.timer === undefined) return
    this.#clock.clearTimer(entry.timer)
    entry.timer = undefined
    this.#counters.timersArmed--
  }

  #retryLater(entry: ConnectionEntry, now: number): void {
    this.#disarm(entry)
    this.#arm(entry, now + BLOCKED_SOCKET_DELAY)
  }
}
