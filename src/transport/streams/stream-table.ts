// All live streams of a connection and the stream limits of both sides, RFC 9000 sections 2.1 and 4.6.
//
// A stream that is not in the table is either not opened yet or closed; which of the two follows from the number of
// streams opened so far, so no list of old IDs is kept.

import type { CompiledMachine } from '../../machines/index.ts'
import { bidiStream, type LifeActor, receiveStream, StreamEvent, sendStream } from '../../machines/index.ts'
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { QuicStream, type StreamApplication, type StreamHost } from './stream.ts'

/** The supervisor's part: it starts and owns the actors. */
export interface StreamSupervision {
  /** Starts the stream's actor. Its owner must call `QuicConnection.releaseStream` when it becomes final. */
  startActor(table: CompiledMachine, stream: QuicStream, subject: QuicStream): LifeActor
}

/** Initial limits: windows in bytes, stream counts. */
export interface StreamLimits {
  maxStreamDataBidiLocal: number
  maxStreamDataBidiRemote: number
  maxStreamDataUni: number
  maxStreamsBidi: number
  maxStreamsUni: number
}

export type StreamKind = 'bidi' | 'uni'

/** Streams of one kind opened by the peer: how many it may open, has opened, and has had closed. */
export class PeerStreamCredit {
  readonly window: number
  advertised: number
  opened = 0
  returned = 0
  isForced = false

  constructor(window: number) {
    this.window = window
    this.advertised = window
  }

  /** Batched: a quarter of the window must have come back, unless the peer says that it waits. */
  get isUpdateDue(): boolean {
    const grown = this.returned + this.window - this.advertised
    return grown > 0 && (this.isForced || grown * 4 >= this.window)
  }

  advertise(): number {
    this.isForced = false
    this.advertised = this.returned + this.window
    return this.advertised
  }
}

/** Streams of one kind opened by us. */
export class LocalStreamCredit {
  max = 0
  opened = 0
  reportedAt = -1
}

export class StreamTable {
  readonly streams = new Map<number, QuicStream>()
  readonly peer: readonly [PeerStreamCredit, PeerStreamCredit]
  readonly local: readonly [LocalStreamCredit, LocalStreamCredit] = [
    new LocalStreamCredit(),
    new LocalStreamCredit(),
  ]
  opened = 0
  closed = 0
  readonly #localBit: number
  readonly #limits: StreamLimits
  readonly #host: StreamHost
  readonly #supervision: StreamSupervision
  readonly #accept: (stream: QuicStream) => StreamApplication
  #peerLimits: StreamLimits | undefined
  #isClosed = false

  constructor(
    isServer: boolean,
    limits: StreamLimits,
    host: StreamHost,
    supervision: StreamSupervision,
    accept: (stream: QuicStream) => StreamApplication,
  ) {
    this.#localBit = isServer ? 1 : 0
    this.#limits = limits
    this.#host = host
    this.#supervision = supervision
    this.#accept = accept
    this.peer = [new PeerStreamCredit(limits.maxStreamsBidi), new PeerStreamCredit(limits.maxStreamsUni)]
  }

  /** The peer's transport parameters, RFC 9000 section 7.4. */
  setPeerLimits(limits: StreamLimits): void {
    this.#peerLimits = limits
    this.local[0].max = limits.maxStreamsBidi
    this.local[1].max = limits.maxStreamsUni
    // Streams of early data exist before the limits of this connection do.
    for (const stream of this.streams.values()) stream.sending?.credit.raise(this.#sendLimit(stream.id) ?? 0)
  }

  /** False for a stream of ours that the peer does not allow (any more): early data that was rejected. */
  isWithinLimit(id: number): boolean {
    return !this.isLocal(id) || Math.floor(id / 4) < this.local[(id >>> 1) & 1].max
  }

  /** What the peer lets us send on a stream at first; undefined when we send nothing on it. */
  #sendLimit(id: number): number | undefined {
    const peer = this.#peerLimits
    const isLocal = this.isLocal(id)
    // The names are from the view of who sends the parameter: our "local" is the peer's "remote".
    if ((id & 2) === 0) return (isLocal ? peer?.maxStreamDataBidiRemote : peer?.maxStreamDataBidiLocal) ?? 0
    return isLocal ? (peer?.maxStreamDataUni ?? 0) : undefined
  }

