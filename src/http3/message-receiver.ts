// The receiving half of a request stream: turns stream bytes into heads, body pieces, trailers and the end, RFC 9114
// sections 4.1, 7.1 and 7.2. It reads from the QUIC stream only as far as its owner lets it, so that an unread body
// closes the flow-control window. Owned and driven by RequestStream.

import type { QuicStream } from '../transport/streams/index.ts'
import { connectionError, H3Error, H3ErrorCode, malformed } from './errors.ts'
import { checkPlacement, FrameParser, type FramePlace, FrameType } from './frames.ts'
import type { GlitchBudget } from './glitch-budget.ts'
import { FIRST_REASSEMBLY_BYTES, UNKNOWN_FRAME_BYTES_PER_GLITCH } from './limits.ts'
import { type MessageHead, SectionKind } from './message-head.ts'
import type { H3Log } from './qlog.ts'
import type { QpackDecoder, SectionWaiter } from './qpack/decoder.ts'

/** The beginning of a stream that belongs to a WebTransport session. */
export interface StreamHeader {
  /** Session ID, and its last byte, which is exact for IDs beyond 2^53, too. */
  readonly id: number
  readonly lowByte: number
  /** Length of the header. */
  readonly bytes: number
  /** What was read behind it, borrowed. */
  readonly rest: Uint8Array
}

/** What the receiving halves of one connection share. */
export interface ReceiverContext {
  readonly role: 'client' | 'server'
  readonly decoder: QpackDecoder
  /** Reused for every section; valid until the next one is decoded. */
  readonly head: MessageHead
  readonly budget: GlitchBudget
  /** Longest HEADERS payload in bytes. */
  readonly maxFieldSectionSize: number
  /** Told about every frame; undefined while nothing is logged. */
  readonly log: H3Log | undefined
  /** We announced extended CONNECT. */
  readonly allowsConnectProtocol: boolean
  /** Streams may belong to WebTransport sessions. */
  readonly takesWebTransport: boolean
}

/** How far the message has come. */
export const ReceivePart = {
  /** No final head yet. */
  head: 0,
  /** Body or trailers may follow. */
  body: 1,
  /** Trailers were read: only unknown frames and the end may follow. */
  trailers: 2,
  /** The end was reached and the message is well-formed. */
  done: 3,
  /** Reset by the peer, or given up by us. */
  stopped: 4,
} as const

/** What `advance` found. */
export const Step = {
  starved: 0,
  head: 1,
  informational: 2,
  body: 3,
  trailers: 4,
  end: 5,
  /** The stream is no request, but belongs to a WebTransport session. */
  webtransport: 6,
} as const

const nothing = new Uint8Array(0)

/** Parser of one message direction. */
export class MessageReceiver implements SectionWaiter {
  /** A value of {@link ReceivePart}. */
  part: number = ReceivePart.head
  /** Declared content-length in bytes that the body must have, -1 for none. */
  expectedLength = -1
  /** The message cannot have content: response to HEAD, 204, 304 (RFC 9110 section 6.4.1). */
  isContentless = false
  /** After CONNECT only DATA frames are legal (RFC 9114 section 4.4). */
  isTunnel = false
  /** Body bytes handed to the reader. */
  takenBytes = 0
  private readonly stream: QuicStream
  private readonly context: ReceiverContext
  private readonly place: FramePlace
  private readonly parser = new FrameParser()
  private declaredBytes = 0
  private chunk: Uint8Array = nothing
  private offset = 0
  private isBorrowed = false
  private hasFrames = false
  private reassembly: Uint8Array | undefined
  private reassembled = 0
  /** A section that is ahead of the dynamic table (RFC 9204 section 2.2.1); nothing behind it is read meanwhile. */
  private blocked: Uint8Array | undefined

  constructor(stream: QuicStream, context: ReceiverContext) {
    this.stream = stream
    this.context = context
    this.place = context.role === 'server' ? 'requestAtServer' : 'requestAtClient'
  }

  get id(): number {
    return this.stream.id
  }

  /** The blocked section can be decoded: the owner of the stream drives on as if bytes had arrived. */
  resume(): void {
    this.stream.application?.handleReadable(this.stream)
  }

  /** Bytes taken from the stream but not yet given to the reader. */
  get heldBytes(): number {
    return this.chunk.length - this.offset + this.reassembled + (this.blocked?.length ?? 0)
  }

  /** More of the body is certain to come: by content-length, or by the length of the frame that has begun. */
  get isBodyPending(): boolean {
    return (
      this.declaredBytes < this.expectedLength ||
      (this.parser.remaining > 0 && this.parser.type === FrameType.data)
    )
  }

