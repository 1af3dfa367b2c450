// Web-standard handlers: a Request in, a Response out. Built on the exchange, so they run on every HTTP version.
// Used by serve({ fetch }).
import type { Exchange, ExchangeHandler } from './exchange.ts'
import { flatten, NativeResponse, wholeResponse } from './fast-response.ts'
import { hasUrl, requestOf, type ServerRequest } from './lazy-request.ts'
import { refuseTunnel } from './tunnel-routes.ts'

/** Answers a request. A throw or a rejection resets the stream. */
export type FetchHandler = (request: ServerRequest) => Response | Promise<Response>

/** Makes an exchange handler of a fetch handler. */
export function fetchHandler(handler: FetchHandler): ExchangeHandler {
  return (exchange) => {
    if (exchange.method === 'CONNECT') return refuseTunnel(exchange)
    if (!hasUrl(exchange)) {
      exchange.respond(400, ['content-type', 'text/plain; charset=utf-8'], 'the request names no valid URL\n')
      return
    }
    const answer = handler(requestOf(exchange))
    if (answer instanceof NativeResponse) return sendResponse(exchange, answer)
    return Promise.resolve(answer).then((response) => sendResponse(exchange, response))
  }
}

/** Sends a Response; sync when it has no body. Hop-by-hop fields are left to whoever made the response. */
export function sendResponse(exchange: Exchange, response: Response): void | Promise<void> {
  if (!(response instanceof NativeResponse)) throw new TypeError('a fetch handler must return a Response')
  const whole = wholeResponse(response)
  if (whole !== undefined) {
    exchange.respond(whole.status, whole.fields, whole.body)
    return
  }
  const fields = flatten(response.headers)
  const { body } = response
  if (body === null) {
    exchange.respond(response.status, fields)
    return
  }
  if (response.bodyUsed || body.locked) throw new TypeError('the body of the Response was read already')
  // RFC 9110 section 9.3.2: nobody gets the content, which may have no end.
  if (exchange.method === 'HEAD') {
    exchange.respond(response.status, fields)
    body.cancel().catch(() => {})
    return
  }
  return pump(exchange, response.status, fields, body)
}

/**
 * A body that is there in one piece (a string, bytes) goes out together with the head; one that comes over time
 * goes out as it comes, at the speed at which the client reads.
 */
async function pump(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = body.getReader()
  let isFinished = false
  let isClosed = false
  // The body that Node makes of a text or bytes has its one piece from the start, and is closed a microtask later.
  // Nothing is read to find that out: a body that comes over time is pulled no faster than the client reads.
  reader.closed.then(
    () => {
      isClosed = true
    },
    () => {},
  )
  const isClosedSoon = async (): Promise<boolean> => {
    await undefined
    return isClosed
  }
  exchange.onCancel = (reason) => {
    if (!isFinished) reader.cancel(reason).catch(() => {})
  }
  try {
    const first = await reader.read()
    if (first.done) exchange.respond(status, fields)
    else if (isClosed || (await isClosedSoon())) exchange.respond(status, fields, bytesOf(first.value))
    else {
      exchange.begin(status, fields)
      await pumpRest(exchange, reader, first.value)
    }
    isFinished = true
  } catch (error) {
    isFinished = true
    reader.cancel(error).catch(() => {})
    throw error
  } finally {
    exchange.onCancel = undefined
  }
}

/** Sends the pieces of a body as they come, at the speed at which the client reads. */
async function pumpRest(
  exchange: Exchange,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array,
): Promise<void> {
  let room = exchange.write(bytesOf(first))
  if (room !== undefined) await room
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    room = exchange.write(bytesOf(result.value))
    if (room !== undefined) await room
  }
  exchange.end()
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('a Response body must consist of Uint8Array chunks')
}
