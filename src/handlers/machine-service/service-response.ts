// The response of a machine service as an object, for logic that calls instead of emitting. One per request, made by
// service-run.ts; emitted events go through it as well, so that there is one way out.
import { type Exchange, quietly } from '../exchange.ts'
import { sendResponse } from '../fetch-handler.ts'
import type { FieldsInit, ResponseEvent, ResponseHead, ServiceOutput } from './service-events.ts'

/** Told when the client reads too slowly, and when it has caught up. */
export interface PaceListener {
  handlePause(): void
  handleResume(): void
}

/** Flat list of fields with names in lower case. */
function flatFields(init: FieldsInit | undefined): string[] {
  if (init === undefined) return []
  const fields: string[] = []
  const entries = init instanceof Headers || Array.isArray(init) ? init : Object.entries(init)
  for (const [name, value] of entries as Iterable<readonly [string, string]>)
    fields.push(name.toLowerCase(), String(value))
  return fields
}

/** Writes the response of a machine service; what it does is what the actions of the same names do. */
export class ServiceResponse {
  readonly #exchange: Exchange
  readonly #pace: PaceListener
  #isPaused = false

  constructor(exchange: Exchange, pace: PaceListener) {
    this.#exchange = exchange
    this.#pace = pace
  }

  /** False between `response.pause` and `response.resume`. */
  get hasRoom(): boolean {
    return !this.#isPaused
  }

  /** The head has been sent. */
  get isBegun(): boolean {
    return this.#exchange.isHeadSent
  }

  /** The response is whole, or has been given up. */
  get isEnded(): boolean {
    return this.#exchange.isEnded
  }

  /** Sends an interim response, e.g. 103 with `link` fields (RFC 8297). Throws TypeError after the head. */
  informational(status: number, headers?: FieldsInit): void {
    this.#exchange.inform(status, flatFields(headers))
  }

  /** Sends the head. Throws TypeError when it was sent already, or for fields that HTTP does not allow. */
  head({ status = 200, headers }: ResponseHead = {}): void {
    this.#exchange.begin(status, flatFields(headers))
  }

  /** Sends a piece of the body, after a head with status 200 if none was sent. Bytes are kept by reference. */
  chunk(chunk: Uint8Array | string): void {
    if (!this.#exchange.isHeadSent) this.head()
    const room = this.#exchange.write(chunk)
    if (room !== undefined) this.#wait(room)
  }

  /** Sends trailers; the end follows. */
  trailers(fields: FieldsInit): void {
    this.#exchange.sendTrailers(flatFields(fields))
  }

  /** Ends the response, after a last piece. */
  end(chunk?: Uint8Array | string): void {
    if (!this.#exchange.isHeadSent) this.#exchange.respond(200, [], chunk)
    else this.#exchange.end(chunk)
  }

  /** Gives both directions up. `code` as in RFC 9114 section 8.1, default H3_INTERNAL_ERROR. */
  reset(code?: number): void {
    this.#exchange.reset(code)
  }

  /** Sends an HTTP datagram. Throws RangeError when it is too large, TypeError where there are none. */
  datagram(payload: Uint8Array): void {
    const { datagrams } = this.#exchange
    if (datagrams === undefined) throw new TypeError('this request has no datagrams')
    datagrams.send(payload)
  }

  /** Does what an emitted event says; events of other types are none of the response's business. */
  perform(event: ResponseEvent): void {
    if (this.#exchange.isEnded) return
    if (event.type === 'response.chunk') this.chunk(event.chunk)
    else if (event.type === 'response.head') this.head(event)
    else if (event.type === 'response.end') this.end(event.chunk)
    else if (event.type === 'response.informational') this.informational(event.status, event.headers)
    else if (event.type === 'response.trailers') this.trailers(event.trailers)
    else if (event.type === 'response.reset') this.reset(event.code)
    else if (event.type === 'datagram.send') this.datagram(event.payload)
  }

  /** The machine is done: its output is the response, or what is missing of it. */
  complete(output: ServiceOutput): void | Promise<void> {
    if (this.#exchange.isEnded) return
    if (output === undefined) {
      if (!this.#exchange.isHeadSent) throw new TypeError('the machine ended without a response')
      this.#exchange.end()
    } else if (output instanceof Response) return sendResponse(this.#exchange, output)
    else if (typeof output === 'string') this.#complete({ headers: TEXT }, output)
    else if (output instanceof Uint8Array) this.#complete({}, output)
    else this.#complete(output, output.body)
  }

  #complete(head: ResponseHead, body: Uint8Array | string | undefined): void {
    if (this.#exchange.isHeadSent) this.#exchange.end(body)
    else this.#exchange.respond(head.status ?? 200, flatFields(head.headers), body)
  }

  #wait(room: Promise<void>): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#pace.handlePause()
    // Cancelled while waiting: the machine hears of that by another event.
    quietly(room.then(this.#resume))
  }

  #resume = (): void => {
    this.#isPaused = false
    this.#pace.handleResume()
  }
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' } as const