  /**
   * Reads on until something is there for the owner. Body bytes are left where they are.
   * @returns a value of {@link Step}
   * @throws H3Error for everything that RFC 9114 forbids
   */
  advance(): number {
    const parser = this.parser
    if (this.blocked !== undefined) {
      const step = this.decode(this.blocked, 0, this.blocked.length)
      if (step !== Step.starved) return step
    }
    for (;;) {
      if (this.blocked !== undefined) return Step.starved
      if (parser.remaining === 0) {
        if (!this.fill()) return this.finishOrStarve()
        const next = parser.readHeader(this.chunk, this.offset, this.chunk.length)
        this.offset = next < 0 ? -1 - next : next
        if (next < 0) continue
        if (parser.type === FrameType.webtransportStream && this.context.takesWebTransport) {
          return this.beginWebTransport()
        }
        this.beginFrame()
      } else if (parser.type === FrameType.data) {
        if (this.offset < this.chunk.length || this.stream.readableBytes > 0) return Step.body
        return this.finishOrStarve()
      } else {
        if (!this.fill()) return this.finishOrStarve()
        const step = parser.type === FrameType.headers ? this.readSection() : this.skip()
        if (step !== Step.starved) return step
      }
    }
  }

  /**
   * Takes the next piece of the body after `advance` returned Step.body.
   * @param isLent whether the caller is inside a transport call, so that a borrowed rest stays valid for now
   * @returns a view that is valid until the current synchronous call returns
   */
  takeBody(isLent: boolean): Uint8Array | undefined {
    if (!this.fill()) return undefined
    const chunk = this.chunk
    const start = this.offset
    const end = start + Math.min(chunk.length - start, this.parser.remaining)
    this.parser.consume(end - start)
    this.takenBytes += end - start
    this.offset = end
    if (end === chunk.length) {
      this.dropChunk()
      return start === 0 ? chunk : chunk.subarray(start)
    }
    const piece = chunk.subarray(start, end)
    if (!isLent) this.keep()
    return piece
  }

  /** After Step.webtransport: gives up the stream, and what was read of it. */
  leave(): StreamHeader {
    const { length: id, lengthLowByte: lowByte } = this.parser
    const rest = this.chunk.subarray(this.offset)
    const bytes = this.stream.receiving!.buffer.readOffset - rest.length
    // No field section ever came on it: there is none to cancel.
    this.part = ReceivePart.stopped
    this.stop()
    return { id, lowByte, bytes, rest }
  }

  /** Copies what is still borrowed; called when the transport's call is about to return. */
  keep(): void {
    if (!this.isBorrowed) return
    this.isBorrowed = false
    if (this.offset === this.chunk.length) {
      this.dropChunk()
      return
    }
    // slice() of a Buffer would be a view of the datagram, not a copy.
    this.chunk = new Uint8Array(this.chunk.subarray(this.offset))
    this.offset = 0
  }

  /** Forgets everything; nothing is delivered any more. */
  stop(): void {
    // RFC 9204 section 2.2.2.2: also when the sections have not arrived yet.
    if (this.part < ReceivePart.done) this.context.decoder.cancel(this.stream.id)
    this.part = ReceivePart.stopped
    this.blocked = undefined
    this.dropChunk()
    this.dropReassembly()
  }

  private dropChunk(): void {
    this.chunk = nothing
    this.offset = 0
    this.isBorrowed = false
  }

  private dropReassembly(): void {
    this.reassembly = undefined
    this.reassembled = 0
  }

  private fill(): boolean {
    while (this.offset === this.chunk.length) {
      const chunk = this.stream.read()
      if (chunk === undefined) {
        this.dropChunk()
        return false
      }
      this.chunk = chunk
      this.offset = 0
      this.isBorrowed = true
    }
    return true
  }

  private finishOrStarve(): number {
    if (!this.stream.isReadComplete) return Step.starved
    // RFC 9114 section 7.1: "if the last frame on the stream was truncated".
    if (!this.parser.isAtBoundary) throw connectionError(H3ErrorCode.H3_FRAME_ERROR, 'truncated frame')
    if (this.part === ReceivePart.head) throw this.incomplete()
    this.checkLength()
    this.part = ReceivePart.done
    return Step.end
  }

  private incomplete(): H3Error {
    if (this.context.role === 'client') return malformed('no final response')
    // RFC 9114 section 4.1: "SHOULD abort its response stream with the error code H3_REQUEST_INCOMPLETE".
    return new H3Error(H3ErrorCode.H3_REQUEST_INCOMPLETE, 'no request', 'stream')
  }

  // draft-ietf-webtrans-http3 section 4.3: the signal counts as "the very first bytes of a request stream" only.
  private beginWebTransport(): number {
    if (this.hasFrames) throw connectionError(H3ErrorCode.H3_FRAME_ERROR, 'WT_STREAM inside of a stream')
    return Step.webtransport
  }

  private beginFrame(): void {
    this.hasFrames = true
    const { type, length } = this.parser
    if (!checkPlacement(type, this.place)) {
      this.context.budget.charge(1 + Math.floor(length / UNKNOWN_FRAME_BYTES_PER_GLITCH))
    } else if (type === FrameType.data) this.beginData(length)
    else if (type === FrameType.headers) this.beginSection(length)
    else this.refusePush(length)
  }

