// Everything that a handler can do wrong, as an exchange handler and as a fetch handler: what the client sees of it,
// what is counted, and that the streams beside it keep every byte (design: supervision).
import { describe, expect, it } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { fetchHandler } from '../../src/handlers/fetch-handler.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { FaultWorld, straysDuring } from './fault-world.ts'

const { H3_INTERNAL_ERROR, H3_NO_ERROR, H3_REQUEST_CANCELLED } = H3ErrorCode

/** What the client and the counters have to show. */
interface Outcome {
  /** RESET_STREAM of the response; undefined: it came whole. */
  readonly reset?: number
  /** STOP_SENDING for a request that is still being sent. */
  readonly stop?: number
  readonly crashed?: number
  readonly late?: number
  readonly hung?: number
}

const CRASH: Outcome = { reset: H3_INTERNAL_ERROR, stop: H3_INTERNAL_ERROR, crashed: 1 }
const ANSWERED: Outcome = {}

const broken = (): Error => new Error('planned')

function failingStream(pieces: number): ReadableStream<Uint8Array> {
  let left = pieces
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(1_000))
      else controller.error(broken())
    },
  })
}

const exchangeFaults: Record<string, [ExchangeHandler, Outcome]> = {
  throws: [
    () => {
      throw broken()
    },
    CRASH,
  ],
  rejects: [() => Promise.reject(broken()), CRASH],
  'rejects with something that is no error': [() => Promise.reject(null), CRASH],
  'throws after the response began': [
    (exchange) => {
      exchange.begin(200)
      exchange.write('half')
      throw broken()
    },
    CRASH,
  ],
  'rejects while it reads the body': [
    async (exchange) => {
      for await (const _chunk of exchange.body) throw broken()
    },
    CRASH,
  ],
  'ends without a response': [() => {}, CRASH],
  'ends in the middle of its response': [async (exchange) => exchange.begin(200), CRASH],
  'returns a thenable that throws': [
    () =>
      ({
        // biome-ignore lint/suspicious/noThenProperty: the fault under test
        then: () => {
          throw broken()
        },
      }) as unknown as Promise<void>,
    CRASH,
  ],
  'writes more than its content-length': [
    (exchange) => {
      exchange.begin(200, ['content-length', '3'])
      exchange.write('four')
      exchange.end()
    },
    CRASH,
  ],
  'writes less than its content-length': [
    (exchange) => exchange.respond(200, ['content-length', '5'], 'four'),
    CRASH,
  ],
  'swallows that its body was too long': [
    (exchange) => {
      try {
        exchange.respond(200, ['content-length', '3'], 'four')
      } catch {
        // As if nothing had happened.
      }
    },
    CRASH,
  ],
  'sends a field value with CR and LF': [(exchange) => exchange.respond(200, ['x', 'a\r\nb: c']), CRASH],
  'rejects after end': [
    async (exchange) => {
      exchange.respond(200, [], 'whole')
      await Promise.resolve()
      throw broken()
    },
    { ...ANSWERED, late: 1 },
  ],
  'throws after end': [
    (exchange) => {
      exchange.respond(200, [], 'whole')
      throw broken()
    },
    { ...ANSWERED, late: 1 },
  ],
  'never reads the body': [(exchange) => exchange.respond(200, [], 'whole'), ANSWERED],
  'writes after end': [
    (exchange) => {
      exchange.respond(200, [], 'whole')
      exchange.write('more')
    },
    { ...ANSWERED, late: 1 },
  ],
  'responds twice': [
    (exchange) => {
      exchange.respond(200, [], 'whole')
      exchange.respond(500)
    },
    { ...ANSWERED, late: 1 },
  ],
  'ends twice': [
    (exchange) => {
      exchange.respond(200, [], 'whole')
      exchange.end()
    },
    ANSWERED,
  ],
  'reads the body twice at the same time': [
    async (exchange) => {
      const body = exchange.body[Symbol.asyncIterator]()
      await body.next()
      const first = body.next()
      const second = body.next()
      first.catch(() => {})
      await second
    },
    CRASH,
  ],
  'hangs, and stops when told to': [
    (exchange) =>
      new Promise((_resolve, reject) => {
        exchange.signal.addEventListener('abort', () => reject(exchange.signal.reason))
      }),
    { reset: H3_INTERNAL_ERROR, stop: H3_INTERNAL_ERROR, hung: 1 },
  ],
  'hangs while it reads': [
    async (exchange) => {
      for await (const _chunk of exchange.body);
      exchange.respond(200)
    },
    { reset: H3_INTERNAL_ERROR, stop: H3_INTERNAL_ERROR, hung: 1 },
  ],
  'begins to read and does not wait for it': [
    (exchange) => {
      const body = exchange.body[Symbol.asyncIterator]()
      for (let read = 0; read < 3; read++) body.next()
      exchange.respond(200, [], 'whole')
    },
    ANSWERED,
  ],
}

