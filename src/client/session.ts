// One HTTP/3 connection of the client: hands out request streams as the server's stream credit allows, and knows
// whether the connection can still be used. Created by connect.ts, pooled by http-client.ts.
import { H3Connection, type H3Events } from '../http3/connection.ts'
import { H3ErrorCode, h3ErrorName } from '../http3/errors.ts'
import type { RequestStream } from '../http3/request-stream.ts'
import type { CloseInfo, QuicConnection } from '../transport/connection/index.ts'
import { ClientError } from './client-error.ts'
import { ClientExchange, type ExchangeOptions } from './client-exchange.ts'
import type { ClientResponse } from './client-response.ts'
import { flattenHeaders, type HeadersInput } from './fields.ts'
import { MAX_WAITING_REQUESTS } from './limits.ts'
import { bytesOfBody, type RequestBody } from './request-body.ts'

/** A request on an open session. */
export interface RequestInput extends ExchangeOptions {
  /** Default GET, or POST when there is a body. */
  readonly method?: string | undefined
  /** Path with query; default "/". */
  readonly path?: string | undefined
  readonly headers?: HeadersInput | undefined
  readonly body?: RequestBody | undefined
  /** Default: the authority the session was opened for. */
  readonly authority?: string | undefined
}

interface WaitingRequest {
  readonly input: RequestInput
  readonly fields: string[]
  resolve: (response: Promise<ClientResponse>) => void
  reject: (reason: unknown) => void
}

export class ClientSession implements H3Events {
  readonly connection: QuicConnection
  readonly h3: H3Connection
  readonly authority: string
  /** Resolves when the handshake is complete; rejects when it does not come to that. */
  readonly opened: Promise<void>
  /** Resolves with the reason when the connection has ended, however it did. */
  readonly closed: Promise<ClientError>
  readonly #opened = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<ClientError>()
  readonly #waiting: WaitingRequest[] = []
  #closeReason: ClientError | undefined
  #isGoingAway = false
  #isOpen = false

  /** @param authority value of :authority for requests that do not say otherwise */
  constructor(connection: QuicConnection, authority: string) {
    this.connection = connection
    this.authority = authority
    this.opened = this.#opened.promise
    this.closed = this.#closed.promise
    // Whoever does not wait for the handshake learns of its failure from the requests.
    this.opened.catch(() => {})
    this.h3 = new H3Connection(connection, { role: 'client', events: this })
  }

  /** Whether new requests can be made: neither closing nor told by the server to go away. */
  get isUsable(): boolean {
    return this.#closeReason === undefined && !this.#isGoingAway
  }

  /** Requests that wait for stream credit. */
  get waitingRequests(): number {
    return this.#waiting.length
  }

  /**
   * Makes a request as soon as the server allows another stream; resolves with the final response's head.
   * @throws ClientError (see its kinds), TypeError for fields that HTTP does not allow, or the signal's reason
   */
  async request(input: RequestInput = {}): Promise<ClientResponse> {
    input.signal?.throwIfAborted()
    if (!this.isUsable) throw this.#unusable()
    const fields = this.#requestFields(input)
    const stream = this.#waiting.length === 0 ? this.#open(fields, input) : undefined
    if (stream !== undefined) return this.#exchange(stream, input)
    if (this.#waiting.length >= MAX_WAITING_REQUESTS) {
      throw new ClientError('limit', 'too many requests wait for the server to allow another stream')
    }
    return this.#wait(input, fields)
  }

  /** Closes the connection with H3_NO_ERROR; what is in flight fails with kind 'aborted'. */
  close(code: number = H3ErrorCode.H3_NO_ERROR, reason = ''): void {
    this.#end(new ClientError('aborted', 'the session was closed'))
    this.connection.close(code, reason, { application: true })
  }

  handleHandshakeComplete(): void {
    this.#isOpen = true
    this.#opened.resolve()
    this.#drain()
  }

  handleStreamCredit(): void {
    this.#drain()
  }

  handleRequest(): void {
    throw new Error('a client gets no requests')
  }

  handleGoaway(): void {
    this.#isGoingAway = true
    const reason = this.#unusable()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason)
  }

  handleClosing(close: CloseInfo): void {
    this.#end(closeError(close, this.#isOpen))
  }

  handleClosed(): void {
    this.#end(new ClientError('closed', 'the connection has ended'))
  }

  #end(reason: ClientError): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#opened.reject(reason)
    this.#closed.resolve(reason)
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason)
  }

  #unusable(): ClientError {
    return this.#closeReason ?? new ClientError('rejected', 'the server is going away')
  }

  #requestFields(input: RequestInput): string[] {
    const { body } = input
    const method = input.method ?? (body === undefined ? 'GET' : 'POST')
    const own = flattenHeaders(input.headers)
    const authority = input.authority ?? this.authority
    const fields = [
      ':method',
      method,
      ':scheme',
      'https',
      ':authority',
      authority,
      ':path',
      input.path ?? '/',
    ]
    fields.push(...own)
    if (body !== undefined && !own.includes('content-length')) {
      const bytes = bytesOfBody(body)
      if (bytes !== undefined) fields.push('content-length', String(bytes.length))
    }
    return fields
  }

  #open(fields: string[], input: RequestInput): RequestStream | undefined {
    if (!this.#isOpen) return undefined
    return this.h3.openRequest(fields, input.body !== undefined)
  }

  #exchange(stream: RequestStream, input: RequestInput): Promise<ClientResponse> {
    const reason = (): ClientError =>
      this.#closeReason ?? new ClientError('closed', 'the stream ended before the response did')
    return new ClientExchange(stream, input, reason).start()
  }

  #wait(input: RequestInput, fields: string[]): Promise<ClientResponse> {
    return new Promise<ClientResponse>((resolve, reject) => {
      const waiting: WaitingRequest = { input, fields, resolve, reject }
      this.#waiting.push(waiting)
      const { signal } = input
      if (signal === undefined) return
      const handleAbort = (): void => {
        const index = this.#waiting.indexOf(waiting)
        if (index < 0) return
        this.#waiting.splice(index, 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', handleAbort, { once: true })
      const stopListening = (): void => signal.removeEventListener('abort', handleAbort)
      waiting.resolve = (response) => {
        stopListening()
        resolve(response)
      }
      waiting.reject = (reason) => {
        stopListening()
        reject(reason)
      }
    })
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      const { input, fields, resolve, reject } = this.#waiting[0]!
      let stream: RequestStream | undefined
      try {
        stream = this.#open(fields, input)
        if (stream === undefined) return
      } catch (reason) {
        this.#waiting.shift()
        reject(reason)
        continue
      }
      this.#waiting.shift()
      resolve(this.#exchange(stream, input))
    }
  }
}

function closeError(close: CloseInfo, wasOpen: boolean): ClientError {
  const name = close.isApplication ? h3ErrorName(close.code) : `transport error 0x${close.code.toString(16)}`
  const reason = close.reason === '' ? '' : `: ${close.reason}`
  const who = close.isLocal ? 'the connection was closed' : 'the server closed the connection'
  return new ClientError(wasOpen ? 'closed' : 'connect', `${who} (${name}${reason})`, close.code)
}
