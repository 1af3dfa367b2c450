// Encodes what we send on a request stream: HEADERS frames, DATA frame headers, and small bodies behind them, each as
// one buffer (RFC 9114 sections 4.1, 7.2.1, 7.2.2). Refuses what RFC 9114 section 4.2 forbids to generate.
// One per connection; called by the sending side of request streams.

import { varintLength, writeVarint } from '../transport/wire/varint.ts'
import { ByteClass, isConnectionSpecific, parseContentLength } from './field-grammar.ts'
import { FrameType } from './frames.ts'
import { COALESCED_BODY_BYTES, FIELD_OVERHEAD } from './limits.ts'
import { OutputBlock } from './output-block.ts'
import type { H3Log } from './qlog.ts'
import { QpackEncoder } from './qpack/encoder.ts'
import {
  FIELD_LINE_OVERHEAD,
  MAX_SECTION_PREFIX_BYTES,
  writeFieldLine,
  writeSectionPrefix,
} from './qpack/section-encoder.ts'
import { type RepeatedHead, RepeatedHeads } from './repeated-heads.ts'
import type { H3Settings } from './settings.ts'

/** Type byte, four bytes of length, prefix, and the longest :status line. */
const HEAD_OVERHEAD = 5 + MAX_SECTION_PREFIX_BYTES + 8

/** Type byte and the longest length of a DATA frame header. */
const DATA_HEADER_BYTES = 9

/** Larger sections get a length field of four bytes; the field is written before the length is known. */
const TWO_BYTE_LENGTH_LIMIT = 16_384

const statusText: readonly string[] = Array.from({ length: 600 }, (_, status) => String(status))

/** No DATA frame header behind the head. */
export const NO_DATA = -1

/** No stream will carry the section: it must not count on the dynamic table. */
export const NO_STREAM = -1

/** What kind of section is written; decides which pseudo-header fields may stand in it. */
export type WrittenSection = 'request' | 'response' | 'trailers'

/** Encoder of one connection. */
export class MessageWriter {
  /** Told about every frame; undefined while nothing is logged. */
  log: H3Log | undefined
  /** Limit of the peer in bytes (RFC 9114 section 4.2.2). */
  maxFieldSectionSize = Number.POSITIVE_INFINITY
  /** content-length in bytes found by the last `scan`, -1 when absent. */
  declaredLength = -1
  /** Value of the priority field (RFC 9218 section 5) found by the last `scan`. */
  priority: string | undefined
  readonly encoder = new QpackEncoder()
  private bound = 0
  private characters = 0
  private section: WrittenSection = 'response'
  private repeated: RepeatedHead | undefined
  private readonly heads = new RepeatedHeads()
  private readonly output = new OutputBlock()

  /** The peer's SETTINGS have arrived. */
  applySettings(settings: H3Settings): void {
    this.maxFieldSectionSize = settings.maxFieldSectionSize
    this.encoder.configure(settings)
    this.heads.clear()
  }

  /**
   * Checks a flat field list and remembers its content-length and its upper bound for `writeHead`.
   * @param fields names and values in turn
   * @param section kind of the section
   * @param status status code, or 0 for requests and trailers
   * @throws TypeError for fields that must not be sent; RangeError when the peer announced a smaller limit
   */
  scan(fields: readonly string[], section: WrittenSection, status: number): void {
    const repeated = this.heads.find(status, section, fields)
    this.repeated = repeated
    this.section = section
    if (repeated === undefined) this.check(fields, section)
    else {
      this.declaredLength = repeated.declaredLength
      this.priority = repeated.priority
      this.bound = repeated.bound
      this.characters = 0
    }
  }

