// The heads of a request and its response, between their fields and their stream: checks a request that is about to be
// sent as if it had been received, writes down what a checked one says, and knows what a status means. Used by
// H3Connection (client) and RequestStream.

import { H3Error } from './errors.ts'
import { classesOfText } from './field-grammar.ts'
import { type MessageHead, SectionKind } from './message-head.ts'
import type { RequestStream } from './request-stream.ts'

/**
 * Reads a flat list into `head`.
 * @param allowsProtocol the server has announced extended CONNECT (RFC 9220 section 3)
 * @throws TypeError for a head that RFC 9114 section 4.3.1 forbids
 */
export function checkRequestHead(
  head: MessageHead,
  fields: readonly string[],
  allowsProtocol: boolean,
): void {
  head.begin(SectionKind.request)
  try {
    for (let index = 0; index < fields.length; index += 2) {
      const name = String(fields[index])
      const value = String(fields[index + 1])
      head.handleField(name, value, classesOfText(name), classesOfText(value))
    }
    head.finish(allowsProtocol)
  } catch (error) {
    if (error instanceof H3Error) throw new TypeError(`invalid request: ${error.message}`, { cause: error })
    throw error
  }
}

/** Gives the request what its checked head says. */
export function describeRequest(request: RequestStream, head: MessageHead): void {
  request.method = head.method!
  request.scheme = head.scheme ?? ''
  request.authority = head.authority ?? ''
  request.path = head.path ?? ''
  request.protocol = head.protocol
  request.headers = head.fields
}

/** @throws TypeError for anything but 200 to 599 */
export function checkFinalStatus(status: number): void {
  const isFinal = Number.isInteger(status) && status >= 200 && status <= 599
  if (!isFinal) throw new TypeError(`invalid status ${status}`)
}

/** RFC 9110 section 6.4.1: responses that have no content. */
export function isWithoutContent(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}
