// ACK frames (RFC 9000 section 19.3). Parsed by connection for recovery; written by recovery's AckTracker.
import type { Cursor } from './cursor.ts'
import { FrameType } from './frame-types.ts'
import { MAX_ACK_RANGES_PARSED, MAX_ACK_RANGES_WRITTEN } from './limits.ts'
import type { RangeSet } from './range-set.ts'
import { varintLength, writeVarint } from './varint.ts'

/** Counters of ECN marks (RFC 9000 section 19.3.2). */
export interface EcnCounts {
  ect0: number
  ect1: number
  ce: number
}

/** A parsed ACK frame; one object is reused. Range i is starts[i]..ends[i], both included, descending. */
export class AckFrame implements EcnCounts {
  largest = 0
  /** ACK Delay field as sent: microseconds are delay * 2^ack_delay_exponent. */
  delay = 0
  rangeCount = 0
  readonly starts: number[] = []
  readonly ends: number[] = []
  hasEcn = false
  ect0 = 0
  ect1 = 0
  ce = 0
}

/**
 * Parses the body of an ACK frame.
 * @param type ack or ackEcn
 * @throws QuicError FRAME_ENCODING_ERROR when truncated or when a computed packet number is negative
 */
export function parseAck(cursor: Cursor, type: number, out: AckFrame): void {
  out.largest = cursor.readVarint()
  out.delay = cursor.readVarint()
  const additional = cursor.readVarint()
  let end = out.largest
  let start = end - cursor.readVarint()
  if (start < 0) cursor.fail('negative packet number')
  out.starts[0] = start
  out.ends[0] = end
  out.rangeCount = 1
  for (let i = 0; i < additional; i++) {
    end = start - cursor.readVarint() - 2
    start = end - cursor.readVarint()
    // RFC 9000 section 19.3.1: "If any computed packet number is negative, an endpoint MUST generate a
    // connection error of type FRAME_ENCODING_ERROR."
    if (start < 0) cursor.fail('negative packet number')
    if (out.rangeCount < MAX_ACK_RANGES_PARSED) {
      out.starts[out.rangeCount] = start
      out.ends[out.rangeCount] = end
      out.rangeCount++
    }
  }
  out.hasEcn = type === FrameType.ackEcn
  out.ect0 = out.hasEcn ? cursor.readVarint() : 0
  out.ect1 = out.hasEcn ? cursor.readVarint() : 0
  out.ce = out.hasEcn ? cursor.readVarint() : 0
}

/**
 * Writes an ACK frame for the highest ranges of a set, as many as fit.
 * @param end offset after the last byte that may be written
 * @param ranges received packet numbers, not empty
 * @param delay value of the ACK Delay field
 * @param ecn counters, or undefined for a frame without them
 * @returns offset after the frame; `offset` itself when not even the first range fits
 */
export function writeAck(
  buffer: Uint8Array,
  offset: number,
  end: number,
  ranges: RangeSet,
  delay: number,
  ecn: EcnCounts | undefined,
): number {
  const top = ranges.size - 1
  if (top < 0) return offset
  const largest = ranges.max
  const first = largest - ranges.startAt(top)
  const ecnLength =
    ecn === undefined ? 0 : varintLength(ecn.ect0) + varintLength(ecn.ect1) + varintLength(ecn.ce)
  const needed = 2 + varintLength(largest) + varintLength(delay) + varintLength(first) + ecnLength
  if (needed > end - offset) return offset
  buffer[offset] = ecn === undefined ? FrameType.ack : FrameType.ackEcn
  let at = writeVarint(buffer, offset + 1, largest)
  at = writeVarint(buffer, at, delay)
  const countAt = at
  at = writeVarint(buffer, at + 1, first)
  const limit = end - ecnLength
  let written = 0
  for (let i = top - 1; i >= 0 && written < MAX_ACK_RANGES_WRITTEN - 1; i--) {
    const gap = ranges.startAt(i + 1) - ranges.endAt(i) - 1
    const length = ranges.endAt(i) - ranges.startAt(i) - 1
    if (varintLength(gap) + varintLength(length) > limit - at) break
    at = writeVarint(buffer, writeVarint(buffer, at, gap), length)
    written++
  }
  buffer[countAt] = written
  if (ecn === undefined) return at
  at = writeVarint(buffer, at, ecn.ect0)
  at = writeVarint(buffer, at, ecn.ect1)
  return writeVarint(buffer, at, ecn.ce)
}
