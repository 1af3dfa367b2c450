// A Response that costs what its bytes cost. Node's own makes a stream of every body, which is most of what a small
// answer costs; this one keeps a text or bytes as they are until somebody asks for the stream. It passes `instanceof
// Response`; whatever is not answered here is answered by a real Response made on the spot. Made by handlers, opened by
// fetch-handler.ts.
import { fieldValue } from './exchange.ts'

/** Node's class, whatever the program makes of the global of that name. */
export const NativeResponse: typeof globalThis.Response = globalThis.Response

/** What is sent of a FastResponse that is still whole. */
export interface WholeResponse {
  readonly status: number
  /** Flat list, names in lower case. */
  readonly fields: readonly string[]
  readonly body: string | Uint8Array | undefined
}

type Body = ConstructorParameters<typeof NativeResponse>[0]
type Init = ConstructorParameters<typeof NativeResponse>[1]

type RedirectStatus = Parameters<typeof NativeResponse.redirect>[1]

/** RFC 9110 sections 5.1 and 5.5, as the Fetch standard checks them when a Response is made. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const PLAIN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OUTER_SPACE = /^[\t ]|[\t ]$/
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/

/** "Null body status" of the Fetch standard; 101 and 103 cannot be made. */
const NULL_BODY_STATUSES = [204, 205, 304]

const TEXT_TYPE = 'text/plain;charset=UTF-8'

let openWhole: (response: FastResponse) => WholeResponse | undefined
let isFast: (value: object) => boolean

class LazyResponse {
  #body: string | Uint8Array | undefined
  #status = 200
  #statusText = ''
  #fields: string[] | undefined
  #headers: Headers | undefined
  #real: Response | undefined

  static {
    isFast = (value) => #status in value
    openWhole = (response) => (response as unknown as LazyResponse).#open()
  }

  constructor(body?: Body, init?: Init) {
    const fields = init?.headers === undefined ? [] : plainFields(init.headers)
    const isKept =
      body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array
    if (!isKept || fields === undefined) {
      this.#become(new NativeResponse(body, init))
      return
    }
    const status = init?.status ?? 200
    const statusText = init?.statusText ?? ''
    const isPlain = Number.isInteger(status) && status >= 200 && status <= 599 && REASON.test(statusText)
    const hasBody = body !== undefined && body !== null
    if (!isPlain || (hasBody && NULL_BODY_STATUSES.includes(status))) {
      // Throws what it is to be thrown, or knows what to make of it.
      this.#become(new NativeResponse(body, init))
      return
    }
    this.#status = status
    this.#statusText = statusText
    this.#fields = fields
    if (!hasBody) return
    // The standard copies: what the program does to its bytes afterwards changes nothing.
    this.#body = typeof body === 'string' ? body : new Uint8Array(body)
    if (typeof body === 'string' && fieldValue(fields, 'content-type') === undefined)
      fields.push('content-type', TEXT_TYPE)
  }

  #become(real: Response): void {
    this.#real = real
    this.#headers = real.headers
    this.#status = real.status
    this.#statusText = real.statusText
  }

  #open(): WholeResponse | undefined {
    if (this.#real !== undefined) return undefined
    return { status: this.#status, fields: this.#fields ?? flatten(this.#headers!), body: this.#body }
  }

  /** The standard class in full, for everything that is rare; from then on it has the body. */
  #realResponse(): Response {
    if (this.#real === undefined) {
      const init = { status: this.#status, statusText: this.#statusText, headers: this.headers }
      this.#real = new NativeResponse((this.#body as Body) ?? null, init)
      this.#body = undefined
    }
    return this.#real
  }

  get status(): number {
    return this.#status
  }

  get statusText(): string {
    return this.#statusText
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      const headers = new Headers()
      const fields = this.#fields!
      for (let index = 0; index < fields.length; index += 2) headers.append(fields[index], fields[index + 1])
      this.#headers = headers
      // Whoever has the object may change it.
      this.#fields = undefined
    }
    return this.#headers
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#real === undefined && this.#body === undefined ? null : this.#realResponse().body
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false
  }

  get redirected(): boolean {
    return this.#real?.redirected ?? false
  }

  get type(): Response['type'] {
    return this.#real?.type ?? 'default'
  }

  get url(): string {
    return this.#real?.url ?? ''
  }

  text(): Promise<string> {
    return this.#realResponse().text()
  }

  json(): Promise<unknown> {
    return this.#realResponse().json()
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#realResponse().arrayBuffer()
  }

  bytes(): Promise<Uint8Array> {
    return this.#realResponse().bytes()
  }

  blob(): Promise<Blob> {
    return this.#realResponse().blob()
  }

  formData(): Promise<FormData> {
    return this.#realResponse().formData()
  }

  clone(): Response {
    const init = { status: this.#status, statusText: this.#statusText, headers: this.headers }
    if (this.#real === undefined) return new FastResponse(this.#body as Body, init)
    return new FastResponse(this.#real.clone().body, init)
  }

  static json(data: unknown, init?: Init): Response {
    const headers = new Headers(init?.headers)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    const text = JSON.stringify(data)
    if (text === undefined) throw new TypeError('the value cannot be written as JSON')
    return new FastResponse(text, { ...init, headers })
  }

  static redirect(url: string | URL, status?: RedirectStatus): Response {
    return NativeResponse.redirect(url, status)
  }

  static error(): Response {
    return NativeResponse.error()
  }

  /** Every Response is one, so that this class may take the global's place. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof NativeResponse
  }
}
Object.setPrototypeOf(LazyResponse.prototype, NativeResponse.prototype)

/** Shape of a FastResponse: that of a Response. */
export type FastResponse = Response

/**
 * A Response without the cost of a stream where there is no need of one: use it as you would use Response, or let a
 * whole program use it with `globalThis.Response = FastResponse`.
 */
export const FastResponse = LazyResponse as unknown as typeof NativeResponse

/** The parts of a FastResponse that nobody has looked into; undefined for every other Response. */
export function wholeResponse(response: Response): WholeResponse | undefined {
  return isFast(response) ? openWhole(response) : undefined
}

/** A flat list of lower-case names and values; set-cookie occurs once per value. */
export function flatten(headers: Headers): string[] {
  const fields: string[] = []
  for (const [name, value] of headers) fields.push(name, value)
  return fields
}

/** Fields of an object with plain names and values; undefined for everything that needs the standard's care. */
function plainFields(headers: NonNullable<Init>['headers']): string[] | undefined {
  if (headers instanceof Headers) return flatten(headers)
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) return undefined
  const fields: string[] = []
  for (const key of Object.keys(headers)) {
    const value: unknown = Reflect.get(headers, key)
    const name = key.toLowerCase()
    if (typeof value !== 'string' || !PLAIN_VALUE.test(value) || OUTER_SPACE.test(value)) return undefined
    // Two spellings of one name are two values of one field.
    if (!FIELD_NAME.test(key) || fieldValue(fields, name) !== undefined) return undefined
    fields.push(name, value)
  }
  return fields
}
