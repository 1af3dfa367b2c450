// Expect, RFC 9110 section 10.1.1: whether a client waits for 100 (Continue), or for something that nobody knows. Used for
// HTTP/3; over TCP Node finds it out.
import { fieldValue } from './exchange.ts'

/** The client sends the body once it has heard 100 (Continue), or has waited for long. */
export function expectsContinue(headers: readonly string[]): boolean {
  return fieldValue(headers, 'expect')?.trim().toLowerCase() === '100-continue'
}

/** "MAY respond with a 417 (Expectation Failed) status code": this server does. */
export function expectsTheUnknown(headers: readonly string[]): boolean {
  return fieldValue(headers, 'expect') !== undefined && !expectsContinue(headers)
}
