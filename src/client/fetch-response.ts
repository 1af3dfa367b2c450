// The Response of fetch(): the web's own, which knows besides where it came from and what followed its body. Made by
// fetch.ts.
import type { ClientResponse } from './client-response.ts'
import { toHeaders } from './fields.ts'

/** What a Response cannot be given by its constructor. */
export interface ResponseFacts {
  readonly url: URL
  readonly isRedirected: boolean
  readonly source: ClientResponse
}

/** What fetch() resolves with: a `Response` that also says which protocol it came by. */
export class FetchResponse extends Response {
  readonly #facts: ResponseFacts

  constructor(
    body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
    init: ResponseInit,
    facts: ResponseFacts,
  ) {
    super(body, init)
    this.#facts = facts
    const { url, isRedirected } = facts
    const withoutFragment = new URL(url)
    withoutFragment.hash = ''
    Object.defineProperties(this, {
      url: { value: withoutFragment.href },
      redirected: { value: isRedirected },
      type: { value: 'basic' },
    })
  }

  /** "h3" or "http/1.1". */
  get protocol(): 'h3' | 'http/1.1' {
    return this.#facts.source.protocol
  }

  /** The trailer section; undefined until the body has been read to its end, or when there is none. */
  get trailers(): Headers | undefined {
    const { trailers } = this.#facts.source
    return trailers && toHeaders(trailers)
  }

  override clone(): FetchResponse {
    const { body, status, headers } = super.clone()
    return new FetchResponse(
      body as ReadableStream<Uint8Array<ArrayBuffer>> | null,
      { status, headers },
      this.#facts,
    )
  }
}

/** Responses that were thrown away unread: whoever collects the garbage tells the server that they are not wanted. */
const forgotten = new FinalizationRegistry<ClientResponse>((response) => response.discard())

/** Lets go of the response when nobody holds its stream any more. */
export function streamForGood<T extends object>(stream: T, response: ClientResponse): T {
  forgotten.register(stream, response)
  return stream
}
