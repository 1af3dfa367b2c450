// The date field of responses (RFC 9110 section 6.6.1: "An origin server with a clock MUST generate a Date header
// field"). Made once a second. Used by serve().

/** @returns the text for now, of whole seconds, in the format of RFC 9110 section 5.6.7 */
export function httpDates(): () => string {
  let second = -1
  let text = ''
  return () => {
    const now = Math.floor(Date.now() / 1_000)
    if (now !== second) {
      second = now
      text = new Date(now * 1_000).toUTCString()
    }
    return text
  }
}