  private beginData(length: number): void {
    if (this.part !== ReceivePart.body) {
      // RFC 9114 section 4.1: DATA before HEADERS or after trailers.
      throw connectionError(H3ErrorCode.H3_FRAME_UNEXPECTED, 'DATA frame outside of the body')
    }
    this.context.log?.data('parsed', this.stream.id, length)
    if (length === 0) {
      this.context.budget.charge(1)
      return
    }
    if (this.isContentless) throw malformed('content in a response that cannot have any')
    this.declaredBytes += length
    // RFC 9114 section 4.1.2; checked before a byte of the surplus is passed on.
    if (this.expectedLength >= 0 && this.declaredBytes > this.expectedLength) {
      throw malformed('body longer than content-length')
    }
  }

  private beginSection(length: number): void {
    if (this.part === ReceivePart.trailers || (this.isTunnel && this.part === ReceivePart.body)) {
      // RFC 9114 sections 4.1 and 4.4
      throw connectionError(H3ErrorCode.H3_FRAME_UNEXPECTED, 'HEADERS frame after the message')
    }
    if (length === 0) throw connectionError(H3ErrorCode.QPACK_DECOMPRESSION_FAILED, 'empty field section')
    if (length > this.context.maxFieldSectionSize) {
      throw new H3Error(H3ErrorCode.H3_EXCESSIVE_LOAD, 'field section too large', 'stream')
    }
  }

  // RFC 9114 section 7.2.5: we never send MAX_PUSH_ID, so every push ID is larger than allowed.
  private refusePush(length: number): void {
    if (length === 0) throw connectionError(H3ErrorCode.H3_FRAME_ERROR, 'PUSH_PROMISE without push ID')
    throw connectionError(H3ErrorCode.H3_ID_ERROR, 'PUSH_PROMISE although no push was allowed')
  }

  private skip(): number {
    const bytes = Math.min(this.chunk.length - this.offset, this.parser.remaining)
    this.offset += bytes
    this.parser.consume(bytes)
    return Step.starved
  }

  /** Decodes the section in place when it is wholly there, else collects it; starved while bytes are missing. */
  private readSection(): number {
    const available = this.chunk.length - this.offset
    const needed = this.parser.remaining
    if (this.reassembled === 0 && available >= needed) {
      const start = this.offset
      this.offset += needed
      this.parser.consume(needed)
      return this.decode(this.chunk, start, start + needed)
    }
    this.collect(Math.min(available, needed))
    if (this.parser.remaining > 0) return Step.starved
    const section = this.reassembly!
    const length = this.reassembled
    this.dropReassembly()
    return this.decode(section, 0, length)
  }

  private collect(bytes: number): void {
    const length = this.reassembled + bytes
    if (this.reassembly === undefined || length > this.reassembly.length) {
      const grown = new Uint8Array(Math.max(length, FIRST_REASSEMBLY_BYTES, this.reassembled * 2))
      if (this.reassembly !== undefined) grown.set(this.reassembly.subarray(0, this.reassembled))
      this.reassembly = grown
    }
    this.reassembly.set(this.chunk.subarray(this.offset, this.offset + bytes), this.reassembled)
    this.reassembled = length
    this.offset += bytes
    this.parser.consume(bytes)
  }

  private decode(source: Uint8Array, start: number, end: number): number {
    const { head, decoder, role } = this.context
    const isTrailers = this.part === ReceivePart.body
    head.begin(
      isTrailers ? SectionKind.trailers : role === 'server' ? SectionKind.request : SectionKind.response,
    )
    const required = decoder.decode(this.stream.id, source, start, end, head)
    if (required > 0) return this.wait(source, start, end, required)
    this.blocked = undefined
    head.finish(this.context.allowsConnectProtocol)
    this.context.log?.headers('parsed', this.stream.id, head.allFields)
    if (isTrailers) {
      this.checkLength()
      this.part = ReceivePart.trailers
      return Step.trailers
    }
    if (role === 'client' && head.status < 200) {
      this.context.budget.charge(1)
      return Step.informational
    }
    this.part = ReceivePart.body
    this.expectedLength = head.contentLength
    return Step.head
  }

  private wait(source: Uint8Array, start: number, end: number, required: number): number {
    if (this.blocked !== undefined) return Step.starved
    this.context.decoder.wait(this, required)
    this.blocked = new Uint8Array(source.subarray(start, end))
    return Step.starved
  }

  // RFC 9114 section 4.1.2: content-length must equal the sum of the DATA frame lengths, on every way to the end.
  private checkLength(): void {
    if (this.expectedLength >= 0 && !this.isContentless && this.declaredBytes !== this.expectedLength) {
      throw malformed('body shorter than content-length')
    }
  }
}
