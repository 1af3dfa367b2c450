// A WebTransport session as the W3C shapes it (section 5), the same for both sides: promises for its life, web streams
// for everything else. Extended by the server's session (handlers) and the client's (client).
import { ReadableStream } from 'node:stream/web'
import {
  type CloseMessage,
  MAX_APPLICATION_CODE,
  type SessionEnd,
  type SessionEvents,
  type WebTransportSession,
  type WebTransportStream,
} from '../../http3/index.ts'
import type { StreamKind } from '../../transport/streams/index.ts'
import type { SessionRegistry } from '../webtransport-sessions.ts'
import { type DatagramPort, WebTransportDatagrams } from './datagrams.ts'
import { WebTransportError } from './error.ts'
import { EXPORTED_LENGTH, MAX_WAITING_STREAMS } from './limits.ts'
import { SendOrder } from './send-order.ts'
import { connectionStats, type WebTransportConnectionStats } from './stats.ts'
import {
  bidirectional,
  receiving,
  sending,
  type WebTransportBidirectionalStream,
  type WebTransportReceiveStream,
  type WebTransportSendStream,
} from './streams.ts'

/** Why a session was closed, as both sides see it. */
export interface WebTransportCloseInfo {
  /** 0..2^32-1; default 0. */
  readonly closeCode?: number
  /** Cut to 1,024 bytes of UTF-8; default empty. */
  readonly reason?: string
}

/** How a stream is opened and sent. */
export interface WebTransportSendOptions {
  /** Streams with a greater number are sent first. */
  readonly sendOrder?: number | null
  /** Waits while the peer's limits forbid another stream, instead of failing with QuotaExceededError. */
  readonly waitUntilAvailable?: boolean
}

/** A promise that may fail without anybody listening. */
class Milestone<T> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (reason: unknown) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => {})
  }
}

interface WaitingOpen {
  readonly kind: StreamKind
  readonly resolve: (stream: WebTransportStream) => void
  readonly reject: (reason: unknown) => void
}

class Incoming<T> {
  readonly readable: ReadableStream<T>
  readonly #take: () => T | undefined
  #controller!: { enqueue(stream: T): void; close(): void; error(reason: unknown): void }
  #wake: (() => void) | undefined
  #isOver = false

