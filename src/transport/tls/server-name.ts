// Host names as TLS uses them: in server_name (RFC 6066 section 3), in certificates (RFC 6125 section 6.4), and for
// choosing a server's certificate. Called by the identity table, the client and the chain verification.

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/

/** Whether a name is a literal address; RFC 6066 section 3: these are not permitted in server_name. */
export function isAddressLiteral(name: string): boolean {
  return name.includes(':') || IPV4.test(name)
}

/** Lower case, without the dot of a rooted name; an IPv6 literal without brackets and in its shortest form. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  if (lower.includes(':')) return shortestIpv6(lower.startsWith('[') ? lower.slice(1, -1) : lower)
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** RFC 5952, as URLs write it; what is no address stays as it is. */
function shortestIpv6(address: string): string {
  const url = `http://[${address}]`
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address
}

/** `*.example.org` for `a.example.org`: the one wildcard that may match it, or undefined for a single label. */
export function wildcardFor(name: string): string | undefined {
  const dot = name.indexOf('.')
  return dot <= 0 || dot === name.length - 1 ? undefined : `*${name.slice(dot)}`
}
