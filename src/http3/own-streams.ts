// The three streams that we open and never close: control, QPACK encoder, QPACK decoder (RFC 9114 section 6.2.1, RFC 9204
// section 4.2), in this order and as soon as the peer lets us. Where WebTransport is spoken, those of QPACK wait until
// there is something to say on them (RFC 9204 asks for "at most" one of each): the incoming streams of Deno's client
// stop for ever at the first one that is none of its session. Owned by H3Connection.

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
  /** Stream types that are wanted and not open yet, in their order. */
  readonly #wanted: number[]
  #isAllowed = false

  /** @param isSparing opens the streams of QPACK only when there is something to say on them */
  constructor(owner: OwnStreamsOwner, isSparing: boolean) {
    this.#owner = owner
    const { control, qpackEncoder, qpackDecoder } = StreamType
    this.#wanted = isSparing ? [control] : [control, qpackEncoder, qpackDecoder]
  }

  /** Opens what is wanted, as far as the peer's limit goes. */
  open(): void {
    this.#isAllowed = true
    while (this.#wanted.length > 0) {
      const stream = this.#owner.transport.openStream('uni')
      if (stream === undefined) return
      stream.application = new OwnCriticalStream(this.#owner)
      stream.setPriority(CRITICAL_URGENCY, false)
      this.#give(this.#wanted.shift()!, stream)
    }
  }

  /** A stream of QPACK is needed; called again, it does nothing while the peer does not let us. */
  want(type: typeof StreamType.qpackEncoder | typeof StreamType.qpackDecoder): void {
    if (!this.#wanted.includes(type)) this.#wanted.push(type)
    if (this.#isAllowed) this.open()
  }

  #give(type: number, stream: QuicStream): void {
    const owner = this.#owner
    if (type === StreamType.control) {
      owner.handleOwnControl(stream)
      return
    }
    stream.write(Uint8Array.of(type))
    if (type === StreamType.qpackEncoder) owner.handleOwnEncoderStream(stream)
    else owner.handleOwnDecoderStream(stream)
  }
}
