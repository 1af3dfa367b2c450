// A body as a web byte stream: a piece is asked for when somebody reads, never ahead, so that the reader's pace reaches
// the sender. Used by client-response.ts and fetch.ts.

/** Where the pieces come from. */
export interface ByteSource {
  /** The next piece, which the reader may keep; undefined at the end. */
  nextChunk(): Promise<Uint8Array | undefined>
  /** Wants no more. */
  discardBody(): void
}

export interface ByteStreamOptions {
  /** Turns what the source failed with into what the reader gets. */
  readonly explain?: (error: unknown) => unknown
  /** Where a failure shows before anybody reads; the stream fails with it at once. */
  readonly origin?: { onFailure: ((reason: unknown) => void) | undefined }
}

export function byteStream(
  source: ByteSource,
  { explain = (error) => error, origin }: ByteStreamOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(
    {
      type: 'bytes',
      start(controller) {
        if (origin === undefined) return
        // Weak: a stream that nobody reads any more must not live on in what it reads from.
        const reference = new WeakRef(controller)
        origin.onFailure = (reason) => reference.deref()?.error(explain(reason))
      },
      async pull(controller) {
        try {
          let chunk = await source.nextChunk()
          // A pull that brings nothing would not be repeated.
          while (chunk?.length === 0) chunk = await source.nextChunk()
          if (chunk === undefined) endStream(controller)
          else controller.enqueue(chunk as Uint8Array<ArrayBuffer>)
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
