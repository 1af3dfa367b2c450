// Frames that carry bytes: STREAM, CRYPTO, DATAGRAM, NEW_TOKEN (RFC 9000 sections 19.6-19.8, RFC 9221 section 4).
// Parsed by connection's dispatch, written by its packet builder. Data stays where it is in the datagram:
// dataStart and length point into cursor.buffer.
import type { Cursor } from './cursor.ts'
import { FrameType, StreamFrameBit } from './frame-types.ts'
import { varintLength, writeVarint } from './varint.ts'

export class StreamFrame {
  streamId = 0
  offset = 0
  dataStart = 0
  length = 0
  fin = false
}

export class CryptoFrame {
  offset = 0
  dataStart = 0
  length = 0
}

/** Body of DATAGRAM and NEW_TOKEN. */
export class BytesFrame {
  dataStart = 0
  length = 0
}

/**
 * Parses the body of a STREAM frame. An offset of 2^53 and above is saturated: it is beyond every flow control
 * limit, so its receiver answers FLOW_CONTROL_ERROR (RFC 9000 section 19.8 allows that for 2^62 and above).
 * @param type 0x08..0x0f
 */
export function parseStream(cursor: Cursor, type: number, out: StreamFrame): void {
  out.streamId = cursor.readStreamId()
  out.offset = (type & StreamFrameBit.offset) !== 0 ? cursor.readVarint() : 0
  out.length = (type & StreamFrameBit.length) !== 0 ? cursor.readVarint() : cursor.remaining
  out.dataStart = cursor.skip(out.length)
  out.fin = (type & StreamFrameBit.fin) !== 0
}

/**
 * Bytes before the data of a STREAM frame.
 * @param offset offset of the data in the stream
 * @param length bytes of data
 * @param hasLength false for a frame that ends the packet
 */
export function streamHeaderLength(
  streamId: number,
  offset: number,
  length: number,
  hasLength: boolean,
): number {
  const offsetLength = offset === 0 ? 0 : varintLength(offset)
  return 1 + varintLength(streamId) + offsetLength + (hasLength ? varintLength(length) : 0)
}

/**
 * Writes everything of a STREAM frame but its data, which the caller puts at the returned offset.
 * @param at offset in buffer
 * @param offset offset of the data in the stream
 * @param length bytes of data
 * @param hasLength false for a frame that ends the packet
 */
export function writeStreamHeader(
  buffer: Uint8Array,
  at: number,
  streamId: number,
  offset: number,
  length: number,
  fin: boolean,
  hasLength: boolean,
): number {
  let type: number = FrameType.stream
  if (fin) type |= StreamFrameBit.fin
  if (hasLength) type |= StreamFrameBit.length
  if (offset !== 0) type |= StreamFrameBit.offset
  buffer[at] = type
  let next = writeVarint(buffer, at + 1, streamId)
  if (offset !== 0) next = writeVarint(buffer, next, offset)
  return hasLength ? writeVarint(buffer, next, length) : next
}

/**
 * How many bytes of data fit after the fixed part of a frame when the length field counts too.
 * @param space bytes left for length field and data
 * @returns bytes of data, 0 when there is no room
 */
export function fittingDataLength(space: number): number {
  if (space <= 1) return 0
  if (space <= 0x40) return space - 1
  if (space <= 0x4001) return Math.max(0x3f, space - 2)
  return Math.max(0x3fff, space - 4)
}

/** Parses the body of a CRYPTO frame; a saturated offset exceeds every crypto buffer (RFC 9000 section 19.6). */
export function parseCrypto(cursor: Cursor, out: CryptoFrame): void {
  out.offset = cursor.readVarint()
  out.length = cursor.readVarint()
  out.dataStart = cursor.skip(out.length)
}

/** Bytes before the data of a CRYPTO frame. */
export function cryptoHeaderLength(offset: number, length: number): number {
  return 1 + varintLength(offset) + varintLength(length)
}

/** Writes everything of a CRYPTO frame but its data, which the caller puts at the returned offset. */
export function writeCryptoHeader(buffer: Uint8Array, at: number, offset: number, length: number): number {
  buffer[at] = FrameType.crypto
  return writeVarint(buffer, writeVarint(buffer, at + 1, offset), length)
}

/**
 * Parses the body of a DATAGRAM frame (RFC 9221 section 4).
 * @param type datagram or datagramWithLength
 */
export function parseDatagram(cursor: Cursor, type: number, out: BytesFrame): void {
  out.length = type === FrameType.datagramWithLength ? cursor.readVarint() : cursor.remaining
  out.dataStart = cursor.skip(out.length)
}

/** Bytes before the data of a DATAGRAM frame. */
export function datagramHeaderLength(length: number, hasLength: boolean): number {
  return hasLength ? 1 + varintLength(length) : 1
}

/** Writes everything of a DATAGRAM frame but its data, which the caller puts at the returned offset. */
export function writeDatagramHeader(
  buffer: Uint8Array,
  at: number,
  length: number,
  hasLength: boolean,
): number {
  buffer[at] = hasLength ? FrameType.datagramWithLength : FrameType.datagram
  return hasLength ? writeVarint(buffer, at + 1, length) : at + 1
}

/** Parses the body of a NEW_TOKEN frame. */
export function parseNewToken(cursor: Cursor, out: BytesFrame): void {
  out.length = cursor.readVarint()
  // RFC 9000 section 19.7: an empty token is a connection error of type FRAME_ENCODING_ERROR.
  if (out.length === 0) cursor.fail('empty token')
  out.dataStart = cursor.skip(out.length)
}

/** Size of a NEW_TOKEN frame in bytes. */
export function newTokenLength(token: Uint8Array): number {
  return 1 + varintLength(token.length) + token.length
}

/** Writes a NEW_TOKEN frame. */
export function writeNewToken(buffer: Uint8Array, at: number, token: Uint8Array): number {
  buffer[at] = FrameType.newToken
  const next = writeVarint(buffer, at + 1, token.length)
  buffer.set(token, next)
  return next + token.length
}
