// fetch() as the Fetch standard describes it, as far as it makes sense without a page: no cookies, no cache, no CORS.
// Redirects, content codings, abort and errors are made here; how a request travels is http-client.ts's matter.
import { byteStream } from './byte-stream.ts'
import { ClientError } from './client-error.ts'
import type { ClientResponse } from './client-response.ts'
import { ACCEPTED_CODINGS, codingsOf, DecodedBody } from './content-decoding.ts'
import { FetchResponse, streamForGood } from './fetch-response.ts'
import { type HeadersInput, toHeaders } from './fields.ts'
import { MAX_REDIRECTS } from './limits.ts'
import { followRedirect, isRedirect, type RedirectedRequest } from './redirect.ts'
import { lengthOfBody, type RequestBody } from './request-body.ts'
import type { RequestInput } from './request-input.ts'

/** The web's init, and what HTTP/3 has beyond it. */
export interface FetchInit extends RequestInit {
  /** Called for each 1xx response, e.g. 103 Early Hints (RFC 8297). */
  readonly onInformational?: ((status: number, headers: Headers) => void) | undefined
  /** Wait for 100 before the body goes out (RFC 9110 section 10.1.1). */
  readonly expectContinue?: boolean | undefined
  /** Asked when the body has been sent. */
  readonly trailers?: (() => HeadersInput) | undefined
}

/** Makes one request. */
export type Send = (url: URL, input: RequestInput) => Promise<ClientResponse>

/** Statuses whose Response must not have a body (Fetch standard, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304])

/** @throws TypeError whose cause says why, or the signal's reason */
export async function performFetch(
  send: Send,
  input: string | URL | Request,
  init: FetchInit = {},
): Promise<Response> {
  const request = new Request(input, init)
  // The caller's own signal: one that follows it is only as alive as the Request.
  const signal =
    init.signal ?? (input instanceof Request && init.signal === undefined ? input.signal : undefined)
  const fetching = new Fetching(send, request, init, bodyOf(request, init.body), signal ?? undefined)
  try {
    signal?.throwIfAborted()
    return await fetching.run()
  } catch (error) {
    if (signal?.aborted === true) {
      fetching.cancelBody(signal.reason)
      throw signal.reason
    }
    throw fetchFailure('fetch failed', error)
  }
}

/** What callers get for an error: their own as it is, everything else as the standard's TypeError. */
function fetchFailure(message: string, error: unknown): unknown {
  return error instanceof ClientError || error instanceof TypeError || error instanceof RangeError
    ? new TypeError(message, { cause: error })
    : error
}

/** A body that can be sent more than once as it is, any other one as a stream. */
function bodyOf(request: Request, given: RequestInit['body']): RequestBody | undefined {
  if (typeof given === 'string' || given instanceof Blob) return given
  if (given instanceof URLSearchParams) return given.toString()
  if (given instanceof ArrayBuffer) return new Uint8Array(given.slice(0))
  if (ArrayBuffer.isView(given)) {
    return new Uint8Array(new Uint8Array(given.buffer, given.byteOffset, given.byteLength))
  }
  return request.body ?? undefined
}

/** One call of fetch(), over all its redirects. */
class Fetching {
  readonly #send: Send
  readonly #request: Request
  readonly #init: FetchInit
  readonly #body: RequestBody | undefined
  readonly #signal: AbortSignal | undefined

  constructor(
    send: Send,
    request: Request,
    init: FetchInit,
    body: RequestBody | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#send = send
    this.#request = request
    this.#init = init
    this.#body = body
    this.#signal = signal
  }

  async run(): Promise<Response> {
    const { url, method } = this.#request
    const headers = defaultHeaders(this.#request.headers)
    let hop: RedirectedRequest = { method, url: new URL(url), headers, hasBody: this.#body !== undefined }
    for (let redirects = 0; ; redirects++) {
      const response = await this.#send(hop.url, this.#inputOf(hop))
      const location = isRedirect(response.status) ? response.header('location') : undefined
      if (location === undefined || this.#request.redirect === 'manual') {
        return this.#deliver(response, hop, redirects > 0)
      }
      void response.finish()
      if (this.#request.redirect === 'error') throw new ClientError('redirect', `redirected to ${location}`)
      if (redirects === MAX_REDIRECTS) throw new ClientError('redirect', 'redirected too often')
      const canRepeat = this.#body !== undefined && lengthOfBody(this.#body) !== undefined
      hop = followRedirect(hop, response.status, location, canRepeat)
    }
  }

  /** Fetch standard, "abort a fetch() call": the body's source is told, also when nothing was taken of it yet. */
  cancelBody(reason: unknown): void {
    const body = this.#body
    // A stream that has a reader is stopped by who reads it.
    if (!(body instanceof ReadableStream) || body.locked) return
    // A source that fails while it is being dropped has nobody left to tell.
    body.cancel(reason).catch(() => {})
  }

  #inputOf({ method, headers, hasBody }: RedirectedRequest): RequestInput {
    const { onInformational, expectContinue, trailers } = this.#init
    return {
      method,
      headers,
      signal: this.#signal,
      ...(hasBody && { body: this.#body, expectContinue, trailers }),
      ...(onInformational && {
        onInformational: (status, fields) => onInformational(status, toHeaders(fields)),
      }),
    }
  }

  #deliver(response: ClientResponse, { method, url }: RedirectedRequest, isRedirected: boolean): Response {
    const { status, headers } = response
    const facts = { url, isRedirected, source: response }
    try {
      if (method === 'HEAD' || NULL_BODY.has(status)) {
        void response.finish()
        return new FetchResponse(null, { status, headers }, facts)
      }
      const codings = codingsOf(headers.get('content-encoding'))
      const source = codings.length === 0 ? response.source : new DecodedBody(response.source, codings)
      const explain = (error: unknown): unknown => fetchFailure('terminated', error)
      const stream = streamForGood(byteStream(source, { explain, origin: response.source }), response)
      return new FetchResponse(stream, { status, headers }, facts)
    } catch (error) {
      response.abort(error)
      throw error
    }
  }
}

/** Fetch standard, HTTP-network-or-cache fetch: what goes out unless the caller says otherwise. */
function defaultHeaders(given: Headers): Headers {
  const headers = new Headers(given)
  if (!headers.has('accept')) headers.set('accept', '*/*')
  if (!headers.has('user-agent')) headers.set('user-agent', 'quactor')
  if (!headers.has('accept-encoding')) {
    // Part of a coded body cannot be undone.
    headers.set('accept-encoding', headers.has('range') ? 'identity' : ACCEPTED_CODINGS)
  }
  return headers
}
