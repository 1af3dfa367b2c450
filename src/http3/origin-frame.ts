// The ORIGIN frame, RFC 9412 (after RFC 8336): a server names the origins that it is ready to answer for on this
// connection. Written by the server's service, read by ControlStreamReader of a client.

import { varintLength, writeVarint } from '../transport/wire/index.ts'
import { connectionError, H3ErrorCode } from './errors.ts'
import { FrameType } from './frames.ts'
import { MAX_ORIGIN_LENGTH, MAX_ORIGIN_PAYLOAD } from './limits.ts'

/**
 * Encodes the frame.
 * @param origins ASCII serializations, "https://a.example" or "https://a.example:8443"
 * @throws TypeError for what is no origin of https; RangeError when they are too many for a client to take
 */
export function encodeOriginFrame(origins: readonly string[]): Uint8Array {
  let length = 0
  for (const origin of origins) {
    if (originOf(origin) !== origin) throw new TypeError(`"${origin}" is not the origin of an https URL`)
    length += 2 + origin.length
  }
  if (length > MAX_ORIGIN_PAYLOAD) throw new RangeError(`origins of more than ${MAX_ORIGIN_PAYLOAD} bytes`)
  const bytes = new Uint8Array(1 + varintLength(length) + length)
  let offset = writeVarint(bytes, writeVarint(bytes, 0, FrameType.origin), length)
  for (const origin of origins) {
    bytes[offset] = origin.length >>> 8
    bytes[offset + 1] = origin.length
    bytes.set(Buffer.from(origin, 'latin1'), offset + 2)
    offset += 2 + origin.length
  }
  return bytes
}

/**
 * Reads a payload. What is no origin of https is left out (RFC 8336 section 2.3).
 * @throws H3Error H3_FRAME_ERROR for a truncated entry (RFC 9114 section 7.1)
 */
export function parseOrigins(payload: Uint8Array): string[] {
  const origins: string[] = []
  for (let offset = 0; offset < payload.length; ) {
    const length = (payload[offset] << 8) | payload[offset + 1]
    const end = offset + 2 + length
    if (offset + 2 > payload.length || end > payload.length) {
      throw connectionError(H3ErrorCode.H3_FRAME_ERROR, 'truncated ORIGIN entry')
    }
    const origin = originOf(Buffer.from(payload.subarray(offset + 2, end)).toString('latin1'))
    if (origin !== undefined) origins.push(origin)
    offset = end
  }
  return origins
}

function originOf(text: string): string | undefined {
  if (text.length > MAX_ORIGIN_LENGTH || !text.startsWith('https://') || !URL.canParse(text)) return undefined
  const { origin } = new URL(text)
  return origin === text ? origin : undefined
}