  private check(fields: readonly string[], section: WrittenSection): void {
    if (fields.length % 2 !== 0) throw new TypeError('a field list has a name without a value')
    this.declaredLength = -1
    this.priority = undefined
    let text = 0
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index]
      const value = fields[index + 1]
      if (typeof name !== 'string' || typeof value !== 'string') {
        throw new TypeError('field names and values must be strings')
      }
      text += name.length + value.length
      this.checkName(name, value, section)
    }
    const lines = fields.length / 2
    if (text + lines * FIELD_OVERHEAD > this.maxFieldSectionSize) {
      throw new RangeError(`the peer accepts field sections of ${this.maxFieldSectionSize} bytes only`)
    }
    this.characters = text
    this.bound = HEAD_OVERHEAD + text + lines * FIELD_LINE_OVERHEAD
  }

  private checkName(name: string, value: string, section: WrittenSection): void {
    if (name === '') throw new TypeError('empty field name')
    if (name.charCodeAt(0) === 0x3a) {
      if (section !== 'request')
        throw new TypeError(`pseudo-header field "${name}" in a ${section} field list`)
    } else if (name === 'content-length') {
      const length = parseContentLength(value)
      if (length < 0 || this.declaredLength >= 0 || section === 'trailers') {
        throw new TypeError('content-length must be one number in the head')
      }
      this.declaredLength = length
    } else if (name === 'priority') {
      this.priority = this.priority === undefined ? value : `${this.priority}, ${value}`
    } else if (
      isConnectionSpecific(name) ||
      (name === 'te' && (section !== 'request' || value !== 'trailers'))
    ) {
      // RFC 9114 section 4.2: "MUST NOT generate" connection-specific fields.
      throw new TypeError(`field "${name}" is specific to one HTTP/1.1 connection`)
    }
  }

  /**
   * Encodes the section last scanned, the header of the DATA frame that follows, and a small body.
   * @param streamId of the stream that the section is sent on now, or NO_STREAM when it will not be
   * @param status status code, or 0 for requests and trailers
   * @param fields the list given to `scan`
   * @param isLengthOmitted leaves content-length out (RFC 9110 section 8.6: 1xx and 204)
   * @param dataLength payload length of the DATA frame to open in bytes, or {@link NO_DATA}
   * @param body payload to copy behind it, at most COALESCED_BODY_BYTES, or undefined
   * @returns one piece for one stream write
   * @throws TypeError for characters that a field cannot carry
   */
  writeHead(
    streamId: number,
    status: number,
    fields: readonly string[],
    isLengthOmitted: boolean,
    dataLength: number,
    body: Uint8Array | undefined,
  ): Uint8Array {
    const output = this.output
    output.reserve(this.bound + DATA_HEADER_BYTES + (body?.length ?? 0))
    const buffer = output.buffer
    const lengthBytes = this.bound < TWO_BYTE_LENGTH_LIMIT ? 2 : 4
    const lengthOffset = output.start + 1
    buffer[output.start] = FrameType.headers
    const start = lengthOffset + lengthBytes
    let offset = this.repeat(buffer, start, streamId)
    if (offset < 0) {
      offset = this.writeSection(buffer, start, streamId, status, fields, isLengthOmitted)
      this.remember(buffer, start, offset, status, fields)
    }
    patchLength(buffer, lengthOffset, lengthBytes, offset - lengthOffset - lengthBytes)
    if (dataLength !== NO_DATA) offset = writeDataHeader(buffer, offset, dataLength)
    if (body !== undefined) {
      buffer.set(body, offset)
      offset += body.length
    }
    return output.take(offset)
  }

  /** Copies the section if it is a known one that is still right; -1 otherwise. */
  private repeat(buffer: Uint8Array, start: number, streamId: number): number {
    const head = this.repeated
    if (head === undefined || streamId === NO_STREAM) return -1
    if (!this.encoder.repeat(streamId, head.required, head.references)) return -1
    const { bytes } = head
    for (let index = 0; index < bytes.length; index++) buffer[start + index] = bytes[index]
    return start + bytes.length
  }

  private writeSection(
    buffer: Uint8Array,
    start: number,
    streamId: number,
    status: number,
    fields: readonly string[],
    isLengthOmitted: boolean,
  ): number {
    const { encoder } = this
    if (encoder.isReady && streamId !== NO_STREAM) {
      return this.writePlanned(buffer, start, streamId, status, fields, isLengthOmitted)
    }
    encoder.skip()
    let offset = writeSectionPrefix(buffer, start)
    if (status !== 0) offset = writeFieldLine(buffer, offset, ':status', statusText[status], 0, 0)
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index]
      if (isLengthOmitted && name === 'content-length') continue
      offset = writeFieldLine(buffer, offset, name, fields[index + 1], forbiddenIn(name), ByteClass.notValue)
    }
    return offset
  }

  private writePlanned(
    buffer: Uint8Array,
    start: number,
    streamId: number,
    status: number,
    fields: readonly string[],
    isLengthOmitted: boolean,
  ): number {
    const { encoder } = this
    encoder.begin(streamId)
    try {
      if (status !== 0) encoder.plan(':status', statusText[status], 0, 0)
      for (let index = 0; index < fields.length; index += 2) {
        const name = fields[index]
        if (isLengthOmitted && name === 'content-length') continue
        encoder.plan(name, fields[index + 1], forbiddenIn(name), ByteClass.notValue)
      }
      let line = 0
      let offset = encoder.writePrefix(buffer, start)
      if (status !== 0) {
        offset = encoder.writeLine(buffer, offset, line++, ':status', statusText[status], 0, 0)
      }
      for (let index = 0; index < fields.length; index += 2) {
        const name = fields[index]
        if (isLengthOmitted && name === 'content-length') continue
        const value = fields[index + 1]
        offset = encoder.writeLine(buffer, offset, line++, name, value, forbiddenIn(name), ByteClass.notValue)
      }
      encoder.finish(streamId)
      return offset
    } catch (error) {
      encoder.abandon()
      throw error
    }
  }

  /** Keeps what was just written, if it was written before and cannot become shorter. */
  private remember(
    buffer: Uint8Array,
    start: number,
    end: number,
    status: number,
    fields: readonly string[],
  ): void {
    const { encoder, heads } = this
    if (!encoder.isSettled || !heads.isWorthKeeping(status, fields, this.characters)) return
    heads.keep({
      status,
      section: this.section,
      fields: [...fields],
      declaredLength: this.declaredLength,
      priority: this.priority,
      bound: this.bound,
      bytes: new Uint8Array(buffer.subarray(start, end)),
      required: encoder.required,
      references: encoder.references,
    })
  }

  /**
   * Encodes the header of a DATA frame, with the payload when it is small enough to be copied.
   * @param chunk payload
   * @returns one piece; when it is shorter than header and payload together, the caller writes `chunk` after it
   */
  writeData(chunk: Uint8Array): Uint8Array {
    const isCopied = chunk.length <= COALESCED_BODY_BYTES
    const output = this.output
    output.reserve(DATA_HEADER_BYTES + (isCopied ? chunk.length : 0))
    let offset = writeDataHeader(output.buffer, output.start, chunk.length)
    if (isCopied) {
      output.buffer.set(chunk, offset)
      offset += chunk.length
    }
    return output.take(offset)
  }
}