  constructor(take: () => T | undefined) {
    this.#take = take
    this.readable = new ReadableStream<T>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#isOver = true
        },
      },
      { highWaterMark: 0 },
    )
  }

  #pull(): Promise<void> | undefined {
    if (this.#deliver()) return undefined
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #deliver(): boolean {
    if (this.#isOver) return true
    const stream = this.#take()
    if (stream === undefined) return false
    this.#controller.enqueue(stream)
    return true
  }

  handleArrival(): void {
    const wake = this.#wake
    if (wake === undefined || !this.#deliver()) return
    this.#wake = undefined
    wake()
  }

  end(error: unknown): void {
    if (!this.#isOver) {
      this.#isOver = true
      if (error === undefined) this.#controller.close()
      else this.#controller.error(error)
    }
    this.#wake?.()
    this.#wake = undefined
  }
}

export abstract class SessionSurface implements SessionEvents, DatagramPort {
  /** Fulfilled when the session is established. */
  readonly #ready = new Milestone<undefined>()
  readonly #closed = new Milestone<Required<WebTransportCloseInfo>>()
  readonly #draining = new Milestone<undefined>()
  readonly #order = new SendOrder()
  readonly #bidi = new Incoming(() => this.#take('bidi', bidirectional))
  readonly #uni = new Incoming(() => this.#take('uni', receiving))
  readonly #datagrams = new WebTransportDatagrams(this)
  #core: WebTransportSession | undefined
  #registry: SessionRegistry | undefined
  #waiting: WaitingOpen[] = []
  #isOver = false

  /** Puts the surface on a session; called once. */
  protected attach(core: WebTransportSession, registry: SessionRegistry): void {
    this.#core = core
    this.#registry = registry
    core.events = this
  }

  protected get core(): WebTransportSession | undefined {
    return this.#core
  }

  protected get isOver(): boolean {
    return this.#isOver
  }

  /** The application uses the session: a server accepts it now. */
  protected abstract handleUse(): void

  // --- W3C surface -------------------------------------------------------------------------------------------------

  /** Resolves when the session is open; rejects with WebTransportError when it does not come to that. */
  get ready(): Promise<undefined> {
    this.handleUse()
    return this.#ready.promise
  }

  /** Resolves with what the session was closed with, by either side; rejects when it ended otherwise. */
  get closed(): Promise<Required<WebTransportCloseInfo>> {
    return this.#closed.promise
  }

  /** Resolves when either side wants the session to end soon (WT_DRAIN_SESSION or GOAWAY). */
  get draining(): Promise<undefined> {
    return this.#draining.promise
  }

  /** Datagrams in both directions. */
  get datagrams(): WebTransportDatagrams {
    this.handleUse()
    return this.#datagrams
  }

  /** Bidirectional streams that the peer opens. */
  get incomingBidirectionalStreams(): ReadableStream<WebTransportBidirectionalStream> {
    this.handleUse()
    return this.#bidi.readable
  }

  /** Unidirectional streams that the peer opens. */
  get incomingUnidirectionalStreams(): ReadableStream<WebTransportReceiveStream> {
    this.handleUse()
    return this.#uni.readable
  }

  /** Datagrams may get lost: there is no way over TCP. */
  readonly reliability = 'supports-unreliable' as const

  /** Neither throughput nor latency is preferred: the algorithm is that of the connection. */
  readonly congestionControl = 'default' as const

  /**
   * Opens a stream in both directions. @throws QuotaExceededError where the peer allows no more,
   * WebTransportError when the session is over
   */
  async createBidirectionalStream(
    options: WebTransportSendOptions = {},
  ): Promise<WebTransportBidirectionalStream> {
    const stream = bidirectional(await this.#open('bidi', options), this.#order)
    stream.writable.sendOrder = options.sendOrder ?? null
    return stream
  }

  /**
   * Opens a stream to the peer. @throws QuotaExceededError where the peer allows no more, WebTransportError
   * when the session is over
   */
  async createUnidirectionalStream(options: WebTransportSendOptions = {}): Promise<WebTransportSendStream> {
    const stream = sending(await this.#open('uni', options), this.#order)
    stream.sendOrder = options.sendOrder ?? null
    return stream
  }

  /** Closes the session; its streams are reset, what is under way on them is lost. Closing twice does nothing. */
  close({ closeCode = 0, reason = '' }: WebTransportCloseInfo = {}): void {
    if (!Number.isInteger(closeCode) || closeCode < 0 || closeCode > MAX_APPLICATION_CODE) {
      throw new RangeError(`${closeCode} is no close code of 32 bits`)
    }
    this.handleUse()
    this.closeCore({ code: closeCode, reason: String(reason) })
  }

  protected closeCore(message: CloseMessage): void {
    this.#core?.close(message)
  }

  /** Asks the peer to bring the session to an end. */
  drain(): void {
    this.handleUse()
    this.#core?.drain()
  }

  /** Numbers of the connection, bytes and ms. @throws InvalidStateError before the session is ready */
  async getStats(): Promise<WebTransportConnectionStats> {
    const core = this.#core
    if (core === undefined) throw invalidState('the session is not ready')
    return connectionStats(core.request.connection.transport, this.#datagrams.stats())
  }

  /**
   * Keying material that only the two ends of this session share (draft-ietf-webtrans-http3 section 4.8).
   * @param label 1 to 255 bytes; @param context at most 255 bytes; @param length bytes wanted
   */
  async exportKeyingMaterial(
    label: string | Uint8Array,
    context: Uint8Array = new Uint8Array(0),
    length = EXPORTED_LENGTH,
  ): Promise<Uint8Array> {
    await this.ready
    const bytes = typeof label === 'string' ? new TextEncoder().encode(label) : label
    return this.#core!.exportKeyingMaterial(bytes, context, length)
  }

  // --- streams -----------------------------------------------------------------------------------------------------

  #take<T>(kind: StreamKind, wrap: (stream: WebTransportStream, order: SendOrder) => T): T | undefined {
    const stream = this.#core?.takeIncoming(kind)
    return stream && wrap(stream, this.#order)
  }

  async #open(kind: StreamKind, options: WebTransportSendOptions): Promise<WebTransportStream> {
    this.handleUse()
    if (this.#core === undefined && !this.#isOver) await this.#ready.promise
    if (this.#isOver) throw invalidState('the session is closed')
    const stream = this.#waiting.length === 0 ? this.#core!.openStream(kind) : undefined
    if (stream !== undefined) return stream
    if (options.waitUntilAvailable !== true || this.#waiting.length >= MAX_WAITING_STREAMS) {
      throw new DOMException('the peer allows no further stream now', 'QuotaExceededError')
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, resolve, reject })
    })
  }

  // --- SessionEvents -------------------------------------------------------------------------------------------------

  handleOpen(): void {
    this.#ready.resolve(undefined)
  }

  handleDraining(): void {
    this.#draining.resolve(undefined)
  }

  handleIncomingStream(kind: StreamKind): void {
    if (kind === 'bidi') this.#bidi.handleArrival()
    else this.#uni.handleArrival()
  }

  handleStreamCredit(): void {
    const blocked = new Set<StreamKind>()
    const left: WaitingOpen[] = []
    for (const waiting of this.#waiting.splice(0)) {
      const stream = blocked.has(waiting.kind) ? undefined : this.#core!.openStream(waiting.kind)
      if (stream !== undefined) waiting.resolve(stream)
      else {
        blocked.add(waiting.kind)
        left.push(waiting)
      }
    }
    this.#waiting.unshift(...left)
  }

  /** A datagram of the session has arrived, borrowed. */
  handleDatagram(payload: Uint8Array): void {
    if (this.#core?.isUsable === true) this.channel()?.push(payload, this.now())
  }

  handleEnd({ abrupt, code, reason, httpCode }: SessionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    const where = httpCode === undefined ? reason : `${reason} (0x${httpCode.toString(16)})`
    const error = new WebTransportError(where, { source: 'session' })
    const isClean = abrupt === undefined
    this.#ready.reject(error)
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#bidi.end(isClean ? undefined : error)
    this.#uni.end(isClean ? undefined : error)
    this.#datagrams.end(isClean ? undefined : error)
    if (isClean) this.#closed.resolve({ closeCode: code, reason })
    else this.#closed.reject(error)
  }

  // --- DatagramPort --------------------------------------------------------------------------------------------------

  /** @internal */
  now(): number {
    return this.#registry?.now() ?? 0
  }

  /** @internal */
  maxPayload(): number {
    const core = this.#core
    return core?.isUsable === true ? core.request.connection.datagrams.maxPayload(core.request) : 0
  }

  /** @internal */
  send(payload: Uint8Array, handleDatagramFate: Parameters<DatagramPort['send']>[1]): void {
    const { request } = this.#core!
    request.connection.datagrams.send(request, payload, { handleDatagramFate })
  }

  /** @internal */
  channel(): ReturnType<DatagramPort['channel']> {
    const core = this.#core
    return core?.isUsable === true ? this.#registry?.datagramChannel(core.id) : undefined
  }
}

function invalidState(message: string): DOMException {
  return new DOMException(message, 'InvalidStateError')
}
