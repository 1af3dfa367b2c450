// Streams of a session as web streams, W3C WebTransport sections 7 to 10: a WritableStream whose writes wait for room,
// and a ReadableStream of bytes that reads from QUIC only what somebody asks for. Made by session-surface.ts.
import { ReadableStream, WritableStream } from 'node:stream/web'
import type { WebTransportStream, WebTransportStreamEvents } from '../../http3/index.ts'
import { codeOf, WebTransportError } from './error.ts'
import { READ_PIECE } from './limits.ts'
import type { SendOrder } from './send-order.ts'

export interface WebTransportSendStreamStats {
  /** Bytes that were written. */
  readonly bytesWritten: number
  /** Bytes that have left, and that the peer has acknowledged, without the stream's header. */
  readonly bytesSent: number
  readonly bytesAcknowledged: number
}

export interface WebTransportReceiveStreamStats {
  readonly bytesReceived: number
  readonly bytesRead: number
}

/** Bytes of a chunk: a copy, because the transport keeps what it gets until it is acknowledged. */
export function copyOf(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) {
    return new Uint8Array(chunk.slice(0))
  }
  if (ArrayBuffer.isView(chunk)) {
    const { buffer, byteOffset, byteLength } = chunk
    const copy = new Uint8Array(byteLength)
    copy.set(new Uint8Array(buffer, byteOffset, byteLength))
    return copy
  }
  throw new TypeError('a chunk is an ArrayBuffer or a view of one')
}

interface Deferred {
  resolve(): void
  reject(reason: unknown): void
}

class Sink {
  readonly #stream: WebTransportStream
  #controller!: { error(reason: unknown): void }
  #waiting: Deferred | undefined
  #failure: unknown
  #onOver: (() => void) | undefined

  /** @param onOver called once when nothing more is sent */
  constructor(stream: WebTransportStream, onOver: () => void) {
    this.#stream = stream
    this.#onOver = onOver
  }

  start(controller: { error(reason: unknown): void }): void {
    this.#controller = controller
  }

  write(chunk: unknown): Promise<void> | undefined {
    const bytes = copyOf(chunk)
    if (this.#failure !== undefined) throw this.#failure
    if (bytes.length === 0 || this.#stream.write(bytes)) return undefined
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** Resolves when the peer has acknowledged everything: then nothing that was written can be lost any more. */
  close(): Promise<void> {
    this.#stream.end()
    return new Promise((resolve, reject) => {
      this.#stream.whenSent((isAcknowledged) => {
        this.#finish()
        if (isAcknowledged) resolve()
        else reject(this.#failure ?? new WebTransportError('the stream was reset before everything arrived'))
      })
    })
  }

  abort(reason: unknown): void {
    this.#stream.reset(codeOf(reason))
    this.fail(reason)
  }

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve()
  }

  fail(reason: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(reason)
    this.#controller.error(reason)
    this.#finish()
  }

  #finish(): void {
    const onOver = this.#onOver
    this.#onOver = undefined
    onOver?.()
  }
}

/** Our half of a stream. */
export class WebTransportSendStream extends WritableStream<unknown> {
  readonly #stream: WebTransportStream
  readonly #order: SendOrder
  readonly #sink: Sink

  constructor(stream: WebTransportStream, order: SendOrder) {
    const sink = new Sink(stream, () => order.remove(stream))
    super(sink)
    this.#stream = stream
    this.#order = order
    this.#sink = sink
  }

  /** Streams of one session with a greater number are sent first; null shares with the others. */
  get sendOrder(): number | null {
    return this.#order.get(this.#stream)
  }

  set sendOrder(value: number | null) {
    this.#order.set(this.#stream, value)
  }

  /** Bytes written, sent and acknowledged. */
  getStats(): Promise<WebTransportSendStreamStats> {
    const { bytesWritten, bytesSent, bytesAcknowledged } = this.#stream
    return Promise.resolve({ bytesWritten, bytesSent, bytesAcknowledged })
  }

  /** @internal */
  get sink(): Pick<Sink, 'wake' | 'fail'> {
    return this.#sink
  }
}

interface ByteController {
  readonly byobRequest: { respond(bytes: number): void } | null
  enqueue(chunk: Uint8Array): void
  close(): void
  error(reason: unknown): void
}

