// A Request that costs nothing until it is asked for more than its URL, method, fields or body text. It passes
// `instanceof Request`; whatever is not answered here is answered by a real Request made on the spot.
// Used by fetch-handler.ts.
import { type Exchange, quietly } from './exchange.ts'
import { MAX_COLLECTED_BODY } from './limits.ts'

/** What is answered by a real Request, because hardly anybody asks for it. */
const DELEGATED = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'isHistoryNavigation',
  'isReloadNavigation',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const

class LazyRequest {
  readonly #exchange: Exchange
  #url: string | undefined
  #headers: Headers | undefined
  #body: ReadableStream<Uint8Array> | null | undefined
  #real: Request | undefined
  #isCollected = false

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  get method(): string {
    return this.#exchange.method
  }

  get url(): string {
    this.#url ??= new URL(urlText(this.#exchange)).href
    return this.#url
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      const headers = new Headers()
      const fields = this.#exchange.headers
      for (let index = 0; index < fields.length; index += 2) headers.append(fields[index], fields[index + 1])
      this.#headers = headers
    }
    return this.#headers
  }

  /** See Exchange.earlyData. */
  get earlyData(): boolean {
    return this.#exchange.earlyData
  }

  inform(status: number, headers?: ConstructorParameters<typeof Headers>[0]): void {
    if (!this.#exchange.isHeadSent) this.#exchange.inform(status, [...new Headers(headers)].flat())
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#body === undefined) this.#body = this.#hasBody ? streamOf(this.#exchange) : null
    return this.#body
  }

  get bodyUsed(): boolean {
    return this.#isCollected || (this.#real?.bodyUsed ?? false)
  }

  // A handler may begin to read and not wait for it: its client leaving must not become an unhandled rejection.

  text(): Promise<string> {
    return quietly(this.#collect().then((bytes) => new TextDecoder().decode(bytes)))
  }

  json(): Promise<unknown> {
    return quietly(this.text().then(JSON.parse))
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return quietly(
      this.#collect().then(
        ({ buffer, byteOffset, byteLength }) =>
          buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
      ),
    )
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return quietly(this.#collect())
  }

  blob(): Promise<Blob> {
    return quietly(this.#delegate((real) => real.blob()))
  }

  formData(): Promise<FormData> {
    return quietly(this.#delegate((real) => real.formData()))
  }

  async #delegate<Result>(read: (real: Request) => Promise<Result>): Promise<Result> {
    return read(this.#realRequest())
  }

  async #collect(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#real !== undefined) return new Uint8Array(await this.#real.arrayBuffer())
    if (this.#isCollected || this.#body?.locked) throw new TypeError('the body was read already')
    this.#isCollected = true
    return this.#hasBody ? collect(this.#exchange) : new Uint8Array(0)
  }

  clone(): Request {
    return this.#realRequest().clone()
  }

  /** The standard class in full, for everything that is rare. */
  realProperty(name: (typeof DELEGATED)[number]): unknown {
    return Reflect.get(this.#realRequest(), name)
  }

  get #hasBody(): boolean {
    return this.method !== 'GET' && this.method !== 'HEAD'
  }

  #realRequest(): Request {
    if (this.#real === undefined) {
      if (this.#isCollected) throw new TypeError('the body was read already')
      const init: RequestInit = { method: this.method, headers: this.headers, signal: this.signal }
      const body = this.body
      if (body !== null) Object.assign(init, { body, duplex: 'half' })
      this.#real = new Request(this.url, init)
    }
    return this.#real
  }
}

for (const name of DELEGATED) {
  Object.defineProperty(LazyRequest.prototype, name, {
    configurable: true,
    get(this: LazyRequest) {
      return this.realProperty(name)
    },
  })
}
Object.setPrototypeOf(LazyRequest.prototype, Request.prototype)

function urlText({ scheme, authority, path }: Exchange): string {
  // HTTP/1.1 also knows requests for a whole URL, and for "*" (RFC 9112 section 3.2).
  if (path.startsWith('/')) return `${scheme}://${authority}${path}`
  return path === '*' ? `${scheme}://${authority}` : path
}

/** Authorities for which no parser has to be asked. */
const PLAIN_AUTHORITY = /^[a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d{1,4})?$/i

/** Whether a Request can be made of it: clients may send hosts that are none. */
export function hasUrl(exchange: Exchange): boolean {
  if (exchange.path.startsWith('/') && PLAIN_AUTHORITY.test(exchange.authority)) return true
  const text = urlText(exchange)
  return URL.canParse(text) && /^https?:/i.test(text)
}

/** A standard Request, and what HTTP/3 adds to it. */
export interface ServerRequest extends Request {
  /** It came as early data and may be a replay (RFC 8470); see Exchange.earlyData. */
  readonly earlyData: boolean
  /**
   * Sends an informational response before the final one, e.g. 103 with `link` fields (RFC 8297). Over HTTP/1.1 only
   * 100 and 103 are sent. Nothing is sent once the response has begun.
   */
  inform(status: number, headers?: Headers | Record<string, string> | Iterable<[string, string]>): void
}

/** The request of an exchange as a standard Request; `hasUrl` must hold. */
export function requestOf(exchange: Exchange): ServerRequest {
  return new LazyRequest(exchange) as unknown as ServerRequest
}

function streamOf(exchange: Exchange): ReadableStream<Uint8Array> {
  const chunks = exchange.body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const result = await chunks.next()
        if (result.done) controller.close()
        else controller.enqueue(result.value)
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    // Nothing is read ahead: what the handler does not take stays in the client's window.
    { highWaterMark: 0 },
  )
}

async function collect(exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of exchange.body) {
    length += chunk.length
    if (length > MAX_COLLECTED_BODY)
      throw new RangeError(`the body is larger than ${MAX_COLLECTED_BODY} bytes`)
    chunks.push(chunk)
  }
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
