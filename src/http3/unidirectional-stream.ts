// Streams of the peer that go one way: reads the type at any split and passes the rest to its reader, RFC 9114
// section 6.2; and the guard on our own critical streams. Created by H3Connection.

import type { QuicStream, StreamApplication } from '../transport/streams/index.ts'
import { connectionError, H3Error, H3ErrorCode, h3ErrorName } from './errors.ts'
import { StreamType, VarintReader } from './frames.ts'
import type { WebTransportSessions } from './webtransport/sessions.ts'

/** Takes the bytes behind the stream type. */
export interface UnidirectionalReader {
  push(bytes: Uint8Array): void
}

/** What a unidirectional stream needs of its connection. */
export interface UnidirectionalOwner {
  /** Undefined where WebTransport is not wanted. */
  readonly webtransport: WebTransportSessions | undefined
  /**
   * Claims a critical stream type for its one stream.
   * @returns its reader, or undefined for types that we do not know
   * @throws H3Error H3_STREAM_CREATION_ERROR for a second one, or a type that the peer must not use
   */
  claimStreamType(type: number, streamId: number): UnidirectionalReader | undefined
  /** Counts a stream that is ignored. */
  noteIgnoredStream(): void
  fail(error: H3Error): void
}

function closedCritical(what: string): H3Error {
  return connectionError(H3ErrorCode.H3_CLOSED_CRITICAL_STREAM, `critical stream ${what}`)
}

/** A unidirectional stream opened by the peer. */
export class PeerUnidirectionalStream implements StreamApplication {
  private readonly owner: UnidirectionalOwner
  private readonly varint = new VarintReader()
  private reader: UnidirectionalReader | undefined
  private isPush = false
  /** The stream type was that of WebTransport: the session ID follows. */
  private isOfSession = false
  private isIgnored = false

  constructor(owner: UnidirectionalOwner) {
    this.owner = owner
  }

  handleReadable(stream: QuicStream): void {
    try {
      while (!this.isIgnored) {
        const chunk = stream.read()
        if (chunk === undefined) break
        this.take(stream, chunk)
      }
      // RFC 9114 section 6.2.1 and RFC 9204 section 4.2: closing a critical stream; others may end at any point.
      if (this.reader !== undefined && stream.isReadComplete) throw closedCritical('ended')
    } catch (error) {
      if (!(error instanceof H3Error)) throw error
      this.isIgnored = true
      this.owner.fail(error)
    }
  }

  private take(stream: QuicStream, chunk: Uint8Array): void {
    const taken = this.reader === undefined ? this.takeHeader(stream, chunk) : 0
    if (this.isIgnored) return
    if (taken < chunk.length) this.reader?.push(chunk.subarray(taken))
  }

  /** Reads the stream header; returns how many bytes belonged to it. */
  private takeHeader(stream: QuicStream, chunk: Uint8Array): number {
    for (let offset = 0; offset < chunk.length; offset++) {
      if (!this.varint.push(chunk[offset])) continue
      if (this.isOfSession) this.leaveToSession(stream, chunk.subarray(offset + 1))
      else if (!this.resolve(stream, this.varint.value)) continue
      return offset + 1
    }
    return chunk.length
  }

  // draft-ietf-webtrans-http3 section 4.2
  private leaveToSession(stream: QuicStream, rest: Uint8Array): void {
    this.isIgnored = true
    const { value, lowByte } = this.varint
    const { readOffset } = stream.receiving!.buffer
    this.owner.webtransport!.adopt(stream, { id: value, lowByte, bytes: readOffset - rest.length, rest })
  }

  /** Decides what the stream is; false while more of its header is needed. */
  private resolve(stream: QuicStream, value: number): boolean {
    // RFC 9114 section 6.2.2: no push was allowed, so every push ID is too large; it is read first nevertheless.
    if (this.isPush)
      throw connectionError(H3ErrorCode.H3_ID_ERROR, 'push stream although no push was allowed')
    if (value === StreamType.webtransport && this.owner.webtransport !== undefined) {
      this.isOfSession = true
      return false
    }
    this.reader = this.owner.claimStreamType(value, stream.id)
    if (this.reader !== undefined) return true
    if (value === StreamType.push) {
      this.isPush = true
      return false
    }
    // RFC 9114 section 6.2: "MUST either abort reading of the stream or discard incoming data".
    this.isIgnored = true
    this.owner.noteIgnoredStream()
    stream.stopSending(H3ErrorCode.H3_STREAM_CREATION_ERROR)
    return true
  }

  handleReset(_stream: QuicStream, code: number): void {
    // RFC 9114 section 6.2: "MUST tolerate unidirectional streams being closed or reset prior to" their header.
    if (this.reader !== undefined && !this.isIgnored) {
      this.isIgnored = true
      this.owner.fail(closedCritical(`reset with ${h3ErrorName(code)}`))
    }
  }

  handleWritable(): void {}

  handleStopSending(): void {}

  handleClosed(): void {}
}

/** Application side of our own critical streams: the peer must not stop them (RFC 9114 section 6.2.1). */
export class OwnCriticalStream implements StreamApplication {
  private readonly owner: UnidirectionalOwner

  constructor(owner: UnidirectionalOwner) {
    this.owner = owner
  }

  handleStopSending(): void {
    this.owner.fail(closedCritical('stopped by the peer'))
  }

  handleReadable(): void {}

  handleWritable(): void {}

  handleReset(): void {}

  handleClosed(): void {}
}

/** A stream that was refused before anything of it was read. */
export const refusedStream: StreamApplication = {
  handleReadable() {},
  handleWritable() {},
  handleReset() {},
  handleStopSending() {},
  handleClosed() {},
}
