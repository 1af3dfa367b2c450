// Reads the peer's control stream, RFC 9114 sections 6.2.1 and 7.2, RFC 9218 section 7: SETTINGS first and once, then
// GOAWAY, push bookkeeping and priority updates. Fed at any split by the unidirectional stream that carries it.

import { connectionError, H3ErrorCode } from './errors.ts'
import { checkPlacement, FrameParser, type FramePlace, FrameType, VarintReader } from './frames.ts'
import type { GlitchBudget } from './glitch-budget.ts'
import {
  MAX_IDENTIFIER_PAYLOAD,
  MAX_ORIGIN_PAYLOAD,
  MAX_PRIORITY_UPDATE_PAYLOAD,
  MAX_SETTINGS_PAYLOAD,
  UNKNOWN_FRAME_BYTES_PER_GLITCH,
} from './limits.ts'
import { parseOrigins } from './origin-frame.ts'
import { type H3Settings, parseSettings } from './settings.ts'

/** What the control stream tells its connection. */
export interface ControlStreamOwner {
  readonly role: 'client' | 'server'
  readonly budget: GlitchBudget
  handleSettings(settings: H3Settings): void
  handlePeerGoaway(id: number): void
  /** Client: the server is ready to answer for these origins (RFC 9412). */
  handleOrigins(origins: readonly string[]): void
  /** PRIORITY_UPDATE for a request stream; `value` is the field's text as received. */
  handlePriorityUpdate(id: number, value: string): void
}

const payloadCaps: ReadonlyMap<number, number> = new Map<number, number>([
  [FrameType.settings, MAX_SETTINGS_PAYLOAD],
  [FrameType.goaway, MAX_IDENTIFIER_PAYLOAD],
  [FrameType.maxPushId, MAX_IDENTIFIER_PAYLOAD],
  [FrameType.cancelPush, MAX_IDENTIFIER_PAYLOAD],
  [FrameType.priorityUpdateRequest, MAX_PRIORITY_UPDATE_PAYLOAD],
  [FrameType.priorityUpdatePush, MAX_PRIORITY_UPDATE_PAYLOAD],
])

function frameError(reason: string): never {
  throw connectionError(H3ErrorCode.H3_FRAME_ERROR, reason)
}

function idError(reason: string): never {
  throw connectionError(H3ErrorCode.H3_ID_ERROR, reason)
}

/** Parser of one control stream. */
export class ControlStreamReader {
  private readonly owner: ControlStreamOwner
  private readonly place: FramePlace
  private readonly parser = new FrameParser()
  private readonly identifier = new VarintReader()
  private readonly short = new Uint8Array(MAX_SETTINGS_PAYLOAD)
  private payload: Uint8Array = this.short
  private filled = 0
  private identifierEnd = 0
  private isKnown = false
  private hasSettings = false
  private lastGoaway = Number.POSITIVE_INFINITY
  private maxPushId = -1

  constructor(owner: ControlStreamOwner) {
    this.owner = owner
    this.place = owner.role === 'server' ? 'controlOfClient' : 'controlOfServer'
  }

  /**
   * Takes bytes of the stream.
   * @throws H3Error (connection) for everything that RFC 9114 forbids on a control stream
   */
  push(bytes: Uint8Array): void {
    const parser = this.parser
    let offset = 0
    while (offset < bytes.length) {
      if (parser.remaining === 0) {
        const next = parser.readHeader(bytes, offset, bytes.length)
        if (next < 0) return
        offset = next
        this.beginFrame()
      } else {
        const count = Math.min(bytes.length - offset, parser.remaining)
        if (this.isKnown) this.payload.set(bytes.subarray(offset, offset + count), this.filled)
        this.filled += count
        offset += count
        parser.consume(count)
      }
      if (parser.remaining === 0 && this.isKnown) this.finishFrame()
    }
  }

