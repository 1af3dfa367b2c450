// Header fields between what a caller writes and the flat lists of http3 ([name, value, name, value, ...]).
// Used inside src/client.

/** What a caller may give as request headers. */
export type HeadersInput = Headers | Record<string, string> | Iterable<readonly [string, string]>

/** Fields that belong to one hop of HTTP/1.1 and must not appear in HTTP/3 (RFC 9114 section 4.2). */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/**
 * A flat list with lower-case names; connection-specific fields are left out, `host` because :authority says it.
 * Names and values are not checked here: http3 does, and throws TypeError.
 */
export function flattenHeaders(input: HeadersInput | undefined): string[] {
  const flat: string[] = []
  if (input === undefined) return flat
  const entries = Symbol.iterator in input ? input : Object.entries(input)
  for (const [name, value] of entries as Iterable<readonly [string, string]>) {
    const lower = name.toLowerCase()
    if (!CONNECTION_SPECIFIC.has(lower)) flat.push(lower, value)
  }
  return flat
}

/** Names and values in turn as node:http gives them, with names as HTTP/3 has them. */
export function lowerCaseNames(raw: readonly string[]): string[] {
  return raw.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text))
}

/** The value of the first field of that (lower-case) name. */
export function firstField(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}

/** Field lines as a web Headers object, repeated names joined as it joins them; pseudo fields left out. */
export function toHeaders(fields: readonly string[]): Headers {
  const headers = new Headers()
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!
    if (!name.startsWith(':')) headers.append(name, fields[i + 1]!)
  }
  return headers
}
