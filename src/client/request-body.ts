// Sending a request body with backpressure: a body in memory goes out piece by piece as the transport takes it,
// a streamed one is pulled only when there is room. Used by client-exchange.ts.
import { BODY_PIECE } from './limits.ts'

/** What a caller may give as a body. Text is sent as UTF-8. */
export type RequestBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

/** Where body bytes go: the request stream's own functions. */
export interface BodySink {
  /** Keeps a reference to the chunk; false = wait for the next call of resume(). */
  write(chunk: Uint8Array): boolean
  end(): void
}

const encoder = new TextEncoder()

/** A body in memory as bytes; undefined when it is a stream of unknown length. */
function bytesOfBody(body: RequestBody): Uint8Array | undefined {
  if (typeof body === 'string') return encoder.encode(body)
  if (body instanceof Uint8Array) return body
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  return undefined
}

/** Length in bytes of a body in memory; undefined when it is a stream of unknown length. */
export function lengthOfBody(body: RequestBody): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array || body instanceof ArrayBuffer) return body.byteLength
  return body instanceof Blob ? body.size : undefined
}

/** A streamed body that knows whether anything was taken of it: only then it cannot be sent again. */
class OnceBody implements AsyncIterable<Uint8Array | string> {
  isTouched = false
  readonly #source: AsyncIterable<Uint8Array | string>

  constructor(source: AsyncIterable<Uint8Array | string>) {
    this.#source = source
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array | string> {
    this.isTouched = true
    return this.#source[Symbol.asyncIterator]()
  }
}

/** The body in a form that can be asked by isRepeatable() later. */
export function trackedBody(body: RequestBody | undefined): RequestBody | undefined {
  if (body === undefined || body instanceof OnceBody || lengthOfBody(body) !== undefined) return body
  return new OnceBody(body as AsyncIterable<Uint8Array | string>)
}

/** Whether a body of trackedBody() can be sent (once more). */
export function isRepeatable(body: RequestBody | undefined): boolean {
  return !(body instanceof OnceBody && body.isTouched)
}

/** Moves one body into one sink. start() once; resume() whenever the sink has room again; stop() to give up. */
export class BodySender {
  readonly #sink: BodySink
  readonly #onError: (reason: unknown) => void
  #bytes: Uint8Array | undefined
  #sent = 0
  #iterator: AsyncIterator<Uint8Array | string> | undefined
  #isPulling = false
  #isStopped = false

  /** @param onError gets what the body's own iterator threw; the sender has stopped then */
  constructor(body: RequestBody, sink: BodySink, onError: (reason: unknown) => void) {
    this.#sink = sink
    this.#onError = onError
    this.#bytes = bytesOfBody(body)
    if (this.#bytes === undefined) {
      const source = body instanceof Blob ? body.stream() : body
      this.#iterator = (source as AsyncIterable<Uint8Array | string>)[Symbol.asyncIterator]()
    }
  }

  /** Sends what the sink takes. */
  resume(): void {
    if (this.#isStopped) return
    if (this.#bytes !== undefined) this.#sendPieces(this.#bytes)
    else if (!this.#isPulling) void this.#pull()
  }

  /** Ends the body early; a streamed source is told so by its return(). */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#bytes = undefined
    const iterator = this.#iterator
    this.#iterator = undefined
    // A source that fails while it is being dropped has nobody left to tell.
    if (iterator?.return !== undefined) Promise.resolve(iterator.return()).catch(() => {})
  }

  #sendPieces(bytes: Uint8Array): void {
    while (this.#sent < bytes.length) {
      const piece = bytes.subarray(this.#sent, this.#sent + BODY_PIECE)
      this.#sent += piece.length
      if (!this.#sink.write(piece) && this.#sent < bytes.length) return
    }
    this.#finish()
  }

  #finish(): void {
    this.#isStopped = true
    this.#bytes = undefined
    this.#iterator = undefined
    this.#sink.end()
  }

  async #pull(): Promise<void> {
    this.#isPulling = true
    try {
      for (;;) {
        const result = await this.#iterator?.next()
        if (this.#isStopped || result === undefined) return
        if (result.done === true) return this.#finish()
        const chunk = typeof result.value === 'string' ? encoder.encode(result.value) : result.value
        if (!this.#sink.write(chunk)) return
      }
    } catch (reason) {
      if (this.#isStopped) return
      this.#isStopped = true
      this.#onError(reason)
    } finally {
      this.#isPulling = false
    }
  }
}
