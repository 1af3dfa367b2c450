// CONNECTION_CLOSE frames (RFC 9000 section 19.19). Parsed by connection's dispatch, written when closing.
import type { Cursor } from './cursor.ts'
import { FrameType } from './frame-types.ts'
import { MAX_REASON_LENGTH } from './limits.ts'
import { varintLength, writeVarint } from './varint.ts'

export class ConnectionCloseFrame {
  isApplication = false
  code = 0
  /** Type of the frame that caused the error; 0 for application closes and when unknown. */
  frameType = 0
  /** Reason phrase in cursor.buffer; cut to MAX_REASON_LENGTH bytes. */
  reasonStart = 0
  reasonLength = 0
}

/**
 * Parses the body of a CONNECTION_CLOSE frame.
 * @param type connectionClose or connectionCloseApplication
 */
export function parseConnectionClose(cursor: Cursor, type: number, out: ConnectionCloseFrame): void {
  out.isApplication = type === FrameType.connectionCloseApplication
  out.code = cursor.readVarint()
  out.frameType = out.isApplication ? 0 : cursor.readVarint()
  const length = cursor.readVarint()
  out.reasonStart = cursor.skip(length)
  out.reasonLength = Math.min(length, MAX_REASON_LENGTH)
}

/**
 * Size of a CONNECTION_CLOSE frame in bytes.
 * @param reason UTF-8, cut to MAX_REASON_LENGTH bytes
 */
export function connectionCloseLength(
  isApplication: boolean,
  code: number,
  frameType: number,
  reason: Uint8Array,
): number {
  const length = Math.min(reason.length, MAX_REASON_LENGTH)
  return (
    1 + varintLength(code) + (isApplication ? 0 : varintLength(frameType)) + varintLength(length) + length
  )
}

/** Writes a CONNECTION_CLOSE frame; parameters as in connectionCloseLength. */
export function writeConnectionClose(
  buffer: Uint8Array,
  at: number,
  isApplication: boolean,
  code: number,
  frameType: number,
  reason: Uint8Array,
): number {
  buffer[at] = isApplication ? FrameType.connectionCloseApplication : FrameType.connectionClose
  let next = writeVarint(buffer, at + 1, code)
  if (!isApplication) next = writeVarint(buffer, next, frameType)
  const length = Math.min(reason.length, MAX_REASON_LENGTH)
  next = writeVarint(buffer, next, length)
  for (let i = 0; i < length; i++) buffer[next + i] = reason[i]
  return next + length
}
