// A body as a web byte stream: a piece is asked for when somebody reads, never ahead, so that the reader's pace reaches
// the sender. Used by client-response.ts and fetch-response.ts.

/** Where the pieces come from. */
export interface ByteSource {
  /** The next piece, which the reader may keep; undefined at the end. */
  nextChunk(): Promise<Uint8Array | undefined>
  /** Wants no more. */
  discardBody(): void
}

/**
 * @param explain turns what the source failed with into what the reader gets
 */
export function byteStream(
  source: ByteSource,
  explain: (error: unknown) => unknown = (error) => error,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        try {
          const chunk = await source.nextChunk()
          if (chunk === undefined) endStream(controller)
          else if (chunk.length > 0) controller.enqueue(chunk as Uint8Array<ArrayBuffer>)
          // A pull that brings nothing is not repeated by itself.
          else return this.pull?.(controller)
        } catch (error) {
          controller.error(explain(error))
        }
      },
      cancel: () => source.discardBody(),
    },
    { highWaterMark: 0 },
  )
}

/** A read into the caller's own buffer has to be answered even though nothing came. */
function endStream(controller: ReadableByteStreamController): void {
  controller.close()
  controller.byobRequest?.respond(0)
}
