// Web-standard handlers: a Request in, a Response out. Built on the exchange, so they run on every HTTP version.
// Used by serve({ fetch }).
import type { Exchange, ExchangeHandler } from './exchange.ts'
import { hasUrl, requestOf, type ServerRequest } from './lazy-request.ts'

/** Answers a request. A throw or a rejection resets the stream. */
export type FetchHandler = (request: ServerRequest) => Response | Promise<Response>

/** Makes an exchange handler of a fetch handler. */
export function fetchHandler(handler: FetchHandler): ExchangeHandler {
  return (exchange) => {
    if (!hasUrl(exchange)) {
      exchange.respond(400, ['content-type', 'text/plain; charset=utf-8'], 'the request names no valid URL\n')
      return
    }
    const answer = handler(requestOf(exchange))
    if (answer instanceof Response) return sendResponse(exchange, answer)
    return Promise.resolve(answer).then((response) => sendResponse(exchange, response))
  }
}

/** Sends a Response; sync when it has no body. Hop-by-hop fields are left to whoever made the response. */
export function sendResponse(exchange: Exchange, response: Response): void | Promise<void> {
  if (!(response instanceof Response)) throw new TypeError('a fetch handler must return a Response')
  const fields = flatten(response.headers)
  if (response.body === null) {
    exchange.respond(response.status, fields)
    return
  }
  if (response.bodyUsed || response.body.locked)
    throw new TypeError('the body of the Response was read already')
  // RFC 9110 section 9.3.2: nobody gets the content, which may have no end.
  if (exchange.method === 'HEAD') {
    exchange.respond(response.status, fields)
    response.body.cancel().catch(() => {})
    return
  }
  return pump(exchange, response.status, fields, response.body)
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
  exchange.onCancel = (reason) => {
    if (!isFinished) reader.cancel(reason).catch(() => {})
  }
  try {
    let result = await reader.read()
    exchange.begin(status, fields)
    while (!result.done) {
      const room = exchange.write(bytesOf(result.value))
      if (room !== undefined) await room
      result = await reader.read()
    }
    exchange.end()
    isFinished = true
  } catch (error) {
    isFinished = true
    reader.cancel(error).catch(() => {})
    throw error
  } finally {
    exchange.onCancel = undefined
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('a Response body must consist of Uint8Array chunks')
}

function flatten(headers: Headers): string[] {
  const fields: string[] = []
  // Iteration gives lower-case names, and set-cookie once per value.
  for (const [name, value] of headers) fields.push(name, value)
  return fields
}
