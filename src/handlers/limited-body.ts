// A request body that may only be so long. Used by the exchanges when their handler was given a limit.

/** The body is longer than its handler takes. Answered by 413 when nobody else does (RFC 9110 section 15.5.14). */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
  /** Bytes that the handler takes. */
  readonly limit: number

  constructor(limit: number) {
    super(`the body of the request is longer than ${limit} bytes`)
    this.limit = limit
  }
}

/** The same chunks; throws BodyTooLargeError instead of the one that goes beyond `limit` bytes. */
export async function* limitedBody(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limit) throw new BodyTooLargeError(limit)
    yield chunk
  }
}
