// The capsule protocol, RFC 9297 section 3: type, length, value, on the data stream of a request. Reads capsules at any
// split and writes them. Used by HTTP datagrams without QUIC datagrams, CONNECT-UDP and WebTransport sessions.

import { varintLength, writeVarint } from '../transport/wire/index.ts'
import { malformed } from './errors.ts'
import { VarintReader } from './frames.ts'
import { FIRST_CAPSULE_BYTES } from './limits.ts'

/** Capsule types of RFC 9297 section 5.4; protocols on top have their own. */
export const CapsuleType = { datagram: 0x00 } as const

/** Returned by {@link CapsuleSink.maxLength} for a type that means nothing here. */
export const UNKNOWN_CAPSULE = -1

/** What a {@link CapsuleReader} asks and tells its owner. All calls are synchronous. */
export interface CapsuleSink {
  /**
   * Longest value that a capsule of this type may have, bytes; {@link UNKNOWN_CAPSULE} to skip it by counting.
   * Asked once per capsule, before a byte of the value is kept.
   */
  maxLength(type: number): number
  /** A whole capsule. The value is borrowed: valid during this call only. */
  handleCapsule(type: number, value: Uint8Array): void
  /** A capsule is skipped: of unknown type, or a datagram that is too long to be of use. `length` in bytes. */
  handleSkipped?(type: number, length: number): void
}

const nothing = new Uint8Array(0)

/** What the reader expects next. */
const Part = { type: 0, length: 1, value: 2, skipped: 3, stopped: 4 } as const

/** Incremental parser; keeps at most one incomplete value, and of that only what has arrived. */
export class CapsuleReader {
  readonly #sink: CapsuleSink
  readonly #varint = new VarintReader()
  #part: number = Part.type
  #type = 0
  #remaining = 0
  #kept = nothing
  #keptBytes = 0

  constructor(sink: CapsuleSink) {
    this.#sink = sink
  }

  /** A capsule has begun and is not complete: the stream must not end here. */
  get isPartial(): boolean {
    return this.#part !== Part.stopped && (this.#part !== Part.type || this.#varint.isPartial)
  }

  /** Bytes kept of an incomplete value. */
  get heldBytes(): number {
    return this.#keptBytes
  }

  /**
   * Takes the next bytes of the data stream, borrowed; capsules that they complete are delivered within the call.
   * @throws H3Error stream error H3_MESSAGE_ERROR for a value longer than its type allows (RFC 9297 section 3.3)
   */
  push(bytes: Uint8Array): void {
    let offset = 0
    while (offset < bytes.length && this.#part !== Part.stopped) {
      if (this.#part === Part.value) offset = this.#takeValue(bytes, offset)
      else if (this.#part === Part.skipped) offset = this.#skip(bytes, offset)
      else this.#takeHeader(bytes[offset++])
    }
  }

  /**
   * The receive side has ended cleanly.
   * @throws H3Error stream error H3_MESSAGE_ERROR: "if [...] the last capsule on the stream was truncated, this MUST be
   *   treated as if it were a malformed or incomplete message" (RFC 9297 section 3.3)
   */
  finish(): void {
    const { isPartial } = this
    this.stop()
    if (isPartial) throw malformed('truncated capsule')
  }

  /** Nothing more is delivered; what was kept is dropped. May be called from within the sink. */
  stop(): void {
    this.#part = Part.stopped
    this.#dropKept()
  }

  #takeHeader(byte: number): void {
    if (!this.#varint.push(byte)) return
    if (this.#part === Part.type) {
      this.#type = this.#varint.value
      this.#part = Part.length
    } else this.#begin(this.#varint.value)
  }

  #begin(length: number): void {
    this.#remaining = length
    const type = this.#type
    const limit = this.#sink.maxLength(type)
    if (this.#part === Part.stopped) return
    // RFC 9297 section 3.2: unknown types MUST be dropped silently; section 3.5: so SHOULD a datagram of useless size.
    if (limit < 0 || (length > limit && type === CapsuleType.datagram)) {
      this.#part = length === 0 ? Part.type : Part.skipped
      this.#sink.handleSkipped?.(type, length)
      return
    }
    if (length > limit) {
      this.stop()
      throw malformed(`capsule 0x${type.toString(16)} of ${length} bytes`)
    }
    this.#part = Part.value
    if (length === 0) this.#deliver(nothing)
  }

  #takeValue(bytes: Uint8Array, offset: number): number {
    const end = offset + Math.min(this.#remaining, bytes.length - offset)
    this.#remaining -= end - offset
    if (this.#keptBytes === 0 && this.#remaining === 0) {
      this.#deliver(bytes.subarray(offset, end))
      return end
    }
    this.#keep(bytes, offset, end)
    if (this.#remaining > 0) return end
    const value = this.#kept.subarray(0, this.#keptBytes)
    this.#dropKept()
    this.#deliver(value)
    return end
  }

  #deliver(value: Uint8Array): void {
    this.#part = Part.type
    this.#sink.handleCapsule(this.#type, value)
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#keptBytes + end - start
    if (length > this.#kept.length) {
      const declared = length + this.#remaining
      const grown = new Uint8Array(
        Math.min(declared, Math.max(length, FIRST_CAPSULE_BYTES, this.#kept.length * 2)),
      )
      grown.set(this.#kept.subarray(0, this.#keptBytes))
      this.#kept = grown
    }
    this.#kept.set(bytes.subarray(start, end), this.#keptBytes)
    this.#keptBytes = length
  }

  #skip(bytes: Uint8Array, offset: number): number {
    const length = Math.min(this.#remaining, bytes.length - offset)
    this.#remaining -= length
    if (this.#remaining === 0) this.#part = Part.type
    return offset + length
  }

  #dropKept(): void {
    this.#kept = nothing
    this.#keptBytes = 0
  }
}

/** Encodes one capsule; the value is copied. */
export function encodeCapsule(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(varintLength(type) + varintLength(value.length) + value.length)
  let offset = writeVarint(bytes, 0, type)
  offset = writeVarint(bytes, offset, value.length)
  bytes.set(value, offset)
  return bytes
}
