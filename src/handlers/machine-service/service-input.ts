// What a service's machine is given. One object per request; whatever costs something is made when it is asked for.
// Made by service-run.ts.
import type { Exchange } from '../exchange.ts'
import { requestOf, type ServerRequest } from '../lazy-request.ts'
import type { ServiceInput, ServiceStream } from './service-events.ts'
import type { ServiceResponse } from './service-response.ts'

export class RunInput implements ServiceInput, ServiceStream {
  readonly response: ServiceResponse
  readonly #exchange: Exchange
  #request: ServerRequest | undefined

  constructor(exchange: Exchange, response: ServiceResponse) {
    this.#exchange = exchange
    this.response = response
  }

  get request(): ServerRequest {
    this.#request ??= requestOf(this.#exchange)
    return this.#request
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  get stream(): ServiceStream {
    return this
  }

  get protocol(): ServiceStream['protocol'] {
    return this.#exchange.protocol
  }

  get remote(): ServiceStream['remote'] {
    return this.#exchange.remote
  }

  get maxDatagramPayload(): number {
    return this.#exchange.datagrams?.maxPayload ?? 0
  }

  /** A snapshot that contains its request says so instead of storing what cannot be restored. */
  toJSON(): never {
    throw new TypeError('the input of a service cannot be stored: keep what is needed of it in the context')
  }
}
