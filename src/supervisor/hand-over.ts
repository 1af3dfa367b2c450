// Several workers behind one port: the kernel spreads datagrams over them by address and port, so that a client whose
// address changes reaches another worker than the one that has its connection. The connection ID says which one that
// is (worker-ids.ts), and the datagram is handed over (the draft on QUIC load balancers, "Server Process
// Demultiplexing", first proposal). A part of arrivals.ts, asked only about datagrams of no connection here; absent on
// a server without workers.
//
//   kernel -> worker A: no connection here, the ID names B -> send() -> worker B: takeOver() -> its connection
import type { RemoteAddress } from '../transport/connection/index.ts'
import { CONNECTION_ID_LENGTH } from './limits.ts'
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

const LONG_HEADER = 0x80
/** First byte, version, and the length of the destination connection ID. */
const LONG_ID_AT = 6

export class HandOver {
  readonly ids: WorkerIds
  readonly #role: WorkerRole
  readonly #counters: HandOverCounters
  /** The datagram at hand was handed over: it is not handed on, whatever it says. */
  #isArriving = false

  constructor(role: WorkerRole, ids: WorkerIds, counters: HandOverCounters) {
    this.#role = role
    this.ids = ids
    this.#counters = counters
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
  ): boolean {
    if (this.#isArriving) return false
    const worker = this.#workerFor(buffer, start, end)
    if (worker === NO_WORKER || worker === this.#role.index || worker >= this.#role.count) return false
    if (this.#role.send(worker, buffer, start, end, remote, socket, ecn)) this.#counters.handedOver++
    else this.#counters.handOverDropped++
    return true
  }

  /** What is received from now on was handed over by another worker, until end(). */
  begin(): void {
    this.#counters.takenOver++
    this.#isArriving = true
  }

  end(): void {
    this.#isArriving = false
  }

  #workerFor(buffer: Uint8Array, start: number, end: number): number {
    const isLong = (buffer[start] & LONG_HEADER) !== 0
    const at = isLong ? start + LONG_ID_AT : start + 1
    if (at > end) return NO_WORKER
    const length = isLong ? buffer[at - 1] : CONNECTION_ID_LENGTH
    if (at + length > end) return NO_WORKER
    return length === CONNECTION_ID_LENGTH ? this.ids.workerOf(buffer, at) : NO_WORKER
  }
}