const never = new Promise<never>(() => {})

const fetchFaults: Record<string, [(request: Request) => Response | Promise<Response>, Outcome]> = {
  throws: [
    () => {
      throw broken()
    },
    CRASH,
  ],
  rejects: [() => Promise.reject(broken()), CRASH],
  'returns something that is no Response': [() => 'hello' as unknown as Response, CRASH],
  'returns a Response whose body was read': [
    async () => {
      const response = new Response('x')
      await response.text()
      return response
    },
    CRASH,
  ],
  'its body fails before its first piece': [() => new Response(failingStream(0)), CRASH],
  'its body fails in the middle': [() => new Response(failingStream(3)), CRASH],
  'its body throws in pull': [
    () =>
      new Response(
        new ReadableStream({
          pull: () => {
            throw broken()
          },
        }),
      ),
    CRASH,
  ],
  'its body has pieces that are not bytes': [
    () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(42 as unknown as Uint8Array<ArrayBuffer>),
        }),
      ),
    CRASH,
  ],
  'its body is longer than its content-length': [
    () => new Response(failingStream(1), { headers: { 'content-length': '10' } }),
    CRASH,
  ],
  'reads the body and does not wait for it': [
    (request) => {
      void request.text()
      return new Response('whole')
    },
    ANSWERED,
  ],
  'passes on a request body that fails': [
    async (request) => new Response(await request.text()),
    { reset: H3_INTERNAL_ERROR, stop: H3_INTERNAL_ERROR, hung: 1 },
  ],
}

async function expectOutcome(handler: ExchangeHandler, outcome: Outcome): Promise<void> {
  const world = await new FaultWorld(handler, { handlerDeadline: 2_000 }).begin()
  const request = world.peer.begin('POST', '/fault').sendData(500)
  await world.pass(5_000)
  expect(request.resetCode).toBe(outcome.reset)
  expect(request.stopCode).toBe(outcome.stop)
  expect(request.isFinished).toBe(outcome.reset === undefined)
  const { crashed = 0, late = 0, hung = 0 } = outcome
  expect(world.server.counters).toMatchObject({ crashed, crashResets: crashed, lateFaults: late, hung })
  expect(world.status().actors.crashed).toBe(crashed)
  expect(world.faults).toHaveLength(crashed + late + hung)
  if (outcome.stop === undefined) {
    // RFC 9114 section 4.1: what still comes of a request that was answered is not wanted.
    request.sendData(100)
    await world.pass(100)
    expect(request.stopCode).toBe(H3_NO_ERROR)
    request.reset()
  }
  await world.pass(100)
  await world.finish()
}

describe('an exchange handler that', () => {
  it.each(Object.entries(exchangeFaults))('%s', async (_name, [handler, outcome]) => {
    expect(await straysDuring(() => expectOutcome(handler, outcome))).toEqual([])
  })
})

