// The simulated server's handlers: each does what the path of the request says (workload.ts). The same requests
// are answered through the exchange API and through fetch; pauses are taken from the virtual clock.
import type { Exchange, ExchangeHandler } from '../../src/handlers/exchange.ts'
import { fetchHandler } from '../../src/handlers/fetch-handler.ts'
import type { H3Exchange } from '../../src/handlers/h3-exchange.ts'
import { FetchSide } from './fetch-side.ts'
import { countText, type Order, orderOf, PlannedCrash, sleep } from './order.ts'
import { PatternChecker, patternBytes } from './pattern.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Handlers on the exchange API. */
export class ServerSide {
  readonly #clock: VirtualClock
  readonly #fetch: ExchangeHandler

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.#fetch = fetchHandler(new FetchSide(clock).handle)
  }

  handle = (exchange: Exchange): void | Promise<void> => {
    const order = orderOf(exchange.path)
    if (order.isFetch) return this.#fetch(exchange)
    switch (order.kind) {
      case 'get':
      case 'cancelEarly':
      case 'cancelMiddle':
      case 'discard':
        return this.#send(exchange, order, ['content-length', String(order.bytes)])
      case 'dribble':
        return this.#send(exchange, order, [])
      case 'endless':
        exchange.begin(200)
        return this.#sendBody(exchange, order, Number.POSITIVE_INFINITY)
      case 'echo':
        return this.#echo(exchange)
      case 'upload':
        return this.#count(exchange, order)
      case 'head':
        return exchange.respond(200, ['content-length', String(order.bytes)])
      case 'empty':
        return exchange.respond(204)
      case 'hints':
        exchange.inform(103, ['link', '</style.css>; rel=preload'])
        return this.#send(exchange, order, [])
      case 'trailers':
        return this.#sendTrailers(exchange, order)
      case 'earlyAnswer':
        return exchange.respond(413, ['content-type', 'text/plain'], 'too much')
      case 'crash':
        return this.#crash(exchange, order)
      default:
        return exchange.respond(404)
    }
  }

  async #send(exchange: Exchange, order: Order, headers: string[]): Promise<void> {
    exchange.begin(200, headers)
    await this.#sendBody(exchange, order, order.bytes)
    exchange.end()
  }

  async #sendBody(exchange: Exchange, { key, piece, pause }: Order, end: number): Promise<void> {
    for (let sent = 0; sent < end; sent += piece) {
      const room = exchange.write(patternBytes(key, sent, Math.min(piece, end - sent)))
      if (room !== undefined) await room
      if (pause > 0) await sleep(this.#clock, pause)
    }
  }

  async #echo(exchange: Exchange): Promise<void> {
    exchange.begin(200)
    for await (const chunk of exchange.body) {
      const room = exchange.write(chunk)
      if (room !== undefined) await room
    }
    exchange.end()
  }

  async #count(exchange: Exchange, { key, pause }: Order): Promise<void> {
    const checker = new PatternChecker(key)
    for await (const chunk of exchange.body) {
      checker.add(chunk)
      if (pause > 0) await sleep(this.#clock, pause)
    }
    exchange.respond(200, [], countText(checker.received, checker.firstDifference))
  }

  async #sendTrailers(exchange: Exchange, order: Order): Promise<void> {
    const checker = new PatternChecker(order.key)
    for await (const chunk of exchange.body) checker.add(chunk)
    exchange.begin(200)
    await this.#sendBody(exchange, order, order.bytes)
    const { request } = exchange as H3Exchange
    request.sendTrailers(['x-received', countText(checker.received, checker.firstDifference)])
    exchange.end()
  }

  async #crash(exchange: Exchange, order: Order): Promise<void> {
    if (order.key % 2 === 0) throw new PlannedCrash('before the response')
    exchange.begin(200)
    await this.#sendBody(exchange, order, Math.floor(order.bytes / 2))
    throw new PlannedCrash('in the middle of the response')
  }
}
