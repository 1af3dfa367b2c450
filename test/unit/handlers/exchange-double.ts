// An exchange without a network: a request made up by a test, and everything that the handler answers.

import { CancelledError, type Exchange, fieldValue, quietly } from '../../../src/handlers/exchange.ts'
import { DEFAULT_PRIORITY } from '../../../src/http3/index.ts'

export interface RequestInit {
  readonly method?: string
  readonly path?: string
  readonly authority?: string
  readonly headers?: readonly string[]
  readonly body?: readonly string[]
}

export class ExchangeDouble implements Exchange {
  readonly protocol = 'h3'
  readonly earlyData: boolean = false
  readonly method: string
  readonly scheme = 'https'
  readonly authority: string
  readonly path: string
  readonly headers: readonly string[]
  readonly trailers: readonly string[] = []
  readonly datagrams = undefined
  readonly upgradeToken: string | undefined = undefined
  readonly connectionKey = this
  readonly remote = { address: '192.0.2.1', port: 1, family: 4 } as const
  onCancel: ((reason: CancelledError) => void) | undefined
  onCut: (() => void) | undefined
  onDrain: (() => void) | undefined
  readonly host = { inspection: undefined, clock: undefined }
  priority = DEFAULT_PRIORITY
  onPriorityChange: (() => void) | undefined
  resetCode = -1
  readonly clientCertificate = undefined
  bodyLimit = Number.POSITIVE_INFINITY
  deadline = 0
  bytesSent = 0
  status = 0
  fields: readonly string[] = []
  written: Buffer[] = []
  isEnded = false
  /** Chunks of the request body that were taken. */
  chunksRead = 0
  /** write() asks to wait while this is set. */
  room: Promise<void> | undefined
  cancelled: CancelledError | undefined
  readonly #body: readonly string[]
  readonly #abort = new AbortController()

  constructor(init: RequestInit = {}) {
    this.method = init.method ?? 'GET'
    this.authority = init.authority ?? 'example.org'
    this.path = init.path ?? '/'
    this.headers = init.headers ?? []
    this.#body = init.body ?? []
  }

  get isHeadSent(): boolean {
    return this.status !== 0
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get text(): string {
    return Buffer.concat(this.written).toString()
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#chunks()
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (const chunk of this.#body) {
      this.chunksRead++
      yield Buffer.from(chunk)
    }
  }

  header(name: string): string | undefined {
    return fieldValue(this.headers, name)
  }

  field(name: string): string | undefined {
    return fieldValue(this.fields, name)
  }

  respond(status: number, headers: readonly string[] = [], body?: Uint8Array | string): void {
    this.begin(status, headers)
    this.end(body)
  }

  begin(status: number, headers: readonly string[] = []): void {
    if (this.status !== 0) throw new Error('the response has begun already')
    this.status = status
    this.fields = headers
  }

  inform(): void {}

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.cancelled !== undefined) return quietly(Promise.reject(this.cancelled))
    this.written.push(Buffer.from(chunk))
    return this.room
  }

  sendTrailers(): void {}

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.written.push(Buffer.from(chunk))
    this.isEnded = true
  }

  contain(run: () => void): void {
    run()
  }

  accept(): never {
    throw new TypeError('no tunnels here')
  }

  acceptDatagrams(): never {
    throw new TypeError('no tunnels here')
  }

  reset(code = 0x102): void {
    this.resetCode = code
    this.cancel()
  }

  cancel(): void {
    this.cancelled = new CancelledError('peerReset', 0x10c)
    this.onCancel?.(this.cancelled)
    this.#abort.abort(this.cancelled)
  }
}
