// The datagrams of a session, W3C WebTransport section 6: a readable that drops the oldest, a writable that waits for
// those before it, and both drop what has become too old. Made by session-surface.ts.
import { ReadableStream, WritableStream } from 'node:stream/web'
import type { DatagramWatcher } from '../../transport/connection/index.ts'
import type { DatagramChannel } from '../datagram-channel.ts'
import { DATAGRAMS_IN_TRANSPORT, MAX_OUTGOING_DATAGRAMS, OUTGOING_HIGH_WATER_MARK } from './limits.ts'
import { copyOf } from './streams.ts'

type DatagramFate = Parameters<DatagramWatcher['handleDatagramFate']>[0]

/** What the datagrams need of their session. */
export interface DatagramPort {
  /** Monotonic time, ms. */
  now(): number
  /** Bytes of the largest datagram that can be sent now; 0 when none can. */
  maxPayload(): number
  send(payload: Uint8Array, onFate: (fate: DatagramFate) => void): void
  /** The session's channel, opened on first use; undefined when the session is over. */
  channel(): DatagramChannel | undefined
}

export interface WebTransportDatagramStats {
  /** Received, and dropped because nobody read them soon enough. */
  readonly droppedIncoming: number
  /** Received, and too old when somebody read. */
  readonly expiredIncoming: number
  /** Written, and too old before they could be sent. */
  readonly expiredOutgoing: number
  /** Sent, and lost on the way. */
  readonly lostOutgoing: number
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly time: number
}

/**
 * The datagrams of a session (W3C WebTransport section 6): unordered, and not sent again when they get lost.
 */
export class WebTransportDatagrams {
  /** Datagrams of the peer; the oldest are dropped when nobody reads. */
  readonly readable: ReadableStream<Uint8Array>
  /** Takes byte arrays and buffers; larger ones than maxDatagramSize are dropped. */
  readonly writable: WritableStream<unknown>
  /** ms after which a datagram is not worth sending any more; null for no limit. */
  outgoingMaxAge: number | null = null
  /** Datagrams that were too old before they could be sent. */
  expiredOutgoing = 0
  /** Datagrams that were lost on the way. */
  lostOutgoing = 0
  readonly #port: DatagramPort
  #outgoing: Waiting[] = []
  #inTransport = 0
  #outgoingHighWaterMark = OUTGOING_HIGH_WATER_MARK
  #incomingMaxAge: number | null = null
  #incomingHighWaterMark: number | null = null
  #channel: DatagramChannel | undefined
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []
  #isOver = false
  readonly #controllers: { error(reason: unknown): void }[] = []
  #readController!: { enqueue(chunk: Uint8Array): void; close(): void; error(reason: unknown): void }

