// A response as the caller of request() sees it: head at once, body when asked for. An unread body holds back its
// stream (backpressure), so whoever does not want it calls discard(). Made by client-exchange.ts and tcp-exchange.ts.
import type { Priority } from '../http3/index.ts'
import { byteStream } from './byte-stream.ts'
import type { ClientDatagrams } from './client-datagrams.ts'
import { ClientError } from './client-error.ts'
import { firstField, toHeaders } from './fields.ts'
import { MAX_COLLECTED_BODY } from './limits.ts'
import type { ClientSession } from './session.ts'

/** What a response is read from. */
export interface ResponseSource {
  readonly protocol: 'h3' | 'http/1.1'
  readonly trailers: readonly string[] | undefined
  /** The HTTP/3 connection; undefined over TCP. */
  readonly session: ClientSession | undefined
  /** Told when request and response have failed, whether or not somebody reads. */
  onFailure: ((reason: unknown) => void) | undefined
  /** Datagrams of the request; undefined where the protocol has none. */
  readonly datagrams: ClientDatagrams | undefined
  /** The next piece of the body, a copy; undefined at its end. */
  nextChunk(): Promise<Uint8Array | undefined>
  /** Wants no more of the body. */
  discardBody(): void
  /** Asks for another urgency; does nothing where the protocol has none. */
  setPriority(priority: Partial<Priority>): void
  /** Gives up request and response. */
  abort(reason: unknown): void
}

/**
 * The head of a response, and its body: iterate over it, or read it whole. It is as it came: no redirects, no
 * decoding.
 */
export class ClientResponse implements AsyncIterable<Uint8Array> {
  /** Status code, 200 to 599. */
  readonly status: number
  /** Field lines as received: [name, value, name, value, ...], lower-case, without :status. */
  readonly fields: readonly string[]
  /** What the body is read from; for whoever puts something between. */
  readonly source: ResponseSource

  constructor(source: ResponseSource, status: number, fields: readonly string[]) {
    this.source = source
    this.status = status
    this.fields = fields
  }

  /** The fields as `Headers`; made anew by each call. */
  get headers(): Headers {
    return toHeaders(this.fields)
  }

  /** What the response came by. */
  get protocol(): 'h3' | 'http/1.1' {
    return this.source.protocol
  }

  /** The HTTP/3 connection that it came by; undefined over TCP. */
  get session(): ClientSession | undefined {
    return this.source.session
  }

  /** HTTP datagrams of this request (RFC 9297); undefined over TCP. */
  get datagrams(): ClientDatagrams | undefined {
    return this.source.datagrams
  }

  /** Trailing fields; undefined until the body has been read to its end, or when there are none. */
  get trailers(): readonly string[] | undefined {
    return this.source.trailers
  }

  /** The first field of that lower-case name. */
  header(name: string): string | undefined {
    return firstField(this.fields, name)
  }

  /** The body in pieces as they arrive; leaving the loop early discards the rest. Can be iterated once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = await this.source.nextChunk()
        if (chunk === undefined) return
        yield chunk
      }
    } finally {
      this.discard()
    }
  }

  /** The next piece of the body; undefined at its end. */
  next(): Promise<Uint8Array | undefined> {
    return this.source.nextChunk()
  }

  /** The whole body. @throws ClientError of kind 'limit' when it is larger than a buffer should be */
  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of this) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_COLLECTED_BODY) throw new ClientError('limit', 'the body is too large to be collected')
    }
    return chunks.length === 1 ? chunks[0]! : new Uint8Array(Buffer.concat(chunks, length))
  }

  /** Reads the whole body as UTF-8. @throws ClientError when it breaks off */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  /** Reads the whole body as JSON. @throws ClientError when it breaks off, SyntaxError when it is no JSON */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  /** The body as a web byte stream: pulled as it is read, discarded when cancelled. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return byteStream(this.source)
  }

  /** Reads what is left when that is next to nothing, so that the stream ends as it should; discards it otherwise. */
  async finish(): Promise<void> {
    try {
      if ((await this.source.nextChunk()) !== undefined) this.discard()
    } catch {
      // Nobody waits for this response any more.
    }
  }

  /** Gives up request and response: whoever reads the body gets the reason. */
  abort(reason: unknown): void {
    this.source.abort(reason)
  }

  /** See {@link SentRequest.setPriority}. */
  setPriority(priority: Partial<Priority>): void {
    this.source.setPriority(priority)
  }

  /** Tells the server that the rest of the body is not wanted; nothing happens when all of it was read. */
  discard(): void {
    this.source.discardBody()
  }
}
