// Several workers behind one port: the kernel spreads datagrams over them by address and port, so that a client whose
// address changes reaches another worker than the one that has its connection. The connection ID says which one that
// is (worker-ids.ts), and the datagram is handed over (the draft on QUIC load balancers, "Server Process
// Demultiplexing", first proposal). A part of arrivals.ts, asked only about datagrams of no connection here; absent on
// a server without workers.
//
//   kernel -> worker A: no connection here, the ID names B -> send() -> worker B: takeOver() -> its connection
import type { RemoteAddress } from '../transport/connection/index.ts'
import { CONNECTION_ID_LENGTH, LED_FLIGHT_TIME, MAX_LED_FLIGHTS } from './limits.ts'
import { NO_WORKER, type WorkerIds } from './worker-ids.ts'

/** What makes an endpoint one of several workers. */
export interface WorkerRole {
  /** Number of this worker, from 0. */
  readonly index: number
  readonly count: number
  /** Wall-clock time, ms: tokens of this worker's number that are older were made, and perhaps used, by its forerunner. */
  readonly since: number
  /**
   * Hands a datagram to another worker; the buffer is borrowed. False when it was dropped, which counts as lost.
   * @param socket number of the socket that it came by: all workers have the same ones
   */
  send(
    worker: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
  ): boolean
}

/** Numbers of the counters that belong to this. */
export interface HandOverCounters {
  handedOver: number
  handOverDropped: number
  takenOver: number
}

interface LedFlight {
  readonly worker: number
  /** ms */
  readonly since: number
}

const LONG_HEADER = 0x80
/** First byte, version, and the length of the destination connection ID. */
const LONG_ID_AT = 6

export class HandOver {
  readonly ids: WorkerIds
  readonly #role: WorkerRole
  readonly #counters: HandOverCounters
  /** First flights that were led to another worker, by the ID that the client chose; oldest first. */
  readonly #led = new Map<string, LedFlight>()
  /** The datagram at hand was handed over: it is not handed on, whatever it says. */
  #isArriving = false

  constructor(role: WorkerRole, ids: WorkerIds, counters: HandOverCounters) {
    this.#role = role
    this.ids = ids
    this.#counters = counters
  }

  /** First flights that are being led. */
  get size(): number {
    return this.#led.size
  }

  /**
   * Hands a datagram over when its connection is another worker's.
   * @returns whether that is so; it is dropped when that worker cannot take it
   */
  take(
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
    now: number,
  ): boolean {
    if (this.#isArriving) return false
    const worker = this.#workerFor(buffer, start, end, now)
    if (worker === NO_WORKER || worker === this.#role.index || worker >= this.#role.count) return false
    this.#send(worker, buffer, start, end, remote, socket, ecn)
    return true
  }

  /** Calls `deliver` for a datagram that another worker handed over. */
  arrive(deliver: () => void): void {
    this.#counters.takenOver++
    this.#isArriving = true
    try {
      deliver()
    } finally {
      this.#isArriving = false
    }
  }

  /**
   * Leads the first flight of a returning client to the worker that gave it its token and ticket: that one alone knows
   * whether they were used (RFC 8446 section 8.1). Its 0-RTT packets bear no token, so the ID is remembered.
   * What else has come of the flight is for take().
   * @param destination connection ID that the client chose
   * @param buffer with its Initial packet
   * @returns false when that cannot be done; the flight then belongs here
   */
  lead(
    worker: number,
    destination: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
    now: number,
  ): boolean {
    const { index, count } = this.#role
    this.#forgetOld(now)
    if (this.#isArriving || worker === index || worker >= count || this.#led.size >= MAX_LED_FLIGHTS)
      return false
    if (!this.#send(worker, buffer, start, end, remote, socket, ecn)) return false
    this.#led.set(keyOf(destination, 0, destination.length), { worker, since: now })
    return true
  }

  #workerFor(buffer: Uint8Array, start: number, end: number, now: number): number {
    const isLong = (buffer[start] & LONG_HEADER) !== 0
    const at = isLong ? start + LONG_ID_AT : start + 1
    if (at > end) return NO_WORKER
    const length = isLong ? buffer[at - 1] : CONNECTION_ID_LENGTH
    if (at + length > end) return NO_WORKER
    if (isLong && this.#led.size > 0) {
      this.#forgetOld(now)
      const led = this.#led.get(keyOf(buffer, at, length))
      if (led !== undefined) return led.worker
    }
    return length === CONNECTION_ID_LENGTH ? this.ids.workerOf(buffer, at) : NO_WORKER
  }

  #send(
    worker: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
  ): boolean {
    const isTaken = this.#role.send(worker, buffer, start, end, remote, socket, ecn)
    if (isTaken) this.#counters.handedOver++
    else this.#counters.handOverDropped++
    return isTaken
  }

  #forgetOld(now: number): void {
    for (const [key, { since }] of this.#led) {
      if (now - since < LED_FLIGHT_TIME) return
      this.#led.delete(key)
    }
  }
}

function keyOf(buffer: Uint8Array, start: number, length: number): string {
  return Buffer.from(buffer.buffer, buffer.byteOffset + start, length).toString('latin1')
}
