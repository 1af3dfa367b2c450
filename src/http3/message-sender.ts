// The sending half of a request stream: head, body, trailers and the end of our message, RFC 9114 section 4.1. Keeps
// our own promises (content-length, no content where none is allowed) and joins small pieces into one stream write.
// Owned by RequestStream.

import type { QuicStream } from '../transport/streams/index.ts'
import { H3ErrorCode } from './errors.ts'
import { COALESCED_BODY_BYTES } from './limits.ts'
import { type MessageWriter, NO_DATA, NO_STREAM } from './message-writer.ts'

/** How far our message has come. */
export const SendPart = { head: 0, body: 1, trailers: 2, ended: 3, reset: 4 } as const

/** Who is told when the owner of the message wrote more or less than it declared. */
export interface SenderOwner {
  handleLengthMismatch(): void
}

/** Writer of one message direction. */
export class MessageSender {
  /** A value of {@link SendPart}. */
  part: number = SendPart.head
  /** Body bytes accepted from the owner, sent or (without content) dropped. */
  bodyBytes = 0
  private readonly stream: QuicStream
  private readonly writer: MessageWriter
  private readonly owner: SenderOwner
  private declaredLength = -1
  private isContentless = false

  constructor(stream: QuicStream, writer: MessageWriter, owner: SenderOwner) {
    this.stream = stream
    this.writer = writer
    this.owner = owner
  }

  /**
   * Sends an interim response (RFC 9114 section 4.1).
   * @throws TypeError for invalid fields
   */
  sendInformational(status: number, fields: readonly string[]): void {
    const isInterim = Number.isInteger(status) && status >= 100 && status < 200 && status !== 101
    if (!isInterim) throw new TypeError(`invalid interim status ${status}`)
    this.writer.scan(fields, 'response', status)
    const head = this.writer.writeHead(this.sectionStream, status, fields, true, NO_DATA, undefined)
    this.logHead(status, fields, NO_DATA)
    this.stream.write(head)
  }

  /**
   * Sends the head, with `body` behind it in the same piece when it is small.
   * @param status status code, 0 for a request
   * @param fields flat list
   * @param isContentless no body bytes may follow (HEAD, 204, 304)
   * @param body first, possibly only, piece of the body
   * @returns false when the writer should wait for handleWritable
   * @throws TypeError, RangeError for fields that cannot be sent; nothing is sent then
   */
  sendHead(
    status: number,
    fields: readonly string[],
    isContentless: boolean,
    body: Uint8Array | undefined,
  ): boolean {
    const writer = this.writer
    writer.scan(fields, status === 0 ? 'request' : 'response', status)
    const declared = writer.declaredLength
    const hasBody = body !== undefined && body.length > 0
    const exceeds = !isContentless && declared >= 0 && hasBody && body.length > declared
    // A declared length becomes one DATA frame for the whole body: its pieces then need no frame headers.
    const dataLength = declared > 0 ? declared : declared < 0 && hasBody ? body.length : NO_DATA
    const isJoined = !isContentless && !exceeds && hasBody && body.length <= COALESCED_BODY_BYTES
    const head = writer.writeHead(
      this.sectionStream,
      status,
      fields,
      status === 204,
      isContentless ? NO_DATA : dataLength,
      isJoined ? body : undefined,
    )
    if (writer.log !== undefined) this.logHead(status, fields, isContentless ? NO_DATA : dataLength)
    this.part = SendPart.body
    this.declaredLength = declared
    this.isContentless = isContentless
    const isOpen = this.stream.write(head)
    if (hasBody) this.bodyBytes = body.length
    if (exceeds) return this.breakPromise()
    if (isContentless || !hasBody || isJoined) return isOpen
    return this.stream.write(body)
  }

  /**
   * Sends body bytes; keeps a reference to large chunks.
   * @returns false when the writer should wait for handleWritable, or when nothing can be sent any more
   */
  write(chunk: Uint8Array): boolean {
    if (this.part === SendPart.reset) return false
    if (this.part !== SendPart.body) throw new TypeError('body bytes outside of the body')
    if (chunk.length === 0) return true
    this.bodyBytes += chunk.length
    if (this.isContentless) return true
    if (this.declaredLength >= 0) {
      return this.bodyBytes > this.declaredLength ? this.breakPromise() : this.stream.write(chunk)
    }
    this.writer.log?.data('created', this.stream.id, chunk.length)
    const framed = this.writer.writeData(chunk)
    const isOpen = this.stream.write(framed)
    return framed.length > chunk.length ? isOpen : this.stream.write(chunk)
  }

  /**
   * Sends the trailer section; only `end` may follow.
   * @throws TypeError for invalid fields
   */
  sendTrailers(fields: readonly string[]): void {
    if (this.part === SendPart.reset) return
    if (this.part !== SendPart.body) throw new TypeError('trailers outside of the message')
    this.writer.scan(fields, 'trailers', 0)
    const isSent = !this.isShort && !this.isContentless
    const streamId = isSent ? this.sectionStream : NO_STREAM
    const section = this.writer.writeHead(streamId, 0, fields, false, NO_DATA, undefined)
    if (this.isShort) {
      this.breakPromise()
      return
    }
    this.part = SendPart.trailers
    if (!isSent) return
    this.logHead(0, fields, NO_DATA)
    this.stream.write(section)
  }

  /** Ends the message. A body shorter than its content-length resets the stream instead. */
  end(): void {
    if (this.part >= SendPart.ended) return
    if (this.part === SendPart.head) throw new TypeError('end before the head')
    if (this.isShort) {
      this.breakPromise()
      return
    }
    this.part = SendPart.ended
    this.stream.end()
  }

  /** Abandons the message with RESET_STREAM. */
  reset(code: number): void {
    if (this.part === SendPart.reset) return
    this.part = SendPart.reset
    this.stream.reset(code)
  }

  /** The HEADERS frame, and the DATA frame that begins behind it. */
  private logHead(status: number, fields: readonly string[], dataLength: number): void {
    const { log } = this.writer
    if (log === undefined) return
    const { id } = this.stream
    log.headers('created', id, status === 0 ? fields : [':status', String(status), ...fields])
    if (dataLength !== NO_DATA) log.data('created', id, dataLength)
  }

  // A section that the transport would drop must not count on the peer to acknowledge it.
  private get sectionStream(): number {
    return this.stream.canWrite ? this.stream.id : NO_STREAM
  }

  private get isShort(): boolean {
    return !this.isContentless && this.declaredLength >= 0 && this.bodyBytes !== this.declaredLength
  }

  // RFC 9114 section 4.1.2 makes such a message malformed: better none than a wrong one.
  private breakPromise(): boolean {
    this.reset(H3ErrorCode.H3_INTERNAL_ERROR)
    this.owner.handleLengthMismatch()
    return false
  }
}
