// The life of one request's handler, whatever kind of handler it is. The connection supervisor registers it,
// handlers/ extends it. Any code of the user runs inside start(), so that no throw and no rejection gets past it.
//
//              start()
//                 |
//                 v        peer reset, stop,            1 s later
//            +---------+   deadline, closing   +-----------+   +-----+
//            | running | --------------------> | cancelled | > | cut |
//            +---------+                       +-----------+   +-----+
//      returned | | threw, rejected,                 |            |
//      whole    | | response not whole               | returned,  |
//      response | |                                  | threw ...  |
//               v v                                  v            v
//             ended (a crash resets the stream: H3_INTERNAL_ERROR)
//
// An error after the whole response has been handed over is reported, and resets nothing: the client keeps what it
// was promised. An error from a callback that the handler left behind (handleStray) is a crash while it runs.

import { H3ErrorCode, type RequestStream, type RequestStreamEvents } from '../http3/index.ts'
import type { InspectionHub } from '../machines/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { DatagramChannel } from './datagram-channel.ts'

export const HandlerPhase = { running: 0, cancelled: 1, cut: 2, ended: 3 } as const

/** Why a handler was told to stop. */
export type CancelReason =
  | 'peerReset'
  | 'peerStopped'
  | 'deadline'
  | 'streamClosed'
  | 'connectionClosed'
  | 'crashed'
  | 'handlerReset'

/** What the handler's supervisor does for it. */
export interface HandlerOwner {
  /** Monotonic time, ms. */
  now(): number
  /** The handler is over; called once, after the stream has been told. */
  handleHandlerEnd(handler: HandlerActor): void
  /** The handler broke; the stream is reset when this returns. */
  handleHandlerCrash(handler: HandlerActor, error: unknown): void
  /** The handler failed when its response was whole, or when it was over: nothing is reset. */
  handleLateFault(handler: HandlerActor, error: unknown): void
  /** Code of ours threw where nobody else can catch it. */
  handleDefect(error: unknown): void
  /** The handler had not begun a response at its deadline. */
  handleHandlerHang(handler: HandlerActor): void
  /** Where machines of the handler can be watched. */
  readonly inspection: InspectionHub
  /** Time for machines of the handler. */
  readonly clock: Clock
  /** The datagram channel of a live request stream, opened on first use. */
  datagramChannel(id: number): DatagramChannel | undefined
}

export abstract class HandlerActor implements RequestStreamEvents {
  readonly request: RequestStream
  readonly startedAt: number
  phase: number = HandlerPhase.running
  /** When the handler was cancelled, ms; only meaningful from then on. */
  cancelledAt = 0
  /** Time to begin a response that is this handler's own, ms; 0 = as the server's settings say. */
  deadline = 0
  /** Error code with which the peer cancelled, -1 when it did not. */
  peerCode = -1
  #resetCode: number = H3ErrorCode.H3_REQUEST_CANCELLED
  protected readonly owner: HandlerOwner

  constructor(request: RequestStream, owner: HandlerOwner) {
    this.request = request
    this.owner = owner
    this.startedAt = owner.now()
  }

  /** Runs the user's code. A promise keeps the handler alive until it settles. */
  protected abstract run(): void | PromiseLike<void>
  /** Tells the user's code: abort signal, waiting reads and writes. */
  protected abstract deliverCancel(reason: CancelReason): void
  /** Tells the user's code that its grace is over: the stream has been reset. */
  protected abstract deliverCut(): void
  /** Tells the user's code that its connection takes no further requests. */
  protected abstract deliverDrain(): void

  abstract handleBodyReadable(): void
  abstract handleBodyEnd(): void
  abstract handleWritable(): void

