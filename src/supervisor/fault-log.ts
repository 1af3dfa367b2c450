// What has gone wrong with handlers, and what was done about it: handed to the server's reporter, and the latest kept for
// whoever looks later (the inspector). One per endpoint; written by connection-supervisor.ts and endpoint.ts.
import type { HandlerActor } from './handler-actor.ts'
import { LatestRing } from './latest-ring.ts'
import { FAULT_RING } from './limits.ts'
import type { HandlerFault } from './supervision.ts'

export interface RecordedFault extends HandlerFault {
  /** Counts from 1. */
  readonly number: number
  /** Of the endpoint's clock, ms. */
  readonly time: number
  /** Name of the connection, empty where there is none. */
  readonly connection: string
  readonly stream: number | undefined
  /** What became of the stream or connection, for people. */
  readonly outcome: string
}

export class FaultLog {
  /** Faults so far. */
  count = 0
  readonly #latest = new LatestRing<RecordedFault>(FAULT_RING)
  readonly #report: (fault: HandlerFault) => void
  readonly #now: () => number

  /** @param report never throws */
  constructor(report: (fault: HandlerFault) => void, now: () => number) {
    this.#report = report
    this.#now = now
  }

  /** @param handler whose fault it is; undefined for a defect of ours */
  record(
    kind: HandlerFault['kind'],
    error: unknown,
    outcome: string,
    connection = '',
    handler?: HandlerActor,
  ): void {
    const { method = '', path = '', id } = handler?.request ?? {}
    this.#report({ kind, method, path, error })
    this.count++
    const time = this.#now()
    this.#latest.push({
      number: this.count,
      time,
      kind,
      method,
      path,
      error,
      outcome,
      connection,
      stream: id,
    })
  }

  /** The latest ones, oldest first. */
  list(): readonly RecordedFault[] {
    return this.#latest.list()
  }
}
