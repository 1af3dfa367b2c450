// The Alt-Svc field of HTTP/1.1 and HTTP/2 responses, by which browsers find HTTP/3 (RFC 7838 section 3).
// Used by tcp-server.ts.
import { ALT_SVC_MAX_AGE } from './limits.ts'

/** What is said about HTTP/3 on the TCP port. */
export interface AltSvcOptions {
  /** How long a client may remember it, seconds; default a day. */
  readonly maxAge?: number
  /** Whether it may be remembered after a change of network; default no. */
  readonly persist?: boolean
}

/** False: nothing is said. `clear`: clients forget what they were told before. */
export type AltSvc = false | 'clear' | AltSvcOptions

/**
 * What the caller wants to be said, if it can be.
 * @throws RangeError for a maxAge that is not a whole number of seconds
 */
export function checkedAltSvc(altSvc: AltSvc): AltSvc {
  if (altSvc === false || altSvc === 'clear') return altSvc
  const { maxAge = ALT_SVC_MAX_AGE } = altSvc
  if (Number.isSafeInteger(maxAge) && maxAge >= 0) return altSvc
  throw new RangeError(`altSvc.maxAge ${maxAge} is no number of seconds`)
}

/** The field's value for HTTP/3 on a UDP port of the same host; undefined for no field. */
export function altSvcField(altSvc: AltSvc, port: number): string | undefined {
  if (altSvc === false) return undefined
  if (altSvc === 'clear') return 'clear'
  const { maxAge = ALT_SVC_MAX_AGE, persist = false } = altSvc
  return `h3=":${port}"; ma=${maxAge}${persist ? '; persist=1' : ''}`
}
