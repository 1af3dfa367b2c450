// The streams of a connection and what they share: the table, both levels of credit, the order of sending
// (RFC 9000 sections 2 to 4). A part of QuicConnection; every stream knows it as its host.
import {
  CONNECTION_WINDOW_FACTOR,
  type QuicStream,
  ReceiveCredit,
  SendCredit,
  SendQueue,
  type StreamHost,
  type StreamKind,
  StreamTable,
} from '../streams/index.ts'
import type { QuicConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import type { RememberedLimits } from './early-data.ts'

export class ConnectionStreams implements StreamHost {
  readonly table: StreamTable
  readonly sendQueue = new SendQueue<QuicStream>()
  /** The peer takes RESET_STREAM_AT. */
  canResetAt = false
  readonly sendCredit = new SendCredit(0)
  readonly receiveCredit: ReceiveCredit
  readonly #connection: QuicConnection
  /** Streams with data that wait for credit of the connection. */
  readonly #blocked = new Set<QuicStream>()
  /** Streams read to their end in this turn. */
  #readAll: QuicStream[] = []
  /** Streams opened as rejected early data, beyond what the server allows now; undefined when there are none. */
  #withheld: Set<QuicStream> | undefined

  constructor(connection: QuicConnection, options: ConnectionOptions) {
    const { settings } = connection
    this.#connection = connection
    this.receiveCredit = new ReceiveCredit(settings.initialMaxData, connection.now)
    this.table = new StreamTable(
      connection.isServer,
      {
        maxStreamDataBidiLocal: settings.initialMaxStreamDataBidiLocal,
        maxStreamDataBidiRemote: settings.initialMaxStreamDataBidiRemote,
        maxStreamDataUni: settings.initialMaxStreamDataUni,
        maxStreamsBidi: settings.initialMaxStreamsBidi,
        maxStreamsUni: settings.initialMaxStreamsUni,
      },
      this,
      connection.log?.watchStreams(options.supervision) ?? options.supervision,
      (stream) => connection.application!.acceptStream(stream),
    )
  }

  /** The peer's transport parameters, section 7.4; before them, at a client with early data, the remembered ones. */
  setPeerLimits(peer: RememberedLimits): void {
    this.sendCredit.raise(peer.initialMaxData)
    this.canResetAt = peer.resetStreamAt
    this.table.setPeerLimits({
      maxStreamDataBidiLocal: peer.initialMaxStreamDataBidiLocal,
      maxStreamDataBidiRemote: peer.initialMaxStreamDataBidiRemote,
      maxStreamDataUni: peer.initialMaxStreamDataUni,
      maxStreamsBidi: peer.initialMaxStreamsBidi,
      maxStreamsUni: peer.initialMaxStreamsUni,
    })
    this.#sendAgain()
  }

  /** Early data was rejected: everything is unsent, and without credit until the peer's parameters come. */
  rewind(): void {
    this.sendQueue.clear()
    this.#blocked.clear()
    this.sendCredit.max = 0
    this.sendCredit.used = 0
    this.sendCredit.reportedAt = -1
    for (const stream of this.table.streams.values()) stream.sending?.rewind()
  }

  /** Streams that exist already go by the new limits. */
  #sendAgain(): void {
    const { table } = this
    if (table.streams.size === 0) return
    for (const stream of table.streams.values()) {
      if (!table.isWithinLimit(stream.id)) {
        this.#withheld ??= new Set()
        this.#withheld.add(stream)
      } else if (stream.hasOutput(this.sendCredit.available)) this.queueSend(stream)
    }
  }

  /** MAX_STREAMS arrived. Returns whether it allows more than before. */
  handleMaxStreams(kind: number, max: number): boolean {
    const credit = this.table.local[kind]
    if (max <= credit.max) return false
    credit.max = max
    const withheld = this.#withheld
    if (withheld === undefined) return true
    this.#withheld = undefined
    this.#sendAgain()
    return true
  }

  open(kind: StreamKind): QuicStream | undefined {
    const stream = this.table.open(kind)
    if (stream === undefined && this.#connection.isHandshakeComplete) {
      this.#reportStreamsBlocked(kind === 'bidi' ? 0 : 1)
    }
    return stream
  }

  #reportStreamsBlocked(kind: number): void {
    const credit = this.table.local[kind]
    if (credit.reportedAt === credit.max) return
    credit.reportedAt = credit.max
    this.#connection.control.queueStreamsBlocked(kind)
  }

  release(id: number, keepsCredit: boolean): void {
    const stream = this.table.release(id)
    if (stream === undefined) return
    this.sendQueue.remove(stream)
    this.#blocked.delete(stream)
    this.#withheld?.delete(stream)
    if (!keepsCredit) this.returnCredit(id)
    // One application that fails must not keep the other streams of a closing connection from ending.
    this.#connection.guard(() => {
      stream.application?.handleClosed(stream, stream.actor.getSnapshot().output as 'closed' | 'reset')
    })
  }

  returnCredit(id: number): void {
    this.table.returnCredit(id)
    this.#updateLimit((id >>> 1) & 1)
  }

  /** The peer waits for streams: what has come back goes out at once. */
  forceCredit(kind: number): void {
    this.table.peer[kind].isForced = true
    this.#updateLimit(kind)
  }

  #updateLimit(kind: number): void {
    if (this.table.peer[kind].isUpdateDue && !this.#connection.isEnding) {
      this.#connection.control.queueMaxStreams(kind)
    }
  }

  /** The connection has ended. */
  closeAll(): void {
    this.sendQueue.clear()
    this.#blocked.clear()
    this.#withheld = undefined
    this.table.closeAll()
  }

  // --- StreamHost ---

  queueSend(stream: QuicStream): void {
    if (this.#withheld?.has(stream)) return
    this.sendQueue.push(stream)
    this.#connection.wake()
  }

  setPriority(stream: QuicStream, urgency: number, incremental: boolean): void {
    this.sendQueue.setPriority(stream, urgency, incremental)
  }

  noteReadAll(stream: QuicStream): void {
    this.#readAll.push(stream)
    this.#connection.wake()
  }

  get now(): number {
    return this.#connection.now
  }

  tuneStreamWindow(credit: ReceiveCredit): void {
    const { recovery, settings, now } = this.#connection
    if (!credit.tune(now, recovery.rtt.smoothed, settings.maxStreamReceiveWindow)) return
    const least = credit.window * CONNECTION_WINDOW_FACTOR
    if (this.receiveCredit.ensure(least, settings.maxReceiveWindow)) this.handleCreditConsumed()
  }

  /** MAX_DATA is about to be sent. */
  tuneWindow(): void {
    const { recovery, settings, now } = this.#connection
    this.receiveCredit.tune(now, recovery.rtt.smoothed, settings.maxReceiveWindow)
  }

  handleCreditConsumed(): void {
    if (this.receiveCredit.isUpdateDue && !this.#connection.isEnding) this.#connection.control.queueMaxData()
  }

  /** Streams read to their end get their event here, outside of the reader's call. */
  settleReads(): void {
    if (this.#readAll.length === 0) return
    const streams = this.#readAll
    this.#readAll = []
    for (const stream of streams) {
      stream.receiving?.finishReading()
    }
  }

  // --- Sending ---

  /** After its turn a stream waits again, waits for connection credit, or has nothing left. */
  endTurn(stream: QuicStream): void {
    const { available } = this.sendCredit
    if (stream.hasOutput(available)) {
      this.sendQueue.yield(stream)
      return
    }
    this.sendQueue.remove(stream)
    if (available === 0 && stream.hasOutput(1)) {
      this.#blocked.add(stream)
      if (this.sendCredit.reportedAt === this.sendCredit.max) return
      this.sendCredit.reportedAt = this.sendCredit.max
      this.#connection.control.queueDataBlocked()
    }
  }

  /** MAX_DATA arrived. */
  handleMaxData(max: number): void {
    if (!this.sendCredit.raise(max)) return
    for (const stream of this.#blocked) this.sendQueue.push(stream)
    this.#blocked.clear()
  }
}
