// Header fields as Node gives and takes them, and as exchanges have them: flat lists. Used by NodeExchange.
import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** What is one connection's in HTTP/1.1 and means nothing to a handler that serves all versions. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** A field that occurs once, pseudo-header fields included. */
export function fieldOf(request: Http2ServerRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** A flat list of fields as Node wants them. */
export function fieldMap(fields: readonly string[]): Record<string, string[]> {
  const map: Record<string, string[]> = Object.create(null)
  for (let index = 0; index < fields.length; index += 2) {
    map[fields[index]] = [...(map[fields[index]] ?? []), fields[index + 1]]
  }
  return map
}

/** Field lines without pseudo-header fields, names in lower case. */
export function regularFields(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index].toLowerCase()
    if (!name.startsWith(':') && !HOP_BY_HOP.has(name)) fields.push(name, raw[index + 1])
  }
  return fields
}

/**
 * Sets the head of a response.
 * @throws TypeError for fields that HTTP does not allow, and when a response has begun
 */
export function writeHead(response: Http2ServerResponse, status: number, headers: readonly string[]): void {
  if (response.headersSent) throw new TypeError('the response has already begun')
  for (let index = 0; index < headers.length; index += 2) {
    // Node does so itself for HTTP/1.1 only.
    validateHeaderName(headers[index])
    validateHeaderValue(headers[index], headers[index + 1])
  }
  response.statusCode = status
  for (let index = 0; index < headers.length; index += 2) {
    response.appendHeader(headers[index], headers[index + 1])
  }
}
