// Error codes of WebTransport, draft-ietf-webtrans-http3 section 9.5, and the mapping of an application's stream errors
// into the range of HTTP/3 that is reserved for them (section 4.4).

/** Error codes of the protocol itself. */
export const WtErrorCode = {
  WT_BUFFERED_STREAM_REJECTED: 0x3994bd84,
  WT_SESSION_GONE: 0x170d7b68,
  WT_FLOW_CONTROL_ERROR: 0x045d4487,
  WT_ALPN_ERROR: 0x0817b3dd,
  WT_REQUIREMENTS_NOT_MET: 0x212c0d48,
} as const

const FIRST = 0x52e4a40fa8db
const LAST = 0x52e5ac983162

/** Largest code that an application can give. */
export const MAX_APPLICATION_CODE = 0xffff_ffff

/**
 * The code on the wire for an application's code.
 * @param code 0..2^32-1
 * @throws RangeError for anything else
 */
export function toHttpCode(code: number): number {
  if (!Number.isInteger(code) || code < 0 || code > MAX_APPLICATION_CODE) {
    throw new RangeError(`${code} is no error code of 32 bits`)
  }
  return FIRST + code + Math.floor(code / 0x1e)
}

/** The application's code for one on the wire; undefined when it is none: a reserved one, or outside of the range. */
export function toApplicationCode(httpCode: number): number | undefined {
  if (httpCode < FIRST || httpCode > LAST || (httpCode - 0x21) % 0x1f === 0) return undefined
  const shifted = httpCode - FIRST
  return shifted - Math.floor(shifted / 0x1f)
}
