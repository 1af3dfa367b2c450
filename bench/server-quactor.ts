// The measured server: quactor through serve(), its request handler on the exchange API or on fetch
// (argument `exchange`, `fetch`, or `fast` for fetch with FastResponse).
import { type Exchange, FastResponse, type QuactorServer, type ServeOptions, serve } from '../src/index.ts'
import { answerCalls, usage } from './control.ts'
import { LARGE_TYPE, largeLength, PIECE, SMALL_BODY, SMALL_TYPE } from './responses.ts'

const SMALL_FIELDS = ['content-type', SMALL_TYPE, 'content-length', String(SMALL_BODY.length)]

async function sendLarge(exchange: Exchange, length: number): Promise<void> {
  exchange.begin(200, ['content-type', LARGE_TYPE, 'content-length', String(length)])
  for (let left = length; left > 0; left -= PIECE.length) {
    const room = exchange.write(left >= PIECE.length ? PIECE : PIECE.subarray(0, left))
    if (room !== undefined) await room
  }
  exchange.end()
}

function handleExchange(exchange: Exchange): void | Promise<void> {
  const large = largeLength(exchange.path)
  if (large !== undefined) return sendLarge(exchange, large)
  exchange.respond(200, SMALL_FIELDS, SMALL_BODY)
}

function largeStream(length: number): ReadableStream<Uint8Array> {
  let left = length
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close()
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left)
      left -= piece.length
      controller.enqueue(piece)
    },
  })
}

/** The class that the fetch handler answers with. */
const Reply = process.argv[2] === 'fast' ? FastResponse : Response

function handleFetch(request: Request): Response {
  const large = largeLength(new URL(request.url).pathname)
  if (large === undefined) return new Reply(SMALL_BODY, { headers: { 'content-type': SMALL_TYPE } })
  const headers = { 'content-type': LARGE_TYPE, 'content-length': String(large) }
  return new Reply(largeStream(large), { headers })
}

let server: QuactorServer | undefined

answerCalls({
  usage,
  start: async (tls: { cert: string; key: string }): Promise<number> => {
    const handler: ServeOptions =
      process.argv[2] === 'exchange' ? { handler: handleExchange } : { fetch: handleFetch }
    server = await serve({ port: 0, host: '127.0.0.1', tls, tcp: false, inspector: false, ...handler })
    return server.port
  },
  status: () => server?.status(),
})