class Source {
  readonly type = 'bytes' as const
  readonly #stream: WebTransportStream
  #controller!: ByteController
  #wake: (() => void) | undefined
  #isOver = false

  constructor(stream: WebTransportStream) {
    this.#stream = stream
  }

  start(controller: unknown): void {
    this.#controller = controller as ByteController
  }

  pull(): Promise<void> | undefined {
    if (this.#deliver()) return undefined
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  cancel(reason: unknown): void {
    this.#isOver = true
    this.#stream.stopReceiving(codeOf(reason))
  }

  handleReadable(): void {
    if (this.#wake === undefined || !this.#deliver()) return
    const wake = this.#wake
    this.#wake = undefined
    wake()
  }

  /** Hands out what is there, up to a piece; false when that is nothing. */
  #deliver(): boolean {
    if (this.#isOver) return true
    const pieces: Uint8Array[] = []
    let length = 0
    while (length < READ_PIECE) {
      const piece = this.#stream.read()
      if (piece === undefined) break
      length += piece.length
      pieces.push(piece)
    }
    if (length > 0) this.#controller.enqueue(joined(pieces, length))
    if (!this.#stream.isReadComplete) return length > 0
    this.#isOver = true
    this.#controller.close()
    // A reader that brought its own buffer waits for this answer.
    this.#controller.byobRequest?.respond(0)
    return true
  }

  fail(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#controller.error(reason)
    this.#wake?.()
    this.#wake = undefined
  }
}

/** A copy of all of them in one: what was read is lent for this call only. */
function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}

/** The peer's half of a stream. */
export class WebTransportReceiveStream extends ReadableStream<Uint8Array> {
  readonly #stream: WebTransportStream
  readonly #source: Source

  constructor(stream: WebTransportStream) {
    const source = new Source(stream)
    super(source)
    this.#stream = stream
    this.#source = source
  }

  /** Bytes received and read. */
  getStats(): Promise<WebTransportReceiveStreamStats> {
    const { bytesReceived, bytesRead } = this.#stream
    return Promise.resolve({ bytesReceived, bytesRead })
  }

  /** @internal */
  get source(): Pick<Source, 'handleReadable' | 'fail'> {
    return this.#source
  }
}

/** Both halves. */
export interface WebTransportBidirectionalStream {
  /** What the peer sends. */
  readonly readable: WebTransportReceiveStream
  /** What goes to the peer. */
  readonly writable: WebTransportSendStream
}

/** Brings what happens to the stream to its web streams. */
class Binding implements WebTransportStreamEvents {
  readonly #readable: WebTransportReceiveStream | undefined
  readonly #writable: WebTransportSendStream | undefined

  constructor(readable: WebTransportReceiveStream | undefined, writable: WebTransportSendStream | undefined) {
    this.#readable = readable
    this.#writable = writable
  }

  handleReadable(): void {
    this.#readable?.source.handleReadable()
  }

  handleWritable(): void {
    this.#writable?.sink.wake()
  }

  handleReset(code: number | undefined): void {
    this.#readable?.source.fail(streamError('the peer reset the stream', code))
  }

  handleStopSending(code: number | undefined): void {
    this.#writable?.sink.fail(streamError('the peer stopped the stream', code))
  }

  handleSessionEnd(): void {
    const error = new WebTransportError('the session has ended', { source: 'session' })
    this.#readable?.source.fail(error)
    this.#writable?.sink.fail(error)
  }
}

function streamError(message: string, code: number | undefined): WebTransportError {
  return new WebTransportError(message, { source: 'stream', streamErrorCode: code ?? null })
}

export function bidirectional(stream: WebTransportStream, order: SendOrder): WebTransportBidirectionalStream {
  const readable = new WebTransportReceiveStream(stream)
  const writable = new WebTransportSendStream(stream, order)
  stream.observe(new Binding(readable, writable))
  return { readable, writable }
}

export function sending(stream: WebTransportStream, order: SendOrder): WebTransportSendStream {
  const writable = new WebTransportSendStream(stream, order)
  stream.observe(new Binding(undefined, writable))
  return writable
}

export function receiving(stream: WebTransportStream): WebTransportReceiveStream {
  const readable = new WebTransportReceiveStream(stream)
  stream.observe(new Binding(readable, undefined))
  return readable
}
