// Where a CONNECT-UDP request wants to go: the default URI template of RFC 9298 section 2. Used by udp-proxy.ts.
import { isIP } from 'node:net'
import { MAX_TARGET_HOST } from '../limits.ts'

export interface UdpTarget {
  /** Name in lower case, or address without brackets. */
  readonly host: string
  readonly port: number
}

const TEMPLATE = /^\/\.well-known\/masque\/udp\/([^/?#]+)\/(\d{1,5})\/$/
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?$/

/** Target of a path "/.well-known/masque/udp/{target_host}/{target_port}/"; undefined when it names none. */
export function parseUdpTarget(path: string): UdpTarget | undefined {
  const match = TEMPLATE.exec(path)
  if (match === null) return undefined
  const host = decodeHost(match[1])
  const port = Number(match[2])
  if (host === undefined || port < 1 || port > 65_535) return undefined
  return { host, port }
}

function decodeHost(text: string): string | undefined {
  let host: string
  try {
    host = decodeURIComponent(text).toLowerCase()
  } catch {
    return undefined
  }
  // RFC 9298 section 3: an IPv6 address comes without brackets; zones mean nothing on another machine.
  if (isIP(host) !== 0) return host.includes('%') ? undefined : host
  if (host.length > MAX_TARGET_HOST || !NAME.test(host) || endsInNumber(host)) return undefined
  return host
}

/** What resolvers take for an IPv4 address in another notation: 127.1, 0x7f000001, 2130706433. */
function endsInNumber(host: string): boolean {
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(host)
}
