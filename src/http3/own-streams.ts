// The three streams that we open and never close: control, QPACK encoder, QPACK decoder (RFC 9114 section 6.2.1, RFC 9204
// section 4.2), in this order and as soon as the peer lets us. Owned by H3Connection.

import type { QuicConnection } from '../transport/connection/index.ts'
import { CRITICAL_URGENCY, type QuicStream } from '../transport/streams/index.ts'
import { StreamType } from './frames.ts'
import { OwnCriticalStream, type UnidirectionalOwner } from './unidirectional-stream.ts'

/** Who is given the streams. Everything is told right after the stream's type went out. */
export interface OwnStreamsOwner extends UnidirectionalOwner {
  readonly transport: QuicConnection
  handleOwnControl(stream: QuicStream): void
  handleOwnEncoderStream(stream: QuicStream): void
  handleOwnDecoderStream(stream: QuicStream): void
}

export class OwnStreams {
  readonly #owner: OwnStreamsOwner
  #opened = 0

  constructor(owner: OwnStreamsOwner) {
    this.#owner = owner
  }

  /** Opens what is missing, as far as the peer's limit goes. */
  open(): void {
    const owner = this.#owner
    while (this.#opened < 3) {
      const stream = owner.transport.openStream('uni')
      if (stream === undefined) return
      stream.application = new OwnCriticalStream(owner)
      stream.setPriority(CRITICAL_URGENCY, false)
      this.#opened++
      if (this.#opened === 1) owner.handleOwnControl(stream)
      else if (this.#opened === 2) {
        stream.write(Uint8Array.of(StreamType.qpackEncoder))
        owner.handleOwnEncoderStream(stream)
      } else {
        stream.write(Uint8Array.of(StreamType.qpackDecoder))
        owner.handleOwnDecoderStream(stream)
      }
    }
  }
}