  constructor(port: DatagramPort) {
    this.#port = port
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#readController = controller
        },
        pull: () => this.#pull(),
        // Nobody reads any more: the channel goes on dropping the oldest.
        cancel: () => {
          this.#wakeReader = undefined
        },
      },
      { highWaterMark: 0 },
    )
    this.writable = this.createWritable()
  }

  /** Bytes of the largest datagram that fits into a packet now. */
  get maxDatagramSize(): number {
    return this.#isOver ? 0 : this.#port.maxPayload()
  }

  /** ms that a datagram may wait for its reader; null for no limit. */
  get incomingMaxAge(): number | null {
    return this.#incomingMaxAge
  }

  set incomingMaxAge(value: number | null) {
    this.#incomingMaxAge = ageOf(value)
  }

  /** Datagrams that wait for their reader before the oldest are dropped. */
  get incomingHighWaterMark(): number {
    return this.#incomingHighWaterMark ?? this.#openChannel()?.limit ?? 0
  }

  set incomingHighWaterMark(value: number) {
    this.#incomingHighWaterMark = Math.max(1, markOf(value))
    const channel = this.#openChannel()
    if (channel !== undefined) channel.limit = this.#incomingHighWaterMark
  }

  /** Datagrams that may wait to be sent before a write has to. */
  get outgoingHighWaterMark(): number {
    return this.#outgoingHighWaterMark
  }

  set outgoingHighWaterMark(value: number) {
    this.#outgoingHighWaterMark = Math.min(Math.max(1, markOf(value)), MAX_OUTGOING_DATAGRAMS)
  }

  /** One more stream of datagrams to the peer; all share the limits. */
  createWritable(): WritableStream<unknown> {
    return new WritableStream({
      start: (controller) => {
        this.#controllers.push(controller)
      },
      write: (chunk) => this.#write(copyOf(chunk)),
    })
  }

  /** What became of datagrams so far. */
  stats(): WebTransportDatagramStats {
    const { expiredOutgoing, lostOutgoing } = this
    const droppedIncoming = this.#channel?.dropped ?? 0
    const expiredIncoming = this.#channel?.expired ?? 0
    return { droppedIncoming, expiredIncoming, expiredOutgoing, lostOutgoing }
  }

  // --- incoming ----------------------------------------------------------------------------------------------------

  #openChannel(): DatagramChannel | undefined {
    if (this.#channel === undefined) {
      this.#channel = this.#port.channel()
      if (this.#channel !== undefined) this.#channel.onChange = () => this.#handleArrival()
    }
    return this.#channel
  }

  #pull(): Promise<void> | undefined {
    if (this.#isOver || this.#deliver()) return undefined
    return new Promise((resolve) => {
      this.#wakeReader = resolve
    })
  }

  #deliver(): boolean {
    const oldest = this.#incomingMaxAge === null ? undefined : this.#port.now() - this.#incomingMaxAge
    const payload = this.#openChannel()?.take(oldest)
    if (payload === undefined) return false
    this.#readController.enqueue(payload)
    return true
  }

  #handleArrival(): void {
    const wake = this.#wakeReader
    if (wake === undefined || this.#isOver || !this.#deliver()) return
    this.#wakeReader = undefined
    wake()
  }

  // --- outgoing ----------------------------------------------------------------------------------------------------

  #write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#isOver) return undefined
    // The W3C: one that is too large is dropped, and nobody is told.
    if (bytes.length > this.#port.maxPayload()) return undefined
    this.#outgoing.push({ bytes, time: this.#port.now() })
    this.#send()
    if (this.#outgoing.length < this.#outgoingHighWaterMark) return undefined
    return new Promise((resolve) => this.#wakeWriters.push(resolve))
  }

  #send(): void {
    while (this.#outgoing.length > 0 && this.#inTransport < DATAGRAMS_IN_TRANSPORT) {
      const { bytes, time } = this.#outgoing.shift()!
      const isOld = this.outgoingMaxAge !== null && this.#port.now() - time > this.outgoingMaxAge
      // The path may have come to carry less since it was written.
      if (isOld || bytes.length > this.#port.maxPayload()) {
        this.expiredOutgoing++
        continue
      }
      this.#inTransport++
      this.#port.send(bytes, (fate) => this.#handleFate(fate))
    }
    if (this.#outgoing.length >= this.#outgoingHighWaterMark) return
    const writers = this.#wakeWriters
    this.#wakeWriters = []
    for (const wake of writers) wake()
  }

  #handleFate(fate: DatagramFate): void {
    if (fate === 'lost') this.lostOutgoing++
    if (fate !== 'sent' && fate !== 'dropped') return
    this.#inTransport--
    if (!this.#isOver) this.#send()
  }

  // --- end ---------------------------------------------------------------------------------------------------------

  /** The session has ended. @param error undefined after a clean end */
  end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#outgoing = []
    this.#wakeReader?.()
    this.#wakeReader = undefined
    for (const wake of this.#wakeWriters.splice(0)) wake()
    for (const controller of this.#controllers.splice(0)) {
      controller.error(error ?? new DOMException('the session is closed', 'InvalidStateError'))
    }
    if (error === undefined) this.#close()
    else this.#readController.error(error)
  }

  #close(): void {
    try {
      this.#readController.close()
    } catch {
      // The reader has cancelled: closed already.
    }
  }
}

function ageOf(value: number | null): number | null {
  if (value === null) return null
  if (Number.isNaN(value) || value < 0) throw new RangeError('an age is not negative')
  return value === 0 ? null : value
}

function markOf(value: number): number {
  if (Number.isNaN(value) || value < 0) throw new RangeError('a high-water mark is not negative')
  return value
}