describe('a fetch handler that', () => {
  it.each(Object.entries(fetchFaults))('%s', async (_name, [handler, outcome]) => {
    expect(await straysDuring(() => expectOutcome(fetchHandler(handler), outcome))).toEqual([])
  })
})

/** Handlers whose client gives up, by what they were doing. */
const waiting: Record<string, (note: (signal: AbortSignal) => void) => ExchangeHandler> = {
  'reads the body': (note) => async (exchange) => {
    note(exchange.signal)
    for await (const _chunk of exchange.body);
  },
  'writes against a closed window': (note) => async (exchange) => {
    note(exchange.signal)
    exchange.begin(200)
    for (;;) await exchange.write(new Uint8Array(100_000))
  },
  'hangs and ignores everything': (note) => (exchange) => {
    note(exchange.signal)
    return never
  },
  'reads with fetch': (note) =>
    fetchHandler(async (request) => {
      note(request.signal)
      return new Response(await request.text())
    }),
  'reads with fetch and does not wait': (note) =>
    fetchHandler((request) => {
      note(request.signal)
      void request.text()
      void request.json()
      void request.arrayBuffer()
      void request.blob()
      return never
    }),
  'streams with fetch': (note) =>
    fetchHandler((request) => {
      note(request.signal)
      return new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) }),
      )
    }),
  'streams with fetch and fails in cancel': (note) =>
    fetchHandler((request) => {
      note(request.signal)
      return new Response(
        new ReadableStream({
          pull: () => never,
          cancel: () => Promise.reject(broken()),
        }),
      )
    }),
  'throws when it is told': (note) => (exchange) => {
    note(exchange.signal)
    exchange.onCancel = () => {
      throw broken()
    }
    return never
  },
  'writes and reads on after it was told': (note) => async (exchange) => {
    note(exchange.signal)
    exchange.begin(200)
    await new Promise((resolve) => exchange.signal.addEventListener('abort', resolve))
    exchange.write('more')?.catch(() => {})
    exchange.write('not awaited')
    exchange.respond(200)
    exchange.end('end')
    exchange.inform(103)
    exchange.sendTrailers(['a', 'b'])
    await exchange.body[Symbol.asyncIterator]()
      .next()
      .catch(() => {})
  },
}

describe.each(Object.entries(waiting))('a client gives up while the handler %s', (name, handlerFor) => {
  it.each([
    ['resets', true, false],
    ['stops', false, true],
    ['resets and stops', true, true],
  ])('and %s: AbortSignal, no crash, no stray error', async (_way, resets, stops) => {
    let signal: AbortSignal | undefined
    const handler = handlerFor((given) => {
      signal = given
    })
    const strays = await straysDuring(async () => {
      const world = await new FaultWorld(handler, { handlerGrace: 1_000 }).begin()
      const request = world.peer.begin('POST', '/fault', false).sendData(500)
      await world.pass(50)
      if (resets) request.reset(H3_REQUEST_CANCELLED)
      if (stops) request.stop(H3_REQUEST_CANCELLED)
      await world.pass(4_000)
      expect(signal!.aborted).toBe(true)
      expect(world.server.counters).toMatchObject({ crashed: 0, hung: 0, lateFaults: 0 })
      expect(request.outcome).toBe('reset')
      if (resets && !stops) expect(request.resetCode).toBe(H3_REQUEST_CANCELLED)
      if (stops && !resets) expect(request.stopCode).toBe(H3_REQUEST_CANCELLED)
      const isStuck = /hangs|throws when|does not wait/.test(name)
      expect(world.status()).toMatchObject({
        handlers: { live: isStuck ? 1 : 0 },
        streams: { stuck: isStuck ? 1 : 0 },
      })
      world.peer.connection.close(0x100, '', { application: true })
      await world.pass(5_000)
      expect(world.server.counters.abandoned).toBe(isStuck ? 1 : 0)
      await world.finish()
    })
    expect(strays).toEqual([])
  })
})
