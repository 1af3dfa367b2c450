// Handlers that do everything wrong that a handler can do, chosen by the path of the request. Used by chaos.ts.
import type { Exchange, ExchangeHandler } from '../../src/handlers/exchange.ts'
import { type FetchHandler, fetchHandler } from '../../src/handlers/fetch-handler.ts'
import { PlannedCrash, sleep } from './order.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Longest time that a handler which ignores everything goes on, ms. */
export const LONGEST_DEAFNESS = 40_000

type Faults = Record<string, ExchangeHandler>

async function readAll(exchange: Exchange): Promise<void> {
  for await (const _chunk of exchange.body);
}

async function writeFor(exchange: Exchange, pieces: number): Promise<void> {
  for (let piece = 0; piece < pieces; piece++) {
    const room = exchange.write(new Uint8Array(8_000))
    if (room !== undefined) await room
  }
}

function streamOf(
  clock: VirtualClock,
  pieces: number,
  failure: Error | undefined,
): ReadableStream<Uint8Array> {
  let left = pieces
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sleep(clock, 3)
      if (left-- > 0) controller.enqueue(new Uint8Array(5_000))
      else if (failure === undefined) controller.close()
      else controller.error(failure)
    },
    cancel() {
      if (failure !== undefined) throw failure
    },
  })
}

function exchangeFaults(clock: VirtualClock): Faults {
  return {
    answer: (exchange) => exchange.respond(200, [], 'answer'),
    answerLate: async (exchange) => {
      await sleep(clock, 200)
      exchange.respond(200, [], 'answer')
    },
    echo: async (exchange) => {
      exchange.begin(200)
      for await (const chunk of exchange.body) await exchange.write(chunk)
      exchange.end()
    },
    large: async (exchange) => {
      exchange.begin(200)
      await writeFor(exchange, 30)
      exchange.end()
    },
    throws: () => {
      throw new PlannedCrash()
    },
    rejects: async () => {
      await sleep(clock, 20)
      throw new PlannedCrash()
    },
    throwsMidway: async (exchange) => {
      exchange.begin(200)
      await writeFor(exchange, 4)
      throw new PlannedCrash()
    },
    throwsAfterReading: async (exchange) => {
      await readAll(exchange)
      throw new PlannedCrash()
    },
    noResponse: readAll,
    halfResponse: async (exchange) => {
      exchange.begin(200)
      await writeFor(exchange, 2)
    },
    tooLong: (exchange) => exchange.respond(200, ['content-length', '2'], 'three'),
    badField: (exchange) => exchange.respond(200, ['x', 'a\r\nb']),
    lateReject: async (exchange) => {
      exchange.respond(200, [], 'whole')
      await sleep(clock, 10)
      throw new PlannedCrash()
    },
    writesAfterEnd: async (exchange) => {
      exchange.respond(200, [], 'whole')
      await sleep(clock, 10)
      exchange.write('more')
    },
    hangs: (exchange) =>
      new Promise((_resolve, reject) => {
        exchange.onCancel = reject
      }),
    deaf: () => sleep(clock, LONGEST_DEAFNESS),
    deafInTheMiddle: async (exchange) => {
      exchange.begin(200)
      exchange.write(new Uint8Array(10_000))
      await sleep(clock, LONGEST_DEAFNESS)
    },
    readsAfterwards: async (exchange) => {
      try {
        await readAll(exchange)
      } finally {
        await exchange.body[Symbol.asyncIterator]()
          .next()
          .catch(() => {})
        exchange.respond(200, [], 'too late, perhaps')
      }
    },
    handsOn: (exchange) => {
      // Somebody else goes on with it when the handler is over.
      void sleep(clock, 30).then(() => {
        exchange.respond(500)
        exchange.write('stray')?.catch(() => {})
        exchange.end()
      })
      exchange.respond(200, [], 'whole')
    },
  }
}

function fetchFaults(clock: VirtualClock): Record<string, FetchHandler> {
  return {
    fetchAnswer: () => new Response('answer'),
    fetchEcho: (request) => new Response(request.body),
    fetchThrows: () => {
      throw new PlannedCrash()
    },
    fetchBody: () => new Response(streamOf(clock, 10, undefined)),
    fetchBodyFails: () => new Response(streamOf(clock, 4, new PlannedCrash())),
    fetchIgnoresBody: (request) => {
      void request.text()
      return new Response(streamOf(clock, 4, undefined))
    },
    fetchHangs: (request) =>
      new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason))
      }),
    fetchNoResponse: () => undefined as unknown as Response,
  }
}

export class FaultyHandlers {
  readonly kinds: readonly string[]
  readonly #faults: Faults

  constructor(clock: VirtualClock) {
    this.#faults = exchangeFaults(clock)
    for (const [kind, handler] of Object.entries(fetchFaults(clock))) {
      this.#faults[kind] = fetchHandler(handler)
    }
    this.kinds = Object.keys(this.#faults)
  }

  /** Handles `/fault/KIND`. */
  handle = (exchange: Exchange): void | Promise<void> => {
    const kind = exchange.path.slice('/fault/'.length)
    return this.#faults[kind]!(exchange)
  }
}
