// A response as the caller of ClientSession.request() sees it: head at once, body when asked for. An unread body
// holds back its stream (backpressure), so whoever does not want it calls discard().
import type { Priority } from '../http3/index.ts'
import { ClientError } from './client-error.ts'
import type { ClientExchange } from './client-exchange.ts'
import { firstField, toHeaders } from './fields.ts'
import { MAX_COLLECTED_BODY } from './limits.ts'

export class ClientResponse implements AsyncIterable<Uint8Array> {
  readonly status: number
  /** Field lines as received: [name, value, name, value, ...], lower-case, without :status. */
  readonly fields: readonly string[]
  readonly #exchange: ClientExchange

  constructor(exchange: ClientExchange, status: number, fields: readonly string[]) {
    this.#exchange = exchange
    this.status = status
    this.fields = fields
  }

  get headers(): Headers {
    return toHeaders(this.fields)
  }

  /** Trailing fields; undefined until the body has been read to its end, or when there are none. */
  get trailers(): readonly string[] | undefined {
    return this.#exchange.trailers
  }

  /** The first field of that lower-case name. */
  header(name: string): string | undefined {
    return firstField(this.fields, name)
  }

  /** The body in pieces as they arrive; leaving the loop early discards the rest. Can be iterated once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = await this.#exchange.nextChunk()
        if (chunk === undefined) return
        yield chunk
      }
    } finally {
      this.discard()
    }
  }

  /** The next piece of the body; undefined at its end. */
  next(): Promise<Uint8Array | undefined> {
    return this.#exchange.nextChunk()
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

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  /** The body as a web stream: pulled as it is read, discarded when cancelled. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const chunk = await this.#exchange.nextChunk()
        if (chunk === undefined) controller.close()
        else controller.enqueue(chunk)
      },
      cancel: () => this.discard(),
    })
  }

  /** See {@link SentRequest.setPriority}. */
  setPriority(priority: Partial<Priority>): void {
    this.#exchange.setPriority(priority)
  }

  /** Tells the server that the rest of the body is not wanted; nothing happens when all of it was read. */
  discard(): void {
    this.#exchange.discardBody()
  }
}
