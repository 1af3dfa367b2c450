// A bidirectional stream that the server has opened: WebTransport is the only use for one, so its header is read here,
// at any split, draft-ietf-webtrans-http3 section 4.3. Made by H3Connection of a client.

import type { QuicStream, StreamApplication } from '../../transport/streams/index.ts'
import type { H3Connection } from '../connection.ts'
import { connectionError, H3ErrorCode } from '../errors.ts'
import { FrameType, VarintReader } from '../frames.ts'
import type { WebTransportSessions } from './sessions.ts'

export class ServerStream implements StreamApplication {
  readonly #connection: H3Connection
  readonly #sessions: WebTransportSessions
  readonly #varint = new VarintReader()
  #hasSignal = false
  #headerBytes = 0

  constructor(connection: H3Connection, sessions: WebTransportSessions) {
    this.#connection = connection
    this.#sessions = sessions
  }

  handleReadable(stream: QuicStream): void {
    while (stream.application === this) {
      const chunk = stream.read()
      if (chunk === undefined) return
      this.#take(stream, chunk)
    }
  }

  #take(stream: QuicStream, chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; offset++) {
      this.#headerBytes++
      if (!this.#varint.push(chunk[offset])) continue
      const { value, lowByte } = this.#varint
      if (this.#hasSignal) {
        const rest = chunk.subarray(offset + 1)
        this.#sessions.adopt(stream, { id: value, lowByte, bytes: this.#headerBytes, rest })
        return
      }
      this.#hasSignal = true
      if (value === FrameType.webtransportStream) continue
      // RFC 9114 section 6.1
      const error = connectionError(H3ErrorCode.H3_STREAM_CREATION_ERROR, 'bidirectional stream of a server')
      this.#connection.fail(error)
      return
    }
  }

  handleReset(stream: QuicStream): void {
    stream.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  handleWritable(): void {}

  handleStopSending(): void {}

  handleClosed(): void {}
}
