// HTTP/3 frame headers, RFC 9114 section 7: types, an incremental header parser, and where a type may appear.
// Payloads are read by whoever owns the stream. Used by request streams and the control stream.

import { connectionError, H3ErrorCode } from './errors.ts'

/** Frame types of RFC 9114 section 7.2 and RFC 9218 section 7. */
export const FrameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  /** RFC 9412 section 2 */
  origin: 0x0c,
  maxPushId: 0x0d,
  priorityUpdateRequest: 0xf0700,
  priorityUpdatePush: 0xf0701,
  /** No frame, but the beginning of a stream: a session ID follows (draft-ietf-webtrans-http3 section 4.3). */
  webtransportStream: 0x41,
} as const

/** Unidirectional stream types of RFC 9114 section 6.2, RFC 9204 section 4.2, draft-ietf-webtrans-http3 section 4.2. */
export const StreamType = {
  control: 0x00,
  push: 0x01,
  qpackEncoder: 0x02,
  qpackDecoder: 0x03,
  webtransport: 0x54,
} as const

/**
 * Reads one variable-length integer that may arrive in pieces (RFC 9000 section 16). Values from 2^53 on lose
 * precision but stay above 2^53-1; `lowByte` keeps the last byte exactly.
 */
export class VarintReader {
  value = 0
  /** The least significant byte as received. */
  lowByte = 0
  private missing = 0

  /** Whether some bytes of an unfinished integer have been taken. */
  get isPartial(): boolean {
    return this.missing > 0
  }

  /**
   * Takes one byte.
   * @returns true when the integer is complete
   */
  push(byte: number): boolean {
    if (this.missing === 0) {
      this.missing = (1 << (byte >>> 6)) - 1
      this.value = byte & 0x3f
    } else {
      this.missing--
      this.value = this.value * 256 + byte
    }
    this.lowByte = byte
    return this.missing === 0
  }
}

/** Incremental parser of frame headers; the payload is counted down by its reader through `consume`. */
export class FrameParser {
  /** Type of the current frame; meaningful while `isInPayload`. */
  type = -1
  /** Declared payload length of the current frame in bytes. */
  length = 0
  /** Payload bytes not consumed yet. */
  remaining = 0
  private readonly varint = new VarintReader()
  private hasType = false

  /** The least significant byte of `length` as received. */
  get lengthLowByte(): number {
    return this.varint.lowByte
  }

  /** Between two frames, no byte of the next header taken: the only place where a stream may end (section 7.1). */
  get isAtBoundary(): boolean {
    return this.remaining === 0 && !this.hasType && !this.varint.isPartial
  }

  /**
   * Takes header bytes from `buffer[offset, end)`.
   * @returns offset behind the last byte taken, or -1 - that offset while the header is incomplete
   */
  readHeader(buffer: Uint8Array, offset: number, end: number): number {
    let next = offset
    while (next < end) {
      if (!this.varint.push(buffer[next++])) continue
      if (!this.hasType) {
        this.type = this.varint.value
        this.hasType = true
        continue
      }
      this.hasType = false
      this.length = this.varint.value
      this.remaining = this.length
      return next
    }
    return -1 - next
  }

  /** Counts payload bytes as consumed. */
  consume(bytes: number): void {
    this.remaining -= bytes
  }
}

/** Where frames can arrive; every cell of RFC 9114 section 7 table 1 is decided in `checkPlacement`. */
export type FramePlace = 'controlOfServer' | 'controlOfClient' | 'requestAtServer' | 'requestAtClient'

const knownTypes: ReadonlyMap<number, ReadonlySet<FramePlace>> = new Map<number, ReadonlySet<FramePlace>>([
  [FrameType.data, new Set<FramePlace>(['requestAtServer', 'requestAtClient'])],
  [FrameType.headers, new Set<FramePlace>(['requestAtServer', 'requestAtClient'])],
  [FrameType.cancelPush, new Set<FramePlace>(['controlOfServer', 'controlOfClient'])],
  [FrameType.settings, new Set<FramePlace>(['controlOfServer', 'controlOfClient'])],
  // RFC 9114 section 7.2.5: only servers promise, only on request streams.
  [FrameType.pushPromise, new Set<FramePlace>(['requestAtClient'])],
  [FrameType.goaway, new Set<FramePlace>(['controlOfServer', 'controlOfClient'])],
  // RFC 9114 section 7.2.7: "A server MUST NOT send a MAX_PUSH_ID frame."
  [FrameType.maxPushId, new Set<FramePlace>(['controlOfClient'])],
  [FrameType.origin, new Set<FramePlace>(['controlOfServer'])],
  // RFC 9218 section 7.2: only a client sends it, only on its control stream.
  [FrameType.priorityUpdateRequest, new Set<FramePlace>(['controlOfClient'])],
  [FrameType.priorityUpdatePush, new Set<FramePlace>(['controlOfClient'])],
  // RFC 9114 section 7.2.8: types of HTTP/2 without a counterpart are an error everywhere.
  [0x02, new Set<FramePlace>()],
  [0x06, new Set<FramePlace>()],
  [0x08, new Set<FramePlace>()],
  [0x09, new Set<FramePlace>()],
])

/**
 * Checks that a frame type may appear on a stream.
 * @param type frame type
 * @param place kind of stream, named by the control stream's sender or the request stream's receiver
 * @returns true when the type is known and allowed, false when it is unknown and to be skipped (section 9)
 * @throws H3Error H3_FRAME_UNEXPECTED
 */
export function checkPlacement(type: number, place: FramePlace): boolean {
  const places = knownTypes.get(type)
  if (places === undefined) return false
  if (places.has(place)) return true
  // RFC 8336 section 2.1, by way of RFC 9412: on another stream it "MUST be ignored".
  if (type === FrameType.origin) return false
  throw connectionError(H3ErrorCode.H3_FRAME_UNEXPECTED, `frame type 0x${type.toString(16)} on this stream`)
}