/** ByteClass bits that a name must not have. The colon of :protocol is none; `scan` lets it pass in requests only. */
function forbiddenIn(name: string): number {
  return name.charCodeAt(0) === 0x3a ? 0 : ByteClass.notName
}

function writeDataHeader(buffer: Uint8Array, start: number, length: number): number {
  buffer[start] = FrameType.data
  return writeVarint(buffer, start + 1, length)
}

// RFC 9000 section 16 allows longer encodings than needed for everything but QUIC frame types.
function patchLength(buffer: Uint8Array, offset: number, bytes: number, length: number): void {
  if (bytes === 2) {
    buffer[offset] = 0x40 | (length >>> 8)
    buffer[offset + 1] = length
    return
  }
  buffer[offset] = 0x80 | (length >>> 24)
  buffer[offset + 1] = length >>> 16
  buffer[offset + 2] = length >>> 8
  buffer[offset + 3] = length
}

/** PRIORITY_UPDATE for a request stream, RFC 9218 section 7.2. */
export function encodePriorityUpdate(streamId: number, value: string): Uint8Array {
  const type = FrameType.priorityUpdateRequest
  const length = varintLength(streamId) + value.length
  const bytes = new Uint8Array(varintLength(type) + varintLength(length) + length)
  const offset = writeVarint(bytes, writeVarint(bytes, writeVarint(bytes, 0, type), length), streamId)
  bytes.set(Buffer.from(value, 'latin1'), offset)
  return bytes
}

/** Bytes of a varint frame with one identifier as payload (GOAWAY, RFC 9114 section 7.2.6). */
export function encodeIdentifierFrame(type: number, id: number): Uint8Array {
  const length = varintLength(id)
  const bytes = new Uint8Array(varintLength(type) + 1 + length)
  let offset = writeVarint(bytes, 0, type)
  bytes[offset++] = length
  writeVarint(bytes, offset, id)
  return bytes
}
