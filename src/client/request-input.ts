// A request as callers of a session describe it, and the field list that goes out for it (RFC 9114 section 4.3.1).
// Used by session.ts, http-client.ts and tcp-transport.ts.
import { DEFAULT_PRIORITY, priorityText } from '../http3/index.ts'
import type { ExchangeOptions } from './client-exchange.ts'
import { firstField, flattenHeaders, type HeadersInput } from './fields.ts'
import { lengthOfBody, type RequestBody } from './request-body.ts'

/** A request on an open session. */
export interface RequestInput extends ExchangeOptions {
  /** Default GET, or POST when there is a body. */
  readonly method?: string | undefined
  /** Path with query; default "/". */
  readonly path?: string | undefined
  /** Request fields. */
  readonly headers?: HeadersInput | undefined
  /** Text, bytes, a stream or an async iterable of bytes. */
  readonly body?: RequestBody | undefined
  /** Default: the authority the session was opened for. */
  readonly authority?: string | undefined
  /** Value of :protocol, for extended CONNECT (RFC 9220); the server must have announced it. */
  readonly protocol?: string | undefined
}

/** @param ownAuthority value of :authority when the request does not name another one */
export function requestFields(input: RequestInput, ownAuthority: string): string[] {
  const { body } = input
  const method = input.method ?? (body === undefined ? 'GET' : 'POST')
  const own = flattenHeaders(input.headers)
  const authority = input.authority ?? ownAuthority
  const fields = [':method', method]
  // RFC 9114 section 4.4: a plain CONNECT has neither scheme nor path.
  const isPlainConnect = method === 'CONNECT' && input.protocol === undefined
  if (input.protocol !== undefined) fields.push(':protocol', input.protocol)
  if (!isPlainConnect) fields.push(':scheme', 'https')
  fields.push(':authority', authority)
  if (!isPlainConnect) fields.push(':path', input.path ?? '/')
  fields.push(...own)
  if (input.expectContinue === true && body !== undefined) fields.push('expect', '100-continue')
  if (input.priority !== undefined) {
    // Said even when it is the default: without a word about it the server is free to do as it likes.
    fields.push('priority', priorityText({ ...DEFAULT_PRIORITY, ...input.priority }) || 'u=3')
  }
  if (body !== undefined && firstField(own, 'content-length') === undefined) {
    const length = lengthOfBody(body)
    if (length !== undefined) fields.push('content-length', String(length))
  }
  return fields
}
