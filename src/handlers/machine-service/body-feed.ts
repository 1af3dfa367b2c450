// The request's body as events of a machine, at the machine's pace: nothing is taken from the stream while either the
// machine or the response holds it, so the client's window closes. Made by service-run.ts.
import { CancelledError, type Exchange } from '../exchange.ts'
import { Waiter } from '../waiter.ts'
import type { ServiceEvent } from './service-events.ts'

/** Who may hold the feed: both have to let go. */
type Holder = 'machine' | 'response'

export class BodyFeed {
  readonly #exchange: Exchange
  readonly #send: (event: ServiceEvent) => void
  readonly #fail: (error: unknown) => void
  readonly #holders = new Set<Holder>()
  #gate: Waiter<void> | undefined
  #isStopped = false

  constructor(exchange: Exchange, send: (event: ServiceEvent) => void, fail: (error: unknown) => void) {
    this.#exchange = exchange
    this.#send = send
    this.#fail = fail
  }

  start(): void {
    this.#run().catch((error: unknown) => {
      // Cancellation reaches the machine as an event of its own.
      if (!(error instanceof CancelledError)) this.#fail(error)
    })
  }

  hold(holder: Holder): void {
    this.#holders.add(holder)
  }

  release(holder: Holder): void {
    this.#holders.delete(holder)
    if (this.#holders.size === 0) this.#open()
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#isStopped = true
    this.#open()
  }

  #open(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  async #run(): Promise<void> {
    const chunks = this.#exchange.body[Symbol.asyncIterator]()
    await this.#pass()
    while (!this.#isStopped) {
      const result = await chunks.next()
      await this.#pass()
      if (this.#isStopped) return
      if (result.done) break
      this.#send({ type: 'body.chunk', chunk: result.value })
      await this.#pass()
    }
    if (this.#isStopped) return
    const { trailers } = this.#exchange
    if (trailers.length > 0) this.#send({ type: 'body.trailers', trailers: headersOf(trailers) })
    if (!this.#isStopped) this.#send({ type: 'body.end' })
  }

  async #pass(): Promise<void> {
    while (this.#holders.size > 0 && !this.#isStopped) {
      this.#gate ??= new Waiter()
      await this.#gate.promise
    }
  }
}

function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers()
  for (let index = 0; index < fields.length; index += 2) headers.append(fields[index], fields[index + 1])
  return headers
}
