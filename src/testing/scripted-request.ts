// One request of a test client that does what a test says: it sends pieces, trailers and its end, stops the response,
// resets, in any order. What comes back is noted. Opened by TestClient.begin().
import type { StreamTaker } from '../client/stream-taker.ts'
import type { RequestStreamEvents } from '../http3/request-events.ts'
import type { RequestStream } from '../http3/request-stream.ts'
import type { QuicStream } from '../transport/streams/index.ts'

/** HTTP/3 error code of whoever gives up (RFC 9114 section 8.1). */
const H3_REQUEST_CANCELLED = 0x10c

/** A request stream under the control of a test. */
export class ScriptedRequest implements RequestStreamEvents, StreamTaker {
  /** Status of the response; undefined until its head is here. */
  status: number | undefined
  /** The response's fields, flat: name, value, name, value. */
  fields: readonly string[] = []
  /** The response is complete. */
  isComplete = false
  /** The code with which the server gave the response up. */
  resetCode: number | undefined
  /** The code with which the server refused the rest of the request. */
  stopCode: number | undefined
  /** How the stream ended; undefined while it lives. */
  outcome: 'closed' | 'reset' | undefined
  /** Why there was no stream at all. */
  refusal: unknown
  readonly #transport: (id: number) => QuicStream | undefined
  readonly #chunks: Uint8Array[] = []
  #stream: RequestStream | undefined
  #isReading = true
  #hasEnded = false

  /** @param transport the QUIC stream of a request, by its ID */
  constructor(transport: (id: number) => QuicStream | undefined) {
    this.#transport = transport
  }

  /** The response's body as far as it is here. */
  get body(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }

  /** Whether nothing more will happen to the stream. */
  get isOver(): boolean {
    return this.outcome !== undefined || this.refusal !== undefined
  }

  /** Sends a piece of the body; nothing after the end. */
  send(chunk: Uint8Array | string): this {
    if (!this.#hasEnded) this.#stream?.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    return this
  }

  /** Sends trailers; the end has to follow. */
  trailers(fields: readonly string[]): this {
    if (!this.#hasEnded) this.#stream?.sendTrailers(fields)
    return this
  }

  /** Ends the request. */
  end(): this {
    if (!this.#hasEnded) this.#stream?.end()
    this.#hasEnded = true
    return this
  }

  /** Wants no more of the response (STOP_SENDING). */
  stop(code: number = H3_REQUEST_CANCELLED): this {
    this.#stream?.stopReceiving(code)
    return this
  }

  /** Gives the request up (RESET_STREAM); the response is still read. */
  reset(code: number = H3_REQUEST_CANCELLED): this {
    this.#hasEnded = true
    if (this.#stream !== undefined) this.#transport(this.#stream.id)?.reset(code)
    return this
  }

  /** Gives request and response up, as an AbortSignal does. */
  abort(code: number = H3_REQUEST_CANCELLED): this {
    this.#hasEnded = true
    this.#stream?.reset(code)
    return this
  }

  /** Reads the response, or leaves it where it is, which closes the server's window. */
  read(isReading: boolean): this {
    this.#isReading = isReading
    if (isReading) this.handleBodyReadable()
    return this
  }

  /** The stream is open: called by the client's session. */
  take(stream: RequestStream): void {
    this.#stream = stream
    stream.events = this
  }

  /** There is no stream: called by the client's session. */
  refuse(reason: unknown): void {
    this.refusal = reason
  }

  handleHead(status: number, fields: string[]): void {
    this.status = status
    this.fields = fields
  }

  handleBodyReadable(): void {
    const stream = this.#stream
    if (stream === undefined || !this.#isReading) return
    for (let chunk = stream.readBody(); chunk !== undefined; chunk = stream.readBody()) {
      // A borrowed view.
      this.#chunks.push(new Uint8Array(chunk))
    }
  }

  handleBodyEnd(): void {
    this.isComplete = true
  }

  handleWritable(): void {}

  handleReset(code: number): void {
    this.resetCode = code
  }

  handleStopSending(code: number): void {
    this.stopCode = code
  }

  handleClosed(outcome: 'closed' | 'reset'): void {
    this.outcome = outcome
  }
}