  /** Called once by the supervisor, after it has registered the handler. */
  start(): void {
    try {
      const outcome = this.run()
      if (outcome === undefined) this.#finish()
      else
        Promise.resolve(outcome)
          .then(this.#finish, this.#fail)
          .catch((error: unknown) => this.owner.handleDefect(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Asks the handler to stop; `resetCode` is what the stream is reset with if the response stays unfinished. */
  cancel(reason: CancelReason, resetCode: number): void {
    if (this.phase !== HandlerPhase.running) return
    this.phase = HandlerPhase.cancelled
    this.cancelledAt = this.owner.now()
    this.#resetCode = resetCode
    try {
      this.deliverCancel(reason)
    } catch {
      // An abort listener of the user that throws changes nothing: the handler is being stopped already.
    }
  }

  /** An error of the user's code that came from a timer, a listener or a promise that nobody waits for. */
  handleStray(error: unknown): void {
    if (this.phase !== HandlerPhase.running || this.#isAnswered) {
      this.owner.handleLateFault(this, error)
      return
    }
    this.owner.handleHandlerCrash(this, error)
    this.request.reset(H3ErrorCode.H3_INTERNAL_ERROR)
    // It ends when what it waits for has told it to.
    this.cancel('crashed', H3ErrorCode.H3_INTERNAL_ERROR)
  }

  /** Looks at the deadlines; called about once a second. Times in ms. */
  sweep(now: number, deadline: number, grace: number): void {
    if (this.phase === HandlerPhase.running) {
      if (this.request.isHeadSent || now - this.startedAt < (this.deadline || deadline)) return
      this.owner.handleHandlerHang(this)
      this.cancel('deadline', H3ErrorCode.H3_INTERNAL_ERROR)
    } else if (this.phase === HandlerPhase.cancelled && now - this.cancelledAt >= grace) {
      this.cut()
    }
  }

  /** Resets the stream of a handler that does not stop; it stays registered until it really ends. */
  cut(): void {
    if (this.phase >= HandlerPhase.cut) return
    this.phase = HandlerPhase.cut
    this.#resetUnfinished()
    try {
      this.deliverCut()
    } catch (error) {
      this.owner.handleLateFault(this, error)
    }
  }

  /** The connection drains: the handler may finish, and may hurry. */
  handleDrain(): void {
    if (this.phase !== HandlerPhase.running) return
    try {
      this.deliverDrain()
    } catch (error) {
      this.handleStray(error)
    }
  }

  /** The handler gives its response up: both directions are reset with `code` at once. */
  resetByHandler(code: number): void {
    if (this.phase !== HandlerPhase.running) return
    this.request.reset(code)
    this.cancel('handlerReset', code)
  }

  /** The peer gave up its request (RFC 9114 section 4.1.1): nobody waits for the response. */
  handleReset(code: number, isLocal: boolean): void {
    if (!isLocal) this.peerCode = code
    this.cancel('peerReset', H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  handleStopSending(code: number): void {
    this.peerCode = code
    this.cancel('peerStopped', H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  /** The stream is over. A handler that still runs has nothing left to write to, or to read from. */
  handleClosed(_outcome: 'closed' | 'reset'): void {
    this.cancel('streamClosed', H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  #finish = (): void => {
    if (this.phase === HandlerPhase.ended) return
    if (this.phase === HandlerPhase.running && !this.#isAnswered) {
      this.#fail(new Error('the handler ended without a whole response'))
      return
    }
    this.#end()
  }

  #fail = (error: unknown): void => {
    if (this.phase === HandlerPhase.ended) return
    // After a cancellation an error is the expected way out, not a crash.
    if (this.phase === HandlerPhase.running) {
      if (this.#isAnswered) this.owner.handleLateFault(this, error)
      else {
        this.owner.handleHandlerCrash(this, error)
        this.request.reset(H3ErrorCode.H3_INTERNAL_ERROR)
        this.phase = HandlerPhase.cut
      }
    }
    this.#end()
  }

  /** The whole response is with the transport. One that broke its own content-length is reset instead. */
  get #isAnswered(): boolean {
    return this.request.isEnded && !this.request.isReset
  }

  #end(): void {
    if (this.phase === HandlerPhase.cancelled) this.#resetUnfinished()
    this.phase = HandlerPhase.ended
    this.owner.handleHandlerEnd(this)
  }

  #resetUnfinished(): void {
    // A response that the peer has stopped is reset already; the request that nobody will read still has to go.
    if (!this.request.isEnded || this.request.isReset) this.request.reset(this.#resetCode)
  }
}
