// From a URL to what a connection and a request need: host, port, authority, path. Used by connect.ts,
// route-chooser.ts, webtransport.ts and the commands.

/** Where a request goes. */
export interface RequestTarget {
  /** Host without brackets: a name or an address literal. */
  readonly host: string
  readonly port: number
  /** Value of :authority; port left out when it is the default (RFC 9110 section 4.2.2). */
  readonly authority: string
  /** Value of :path, query included (RFC 9114 section 4.3.1). */
  readonly path: string
}

/** @throws TypeError when the text is no URL or its scheme is not https */
export function parseTarget(url: string | URL): RequestTarget {
  const parsed = typeof url === 'string' ? new URL(url) : url
  if (parsed.protocol !== 'https:') throw new TypeError(`HTTP/3 needs an https URL, not ${parsed.protocol}`)
  const bracketed = parsed.hostname
  return {
    host: bracketed.startsWith('[') ? bracketed.slice(1, -1) : bracketed,
    port: parsed.port === '' ? 443 : Number(parsed.port),
    authority: parsed.host,
    path: parsed.pathname + parsed.search,
  }
}