  private beginFrame(): void {
    const { type, length } = this.parser
    // RFC 9114 section 6.2.1: any other first frame, unknown types included.
    if (!this.hasSettings && type !== FrameType.settings) {
      throw connectionError(
        H3ErrorCode.H3_MISSING_SETTINGS,
        'first frame of the control stream is not SETTINGS',
      )
    }
    this.filled = 0
    this.payload = this.short
    this.isKnown = checkPlacement(type, this.place) && !this.isLongOrigin()
    if (!this.isKnown) {
      this.owner.budget.charge(1 + Math.floor(length / UNKNOWN_FRAME_BYTES_PER_GLITCH))
      return
    }
    if (type === FrameType.settings) this.beginSettings()
    else this.owner.budget.charge(1)
    if (type === FrameType.origin) this.payload = new Uint8Array(length)
    else if (length > payloadCaps.get(type)!) this.refuseLength(type)
  }

  // Hints only: those that are too long are skipped like a frame that nobody knows.
  private isLongOrigin(): boolean {
    return this.parser.type === FrameType.origin && this.parser.length > MAX_ORIGIN_PAYLOAD
  }

  private beginSettings(): void {
    // RFC 9114 section 7.2.4: "If an endpoint receives a second SETTINGS frame".
    if (this.hasSettings) throw connectionError(H3ErrorCode.H3_FRAME_UNEXPECTED, 'second SETTINGS frame')
    this.hasSettings = true
  }

  private refuseLength(type: number): never {
    const hasText = type !== FrameType.goaway && type !== FrameType.maxPushId && type !== FrameType.cancelPush
    if (hasText) throw connectionError(H3ErrorCode.H3_EXCESSIVE_LOAD, 'control frame too large')
    frameError('bytes after the identifier')
  }

  private finishFrame(): void {
    const { type } = this.parser
    this.isKnown = false
    if (type === FrameType.settings) {
      this.owner.handleSettings(parseSettings(this.payload.subarray(0, this.filled)))
      return
    }
    if (type === FrameType.origin) {
      this.owner.handleOrigins(parseOrigins(this.payload))
      return
    }
    const isUpdate = type === FrameType.priorityUpdateRequest || type === FrameType.priorityUpdatePush
    const id = this.readIdentifier(isUpdate)
    if (type === FrameType.goaway) this.handleGoaway(id)
    else if (type === FrameType.maxPushId) this.handleMaxPushId(id)
    else if (type === FrameType.priorityUpdateRequest) this.handlePriorityUpdate(id)
    else this.refusePushId()
  }

  /** RFC 9114 section 7.1: the payload must contain exactly the fields described. */
  private readIdentifier(allowsMore: boolean): number {
    for (let index = 0; index < this.filled; index++) {
      if (!this.identifier.push(this.payload[index])) continue
      if (index + 1 < this.filled && !allowsMore) frameError('bytes after the identifier')
      this.identifierEnd = index + 1
      return this.identifier.value
    }
    return frameError('truncated identifier')
  }

  private handleGoaway(id: number): void {
    // RFC 9114 section 7.2.6: to a client, the ID is that of a client-initiated bidirectional stream.
    if (this.owner.role === 'client') this.checkRequestId()
    // RFC 9114 section 5.2: "Receiving a GOAWAY containing a larger identifier than previously received".
    if (id > this.lastGoaway) idError('GOAWAY identifier increased')
    this.lastGoaway = id
    this.owner.handlePeerGoaway(id)
  }

  private handlePriorityUpdate(id: number): void {
    this.checkRequestId()
    const value = Buffer.from(this.payload.subarray(this.identifierEnd, this.filled)).toString('latin1')
    this.owner.handlePriorityUpdate(id, value)
  }

  private checkRequestId(): void {
    if ((this.identifier.lowByte & 3) !== 0) idError('not the ID of a request stream')
  }

  private handleMaxPushId(id: number): void {
    // RFC 9114 section 7.2.7: "receipt of a MAX_PUSH_ID frame that contains a smaller value".
    if (id < this.maxPushId) idError('MAX_PUSH_ID decreased')
    this.maxPushId = id
  }

  // No push was ever promised or allowed here: CANCEL_PUSH (RFC 9114 section 7.2.3) and PRIORITY_UPDATE for a push
  // (RFC 9218 section 7.2) can only name one that does not exist.
  private refusePushId(): never {
    return idError('push that was never promised')
  }
}