  /** Opens a stream of ours; undefined while the peer's limit forbids it. */
  open(kind: StreamKind): QuicStream | undefined {
    const index = kind === 'bidi' ? 0 : 1
    const credit = this.local[index]
    if (this.#isClosed || this.#peerLimits === undefined || credit.opened >= credit.max) return undefined
    const id = credit.opened++ * 4 + index * 2 + this.#localBit
    return this.#create(id, true)
  }

  isLocal(id: number): boolean {
    return (id & 1) === this.#localBit
  }

  /**
   * The stream a frame from the peer speaks of, or undefined when that stream is closed (the frame is then ignored,
   * RFC 9000 section 3). Opens peer streams, with all lower ones of their kind (section 2.1).
   * @param needs the part of OUR side that the frame is about
   * @throws QuicError STREAM_STATE_ERROR (sections 19.4 to 19.13) or STREAM_LIMIT_ERROR (section 4.6)
   */
  forFrame(id: number, needs: 'sending' | 'receiving'): QuicStream | undefined {
    const stream = this.streams.get(id)
    const isLocal = this.isLocal(id)
    if ((id & 2) !== 0 && isLocal === (needs === 'receiving')) {
      throw new QuicError(TransportErrorCode.STREAM_STATE_ERROR, 'frame for the wrong direction of a stream')
    }
    if (stream !== undefined) return stream
    const kind = (id >>> 1) & 1
    const index = Math.floor(id / 4)
    if (isLocal) {
      if (index < this.local[kind].opened) return undefined
      throw new QuicError(TransportErrorCode.STREAM_STATE_ERROR, 'frame for a stream that was never opened')
    }
    const credit = this.peer[kind]
    if (index < credit.opened) return undefined
    if (index >= credit.advertised) {
      throw new QuicError(TransportErrorCode.STREAM_LIMIT_ERROR, 'stream beyond the advertised limit')
    }
    return this.#openPeerStreams(credit, id, index)
  }

  #openPeerStreams(credit: PeerStreamCredit, id: number, index: number): QuicStream | undefined {
    // Whoever accepts a stream may close the connection; then no more are opened.
    while (credit.opened <= index && !this.#isClosed) {
      const lower = credit.opened++ * 4 + (id & 3)
      const stream = this.#create(lower, false)
      stream.application = this.#accept(stream)
      if (this.#isClosed) stream.application.handleClosed(stream, 'reset')
    }
    return this.streams.get(id)
  }

  #create(id: number, isLocal: boolean): QuicStream {
    const isUni = (id & 2) !== 0
    const own = this.#limits
    let window: number | undefined
    if (!isUni) window = isLocal ? own.maxStreamDataBidiLocal : own.maxStreamDataBidiRemote
    else if (!isLocal) window = own.maxStreamDataUni
    const stream = new QuicStream(id, isLocal, this.#host, this.#sendLimit(id), window)
    const table = isUni ? (isLocal ? sendStream : receiveStream) : bidiStream
    stream.actor = this.#supervision.startActor(table, stream, stream)
    this.streams.set(id, stream)
    this.opened++
    return stream
  }

  /** Forgets a stream whose actor is final. Credit for a new one goes back with `returnCredit`. */
  release(id: number): QuicStream | undefined {
    const stream = this.streams.get(id)
    if (stream === undefined) return undefined
    this.streams.delete(id)
    this.closed++
    return stream
  }

  /** Gives the peer the right to open one more stream of this kind. */
  returnCredit(id: number): void {
    if (!this.isLocal(id)) this.peer[(id >>> 1) & 1].returned++
  }

  /** The connection has ended: every machine is told, and becomes final. */
  closeAll(): void {
    this.#isClosed = true
    for (const stream of [...this.streams.values()]) stream.actor.raise(StreamEvent.connectionClosed)
  }

  get receiveBufferedBytes(): number {
    let bytes = 0
    for (const stream of this.streams.values()) bytes += stream.receiving?.buffer.bufferedBytes ?? 0
    return bytes
  }

  get sendBufferedBytes(): number {
    let bytes = 0
    for (const stream of this.streams.values()) bytes += stream.bufferedBytes
    return bytes
  }
}
