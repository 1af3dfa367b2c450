// Takes a whole endpoint out of service: every connection drains, and whatever is left at the hard stop is cut.
// Used by endpoint.ts.
import { H3ErrorCode } from '../http3/index.ts'
import type { TimerHandle } from '../transport/io/clock.ts'
import type { Endpoint } from './endpoint.ts'

/** What became of the work that was at hand when the drain began. */
export interface DrainReport {
  /** Requests and handlers that ended by themselves. */
  readonly finished: number
  /** Requests and handlers that were cut off. */
  readonly cut: number
}

export class EndpointDrain {
  readonly finished: Promise<DrainReport>
  readonly #endpoint: Endpoint
  readonly #endedBefore: number
  readonly #cutBefore: number
  #hardStop: TimerHandle | undefined
  #resolve!: (report: DrainReport) => void

  /** @param hardStop ms from now */
  constructor(endpoint: Endpoint, hardStop: number) {
    this.#endpoint = endpoint
    this.#endedBefore = endpoint.counters.handlersEnded
    this.#cutBefore = endpoint.counters.handlersCut
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve
    })
    const { clock } = endpoint.options
    endpoint.counters.timersArmed++
    this.#hardStop = clock.setTimer(clock.now() + hardStop, () => this.#stopHard())
    for (const entry of [...endpoint.entries]) entry.supervisor.drain()
    this.handleGone()
  }

  /** A connection is gone. */
  handleGone(): void {
    if (this.#endpoint.entries.size > 0 || this.#hardStop === undefined) return
    this.#endpoint.options.clock.clearTimer(this.#hardStop)
    this.#end()
  }

  /** The peers are told; what is left after this turn is dropped. */
  #stopHard(): void {
    const { entries, counters, options } = this.#endpoint
    for (const { supervisor } of [...entries]) {
      counters.handlersCut += supervisor.runningHandlers
      supervisor.connection.close(H3ErrorCode.H3_NO_ERROR, 'server has stopped', { application: true })
    }
    options.clock.immediate(() => {
      for (const { supervisor } of [...entries]) supervisor.kill()
    })
  }

  #end(): void {
    this.#hardStop = undefined
    this.#endpoint.counters.timersArmed--
    const cut = this.#endpoint.counters.handlersCut - this.#cutBefore
    const ended = this.#endpoint.counters.handlersEnded - this.#endedBefore
    this.#resolve({ finished: Math.max(0, ended - cut), cut })
  }
}
