// Undoes the content codings of a response (RFC 9110 section 8.4) piece by piece, no faster than the result is read.
// Used by fetch.ts.
import { pipeline, Readable, type Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import type { ByteSource } from './byte-stream.ts'
import { ClientError } from './client-error.ts'
import { MAX_CONTENT_CODINGS } from './limits.ts'

/** What is asked for: the codings that are undone here. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br, zstd'

/** A body that ends too early gives what there is of it, as browsers do it. */
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }

/** RFC 1950 section 2.2: method 8 in the low half of the first byte. Some servers send "deflate" without that frame. */
const ZLIB_METHOD = 8

type Coding = (firstByte: number) => Transform

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: () => createGunzip(LENIENT),
  'x-gzip': () => createGunzip(LENIENT),
  deflate: (first) => ((first & 0x0f) === ZLIB_METHOD ? createInflate(LENIENT) : createInflateRaw(LENIENT)),
  br: () =>
    createBrotliDecompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
  zstd: () =>
    createZstdDecompress({ flush: constants.ZSTD_e_continue, finishFlush: constants.ZSTD_e_continue }),
}

/**
 * The codings of a Content-Encoding value in the order in which they are undone; empty when there are none, or one that
 * is not known: then the body stays as it is.
 * @throws ClientError of kind 'content' when there are too many
 */
export function codingsOf(value: string | null): readonly string[] {
  const names = (value ?? '').split(',').map((name) => name.trim().toLowerCase())
  const codings = names.filter((name) => name !== '' && name !== 'identity')
  if (codings.length > MAX_CONTENT_CODINGS) {
    throw new ClientError('content', `the response has ${codings.length} content codings`)
  }
  return codings.every((name) => Object.hasOwn(CODINGS, name)) ? codings.reverse() : []
}

/** The body behind a coded one. @param codings of codingsOf(), not empty */
export class DecodedBody implements ByteSource {
  readonly #source: ByteSource
  readonly #codings: readonly string[]
  #decoder: Readable | undefined
  #pieces: AsyncIterator<Buffer> | undefined
  #isOver = false

  constructor(source: ByteSource, codings: readonly string[]) {
    this.#source = source
    this.#codings = codings
  }

  async nextChunk(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined
    this.#pieces ??= await this.#begin()
    const result = await this.#pieces?.next()
    if (result === undefined || result.done === true) {
      this.#isOver = true
      return undefined
    }
    // zlib's pieces may share memory; these belong to the reader.
    return new Uint8Array(result.value)
  }

  discardBody(): void {
    this.#isOver = true
    this.#decoder?.destroy()
    this.#source.discardBody()
  }

  /** The first piece decides how "deflate" is meant; a body without any has nothing to undo. */
  async #begin(): Promise<AsyncIterator<Buffer> | undefined> {
    let first = await this.#source.nextChunk()
    while (first?.length === 0) first = await this.#source.nextChunk()
    if (first === undefined) return undefined
    const source = Readable.from(this.#rest(first), { objectMode: false })
    const decoders = this.#codings.map((name, index) => CODINGS[name]!(index === 0 ? first[0]! : ZLIB_METHOD))
    this.#decoder = decoders.at(-1)
    // The error reaches whoever reads; the callback has nobody to tell.
    pipeline([source, ...decoders], () => {})
    return this.#explained(this.#decoder!)
  }

  async *#rest(first: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let chunk: Uint8Array | undefined = first; chunk !== undefined; ) {
      yield chunk
      chunk = await this.#source.nextChunk()
    }
  }

  async *#explained(decoder: Readable): AsyncGenerator<Buffer> {
    try {
      yield* decoder as AsyncIterable<Buffer>
    } catch (error) {
      this.#source.discardBody()
      const isZlib =
        error instanceof Error && /^(Z_|ERR_|ZSTD_)/.test((error as NodeJS.ErrnoException).code ?? '')
      if (!isZlib) throw error
      throw new ClientError('content', `the content coding is broken: ${error.message}`, undefined, {
        cause: error,
      })
    }
  }
}
