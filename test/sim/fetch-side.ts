// The simulated server's handlers once more, as web-standard fetch handlers. Used by server-side.ts.
import { countText, type Order, orderOf, PlannedCrash, sleep } from './order.ts'
import { PatternChecker, patternBytes } from './pattern.ts'
import type { VirtualClock } from './virtual-clock.ts'

export class FetchSide {
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  handle = (request: Request): Response | Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    const order = orderOf(pathname + search)
    switch (order.kind) {
      case 'echo':
        return new Response(request.body)
      case 'upload':
        return this.#count(request, order)
      case 'head':
        return new Response(null, { headers: { 'content-length': String(order.bytes) } })
      case 'empty':
        return new Response(null, { status: 204 })
      case 'earlyAnswer':
        return new Response('too much', { status: 413 })
      case 'crash':
        return this.#crash(order)
      case 'endless':
        return new Response(this.#body(order, Number.POSITIVE_INFINITY))
      case 'dribble':
        return new Response(this.#body(order, order.bytes))
      default:
        return new Response(patternBytes(order.key, 0, order.bytes) as Uint8Array<ArrayBuffer>)
    }
  }

  async #count(request: Request, { key, pause }: Order): Promise<Response> {
    const checker = new PatternChecker(key)
    for await (const chunk of request.body ?? []) {
      checker.add(chunk)
      if (pause > 0) await sleep(this.#clock, pause)
    }
    return new Response(countText(checker.received, checker.firstDifference))
  }

  #body({ key, piece, pause }: Order, end: number, failure?: Error): ReadableStream<Uint8Array> {
    let sent = 0
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (sent >= end) {
          if (failure === undefined) controller.close()
          else controller.error(failure)
          return
        }
        if (pause > 0) await sleep(this.#clock, pause)
        const bytes = patternBytes(key, sent, Math.min(piece, end - sent))
        sent += bytes.length
        controller.enqueue(bytes)
      },
    })
  }

  #crash(order: Order): Response {
    if (order.key % 2 === 0) throw new PlannedCrash('before the response')
    return new Response(this.#body(order, Math.floor(order.bytes / 2), new PlannedCrash('in the middle')))
  }
}
