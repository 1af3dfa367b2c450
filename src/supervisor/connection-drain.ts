// Takes one connection out of service without cutting a request that was promised an answer.
// RFC 9114 section 5.2. Created by connection-supervisor.ts.
//
//   GOAWAY(2^62-4)      GOAWAY(next id)              idle, or 10 s       CONNECTION_CLOSE(H3_NO_ERROR)
//   announced ---------> finishing ---------------------------------------> closed
//             max(1 s, RTT)          later requests: H3_REQUEST_REJECTED
import { H3ErrorCode } from '../http3/index.ts'
import type { TimerHandle } from '../transport/io/clock.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import type { SupervisionServices } from './supervision.ts'

const Step = { announced: 0, finishing: 1, closed: 2 } as const

export class ConnectionDrain {
  readonly #supervisor: ConnectionSupervisor
  readonly #services: SupervisionServices
  #step: number = Step.announced
  #timer: TimerHandle | undefined

  constructor(supervisor: ConnectionSupervisor, services: SupervisionServices) {
    this.#supervisor = supervisor
    this.#services = services
  }

  start(): void {
    const { application, connection, isHandshakeComplete } = this.#supervisor
    if (!isHandshakeComplete || application.announceDrain === undefined) {
      this.#close()
      return
    }
    application.announceDrain()
    const delay = Math.max(this.#services.settings.goawayDelay, connection.recovery.rtt.smoothed)
    this.#arm(delay, () => this.#finish())
  }

  /** The last request in the works has ended. */
  handleIdle(): void {
    if (this.#step === Step.finishing) this.#close()
  }

  /** The connection is gone, by whatever way. */
  stop(): void {
    this.#disarm()
    this.#step = Step.closed
  }

  #finish(): void {
    this.#step = Step.finishing
    this.#supervisor.application.finishDrain?.()
    if (this.#supervisor.isIdle) this.#close()
    else this.#arm(this.#services.settings.drainDeadline, () => this.#close())
  }

  #close(): void {
    this.stop()
    this.#services.counters.handlersCut += this.#supervisor.runningHandlers
    this.#supervisor.connection.close(H3ErrorCode.H3_NO_ERROR, 'server is going away', { application: true })
  }

  #arm(delay: number, callback: () => void): void {
    const clock = this.#services.clock
    this.#services.counters.timersArmed++
    this.#timer = clock.setTimer(clock.now() + delay, () => {
      this.#services.counters.timersArmed--
      this.#timer = undefined
      callback()
    })
  }

  #disarm(): void {
    if (this.#timer === undefined) return
    this.#services.clock.clearTimer(this.#timer)
    this.#services.counters.timersArmed--
    this.#timer = undefined
  }
}
