// A faithful stand-in for QuicStream and QuicConnection as HTTP/3 sees them: bytes in, bytes out, resets, credit.
// Chunks handed out by read() are overwritten when the transport's call returns, so that a kept view shows.

import type { QuicConnection } from '../../../src/transport/connection/index.ts'
import type { QuicStream, StreamApplication } from '../../../src/transport/streams/index.ts'

export class StreamDouble {
  readonly id: number
  readonly isLocal: boolean
  application: StreamApplication | undefined
  /** Chunks as written. */
  readonly written: Uint8Array[] = []
  isEnded = false
  resetCode: number | undefined
  stopCode: number | undefined
  /** Report the stream as closed from within the read() that takes its last byte, as the transport can. */
  closesWhenRead = false
  /** What write() returns. */
  isOpen = true
  /** Bytes that flow control lets out. */
  sendRoom = 65_536
  urgency = 3
  incremental = false
  private readonly arrived: Uint8Array[] = []
  private readonly lent: Uint8Array[] = []
  private hasFin = false
  private inTransportCall = false

  constructor(id: number, isLocal: boolean) {
    this.id = id
    this.isLocal = isLocal
  }

  get isBidirectional(): boolean {
    return (this.id & 2) === 0
  }

  get bufferedBytes(): number {
    return this.written.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  get canWrite(): boolean {
    return !this.isEnded && this.resetCode === undefined
  }

  get readableBytes(): number {
    return this.arrived.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  get isReadComplete(): boolean {
    return this.hasFin && this.arrived.length === 0
  }

  /** All bytes written so far in one buffer. */
  get output(): Buffer {
    return Buffer.concat(this.written)
  }

  write(chunk: Uint8Array): boolean {
    if (!this.canWrite) return false
    this.written.push(chunk)
    return this.isOpen
  }

  end(): void {
    this.isEnded = true
  }

  reset(code: number): void {
    this.resetCode ??= code
  }

  setPriority(urgency: number, incremental: boolean): void {
    this.urgency = urgency
    this.incremental = incremental
  }

  stopSending(code: number): void {
    this.stopCode ??= code
    this.arrived.length = 0
  }

  read(): Uint8Array | undefined {
    const chunk = this.arrived.shift()
    if (chunk !== undefined && this.inTransportCall) this.lent.push(chunk)
    if (chunk !== undefined && this.closesWhenRead && this.isReadComplete) this.close('closed')
    return chunk
  }

  /** Bytes from the peer, in one transport call. */
  receive(bytes: Uint8Array, fin = false): void {
    if (this.stopCode !== undefined) return
    // A Buffer, as node:dgram delivers: its slice() shares memory where that of a Uint8Array copies.
    if (bytes.length > 0) this.arrived.push(Buffer.from(bytes))
    this.hasFin ||= fin
    this.transportCall(() => this.application?.handleReadable(this.asStream))
  }

  /** RESET_STREAM from the peer. */
  receiveReset(code: number): void {
    this.arrived.length = 0
    this.application?.handleReset(this.asStream, code)
  }

  /** STOP_SENDING from the peer: the transport answers with a reset by itself. */
  receiveStop(code: number): void {
    this.resetCode ??= code
    this.application?.handleStopSending(this.asStream, code)
  }

  close(outcome: 'closed' | 'reset'): void {
    this.application?.handleClosed(this.asStream, outcome)
  }

  /** Ends the validity of everything lent so far, as the reuse of the datagram buffer does. */
  private transportCall(run: () => void): void {
    this.inTransportCall = true
    try {
      run()
    } finally {
      this.inTransportCall = false
      for (const chunk of this.lent) chunk.fill(0xee)
      this.lent.length = 0
    }
  }

  get asStream(): QuicStream {
    return this as unknown as QuicStream
  }
}

export class ConnectionDouble {
  readonly streams = new Map<number, StreamDouble>()
  readonly isServer: boolean
  /** How many streams of each kind may still be opened. */
  credit = { bidi: 100, uni: 3 }
  closed: { code: number; reason: string } | undefined
  readonly settings = { maxDatagramFrameSize: 0 }
  readonly datagrams = { peerLimit: 65_535 }
  readonly host = { table: { peer: [{ advertised: 100 }, { advertised: 3 }] } }
  private opened = { bidi: 0, uni: 0 }

  constructor(role: 'client' | 'server') {
    this.isServer = role === 'server'
  }

  openStream(kind: 'bidi' | 'uni'): QuicStream | undefined {
    if (this.credit[kind] === 0) return undefined
    this.credit[kind]--
    const id = this.opened[kind]++ * 4 + (kind === 'uni' ? 2 : 0) + (this.isServer ? 1 : 0)
    const stream = new StreamDouble(id, true)
    this.streams.set(id, stream)
    return stream.asStream
  }

  close(code: number, reason: string, options: { application: boolean }): void {
    if (options.application) this.closed ??= { code, reason }
  }

  get asConnection(): QuicConnection {
    return this as unknown as QuicConnection
  }
}
