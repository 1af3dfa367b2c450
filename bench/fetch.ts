// node bench/fetch.ts: what a fetch handler costs above the exchange API, per way of making its Response. No network: the
// exchange only counts. CPU of the whole process, garbage collection included; the best of several rounds, because
// other work on the machine only ever makes it slower.
import type { Exchange } from '../src/handlers/exchange.ts'
import { FastResponse } from '../src/handlers/fast-response.ts'
import { type FetchHandler, fetchHandler } from '../src/handlers/fetch-handler.ts'
import { SMALL_BODY, SMALL_TYPE } from './responses.ts'

const ROUNDS = 8
const REQUESTS = 10_000
/** Requests that are answered in one turn, as those of one datagram are. */
const TOGETHER = 10

const init = { headers: { 'content-type': SMALL_TYPE } }

const handlers: Record<string, FetchHandler> = {
  'no body': () => new Response(null, init),
  'Response of bytes': () => new Response(SMALL_BODY, init),
  'Response of a text': () => new Response('hello'),
  'Response.json': () => Response.json({ ok: true }),
  'async, Response of a text': async () => new Response('hello'),
  'URL looked at': (request) => new Response(new URL(request.url).pathname),
  'fields looked at': (request) => new Response(request.headers.get('accept')),
  'FastResponse of bytes': () => new FastResponse(SMALL_BODY, init),
  'FastResponse of a text': () => new FastResponse('hello'),
  'FastResponse.json': () => FastResponse.json({ ok: true }),
}

class CountedExchange {
  readonly method = 'GET'
  readonly scheme = 'https'
  readonly authority = 'localhost:4433'
  readonly path = '/health'
  readonly headers = ['user-agent', 'bench', 'accept', '*/*', 'accept-encoding', 'gzip']
  onCancel: unknown
  static writes = 0

  respond(): void {
    CountedExchange.writes++
  }

  begin(): void {
    CountedExchange.writes++
  }

  write(): void {
    CountedExchange.writes++
  }

  end(): void {
    CountedExchange.writes++
  }
}

async function run(handler: FetchHandler): Promise<number> {
  const handle = fetchHandler(handler)
  const before = process.cpuUsage()
  for (let done = 0; done < REQUESTS; done += TOGETHER) {
    const answers = Array.from({ length: TOGETHER }, () =>
      handle(new CountedExchange() as unknown as Exchange),
    )
    await Promise.all(answers)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

for (const [name, handler] of Object.entries(handlers)) {
  await run(handler)
  CountedExchange.writes = 0
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await run(handler))
  const writes = CountedExchange.writes / ROUNDS / REQUESTS
  console.log(`${name.padEnd(28)}${best.toFixed(2).padStart(8)} us${writes.toFixed(1).padStart(6)} writes`)
}
