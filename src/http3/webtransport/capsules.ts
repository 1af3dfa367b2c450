// The capsules of a session, draft-ietf-webtrans-http3 sections 4.7, 5.6 and 6: what is on the wire, and back. Used by
// session.ts.

import { varintLength, writeUint32, writeVarint } from '../../transport/wire/varint.ts'
import { encodeCapsule } from '../capsules.ts'
import { malformed } from '../errors.ts'
import { VarintReader } from '../frames.ts'
import { MAX_CLOSE_MESSAGE } from './limits.ts'

/** Capsule types; those of streams exist for bidirectional and for unidirectional ones, in this order. */
export const WtCapsule = {
  closeSession: 0x2843,
  drainSession: 0x78ae,
  maxData: 0x190b4d3d,
  /** Of the protocol for HTTP/2, prohibited here (section 5.4). */
  maxStreamData: 0x190b4d3e,
  maxStreamsBidi: 0x190b4d3f,
  maxStreamsUni: 0x190b4d40,
  dataBlocked: 0x190b4d41,
  /** As `maxStreamData`. */
  streamDataBlocked: 0x190b4d42,
  streamsBlockedBidi: 0x190b4d43,
  streamsBlockedUni: 0x190b4d44,
} as const

/** How an application ended its session. */
export interface CloseMessage {
  /** 0..2^32-1 */
  readonly code: number
  readonly reason: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const nothing = new Uint8Array(0)

export const DRAIN_CAPSULE: Uint8Array = encodeCapsule(WtCapsule.drainSession, nothing)

/** Bytes of WT_CLOSE_SESSION; a long reason is cut "at a UTF-8 character boundary" (section 6). */
export function encodeClose({ code, reason }: CloseMessage): Uint8Array {
  const text = new Uint8Array(MAX_CLOSE_MESSAGE)
  const { written } = encoder.encodeInto(reason, text)
  const value = new Uint8Array(4 + written)
  writeUint32(value, 0, code)
  value.set(text.subarray(0, written), 4)
  return encodeCapsule(WtCapsule.closeSession, value)
}

/** @throws H3Error H3_MESSAGE_ERROR for a value that is too short, or no UTF-8 */
export function decodeClose(value: Uint8Array): CloseMessage {
  if (value.length < 4) throw malformed('WT_CLOSE_SESSION without a code')
  const code = ((value[0] << 24) | (value[1] << 16) | (value[2] << 8) | value[3]) >>> 0
  try {
    return { code, reason: decoder.decode(value.subarray(4)) }
  } catch {
    throw malformed('the message of WT_CLOSE_SESSION is no UTF-8')
  }
}

/** A capsule that carries one integer. */
export function encodeInteger(type: number, integer: number): Uint8Array {
  const value = new Uint8Array(varintLength(integer))
  writeVarint(value, 0, integer)
  return encodeCapsule(type, value)
}

/** @throws H3Error H3_MESSAGE_ERROR unless the value is exactly one integer (RFC 9297 section 3.3) */
export function decodeInteger(value: Uint8Array): number {
  const reader = new VarintReader()
  for (let index = 0; index < value.length; index++) {
    if (!reader.push(value[index])) continue
    if (index + 1 < value.length) break
    return reader.value
  }
  throw malformed('capsule that is not one integer')
}
