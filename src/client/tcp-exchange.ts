// One request and its response over HTTP/1.1: what client-exchange.ts is over HTTP/3. Made by tcp-transport.ts.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { ClientError, type ClientErrorKind } from './client-error.ts'
import { ClientResponse, type ResponseSource } from './client-response.ts'
import { flattenHeaders, lowerCaseNames } from './fields.ts'
import { CONTINUE_WAIT } from './limits.ts'
import { BodySender, type BodySink } from './request-body.ts'
import type { RequestInput } from './request-input.ts'

export class TcpExchange implements BodySink, ResponseSource {
  readonly protocol = 'http/1.1'
  readonly datagrams = undefined
  readonly session = undefined
  trailers: readonly string[] | undefined
  onFailure: ((reason: unknown) => void) | undefined
  readonly #request: ClientRequest
  readonly #input: RequestInput
  readonly #timeout: number
  readonly #head = Promise.withResolvers<ClientResponse>()
  #sender: BodySender | undefined
  #message: IncomingMessage | undefined
  #pieces: AsyncIterator<Buffer> | undefined
  #isConnected = false
  #hasFailed = false
  #failure: unknown
  #timers: ReturnType<typeof setTimeout>[] = []

  constructor(request: ClientRequest, input: RequestInput, timeout: number) {
    this.#request = request
    this.#input = input
    this.#timeout = timeout
  }

  /** Sends the request; resolves when the final response head is there. */
  start(): Promise<ClientResponse> {
    const request = this.#request
    const { signal, onInformational, body } = this.#input
    signal?.addEventListener('abort', this.#handleAbort, { once: true })
    request.on('error', (error) => this.#fail(this.#explain(error)))
    request.on('close', this.#handleClose)
    request.on('socket', (socket) => {
      const connected = socket.connecting ? ('encrypted' in socket ? 'secureConnect' : 'connect') : undefined
      if (connected === undefined) this.#handleConnected()
      else socket.once(connected, this.#handleConnected)
    })
    this.#timers.push(setTimeout(this.#handleConnectTimeout, this.#timeout))
    request.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode === 101) return
      this.#guard(() => onInformational?.(statusCode, lowerCaseNames(rawHeaders)))
    })
    request.on('response', this.#handleResponse)
    if (body === undefined) request.end()
    else this.#sendBody(body)
    return this.#head.promise
  }

  write(chunk: Uint8Array): boolean {
    return this.#request.write(chunk)
  }

  end(): void {
    const { trailers } = this.#input
    if (trailers !== undefined) {
      const flat = flattenHeaders(trailers())
      const pairs: [string, string][] = []
      for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!])
      this.#request.addTrailers(pairs)
    }
    this.#request.end()
  }

  async nextChunk(): Promise<Uint8Array | undefined> {
    if (this.#hasFailed) throw this.#failure
    try {
      const result = await this.#pieces!.next()
      if (result.done !== true) return new Uint8Array(result.value)
    } catch (error) {
      this.#fail(this.#explain(error as Error))
    }
    if (this.#hasFailed) throw this.#failure
    const { rawTrailers } = this.#message!
    if (rawTrailers.length > 0) this.trailers = lowerCaseNames(rawTrailers)
    return undefined
  }

  discardBody(): void {
    if (this.#message?.readableEnded !== true) this.#message?.destroy()
  }

  setPriority(): void {}

  abort(reason: unknown): void {
    this.#fail(reason)
    this.#message?.destroy()
    this.#request.destroy()
  }

  #sendBody(body: NonNullable<RequestInput['body']>): void {
    const request = this.#request
    const sender = new BodySender(body, this, (reason) => this.abort(reason))
    this.#sender = sender
    request.on('drain', () => sender.resume())
    if (this.#input.expectContinue !== true) {
      sender.resume()
      return
    }
    request.flushHeaders()
    request.once('continue', () => sender.resume())
    this.#timers.push(setTimeout(() => sender.resume(), CONTINUE_WAIT))
  }

  #handleResponse = (message: IncomingMessage): void => {
    this.#message = message
    this.#pieces = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const fields = lowerCaseNames(message.rawHeaders)
    // RFC 9112 section 9: a server that has answered and closes wants nothing of the rest.
    message.on('error', (error) => this.#fail(this.#explain(error)))
    this.#head.resolve(new ClientResponse(this, message.statusCode!, fields))
  }

  #handleConnected = (): void => {
    this.#isConnected = true
    clearTimeout(this.#timers[0])
  }

  #handleConnectTimeout = (): void => {
    if (!this.#isConnected) this.abort(new ClientError('timeout', `no connection within ${this.#timeout} ms`))
  }

  #handleAbort = (): void => {
    this.abort(this.#input.signal?.reason)
  }

  #handleClose = (): void => {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#input.signal?.removeEventListener('abort', this.#handleAbort)
    this.#sender?.stop()
    if (this.#message === undefined) this.#fail(new ClientError('closed', 'the server closed the connection'))
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.abort(error)
    }
  }

  #fail(reason: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#failure = reason
    this.#sender?.stop()
    this.#head.reject(reason)
    this.onFailure?.(reason)
  }

  #explain(error: NodeJS.ErrnoException): unknown {
    if (this.#hasFailed) return this.#failure
    const kind: ClientErrorKind = this.#isConnected ? 'closed' : 'connect'
    const what = this.#isConnected ? 'the connection broke' : 'no connection over TCP'
    return new ClientError(kind, `${what}: ${error.message || error.code}`, undefined, { cause: error })
  }
}
