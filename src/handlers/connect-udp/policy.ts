// Who may be talked to through CONNECT-UDP. A server that relays for others is a way into its own network: addresses that
// are not of the public Internet are refused unless an entry names them, whatever name they hide behind. Used by
// udp-proxy.ts.
import { BlockList, isIP } from 'node:net'

/**
 * Asked with the host of the request, a name or an address, or a list of entries: `host:port`, `*.domain:port`,
 * `address:port`, `[IPv6]:port`, `network/bits:port`, `[IPv6]/bits:port`; `*` stands for every host or port.
 */
export type UdpAllowList = ((host: string, port: number) => boolean) | readonly string[]

/** Networks that are not public (IANA special-purpose registries, multicast), by what leads into them, too. */
const SPECIAL_NETWORKS = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4, Teredo) would be a way around the list above.
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23'],
  ...[
    '2001:db8::/32',
    '2002::/16',
    '3fff::/20',
    '5f00::/16',
    'fc00::/7',
    'fe80::/10',
    'fec0::/10',
    'ff00::/8',
  ],
]

/** One list per family: Node's own takes an IPv4 address for a part of ::ffff:0:0/96. */
class Networks {
  readonly #ipv4 = new BlockList()
  readonly #ipv6 = new BlockList()

  constructor(list: readonly string[]) {
    for (const entry of list) this.#add(entry)
  }

  has(address: string): boolean {
    return isIP(address) === 6 ? this.#ipv6.check(address, 'ipv6') : this.#ipv4.check(address, 'ipv4')
  }

  #add(entry: string): void {
    const [address = '', bits] = entry.split('/')
    const isIpv6 = isIP(address) === 6
    const prefix = bits === undefined ? (isIpv6 ? 128 : 32) : Number(bits)
    if (isIpv6) this.#ipv6.addSubnet(address, prefix, 'ipv6')
    else this.#ipv4.addSubnet(address, prefix, 'ipv4')
  }
}

const special = new Networks(SPECIAL_NETWORKS)

/** An address that a proxy must not reach for others unless it is told to. */
export function isSpecialAddress(address: string): boolean {
  return special.has(address)
}

interface Entry {
  /** Undefined: every port. */
  readonly port: number | undefined
  /** Lower case; `*` or `*.suffix` for many. Undefined for entries of addresses. */
  readonly name: string | undefined
  readonly network: Networks | undefined
}

const ENTRY = /^(?:\[([^\]]+)\](\/\d{1,3})?|([^:[\]]+)):(\*|\d{1,5})$/

/** @throws TypeError for an entry that means nothing */
function parseEntry(text: string): Entry {
  const match = ENTRY.exec(text)
  if (match === null) throw new TypeError(`connectUdp: "${text}" is not host:port`)
  const [, bracketed, bits = '', plain, portText] = match
  const host = (bracketed === undefined ? plain! : bracketed + bits).toLowerCase()
  const port = portText === '*' ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535))
    throw new TypeError(`connectUdp: no port in "${text}"`)
  const [address = ''] = host.split('/')
  if (isIP(address) === 0) {
    if (bracketed !== undefined || host.includes('/'))
      throw new TypeError(`connectUdp: no address in "${text}"`)
    return { port, name: host, network: undefined }
  }
  return { port, name: undefined, network: new Networks([host]) }
}

export class UdpPolicy {
  readonly #ask: ((host: string, port: number) => boolean) | undefined
  readonly #entries: readonly Entry[]

  /**
   * @param special entries of addresses that may be reached although they are not public: for the function form
   * @throws TypeError for an entry that means nothing
   */
  constructor(allow: UdpAllowList, special: readonly string[] = []) {
    this.#ask = typeof allow === 'function' ? allow : undefined
    const list = typeof allow === 'function' ? special : [...allow, ...special]
    this.#entries = list.map(parseEntry)
  }

  /** Whether the host of a request, name or address, may be asked for at all; decided before it is looked up. */
  allowsHost(host: string, port: number): boolean {
    if (this.#ask !== undefined) return this.#ask(host, port)
    if (isIP(host) !== 0) return this.#isListed(host, port) || this.#entries.some(matches('*', port))
    const name = host.endsWith('.') ? host.slice(0, -1) : host
    return this.#entries.some(matches(name, port))
  }

  /** Whether this very address, that the host was resolved to, may be talked to. */
  allowsAddress(address: string, port: number): boolean {
    return !isSpecialAddress(address) || this.#isListed(address, port)
  }

  #isListed(address: string, port: number): boolean {
    return this.#entries.some((entry) => fits(entry, port) && entry.network?.has(address) === true)
  }
}

function fits(entry: Entry, port: number): boolean {
  return entry.port === undefined || entry.port === port
}

/** Entries that name this host; an address is named by `*` alone. */
function matches(name: string, port: number): (entry: Entry) => boolean {
  return (entry) => {
    if (entry.name === undefined || !fits(entry, port)) return false
    if (entry.name === '*' || entry.name === name) return true
    return (
      entry.name.startsWith('*.') && name.endsWith(entry.name.slice(1)) && name.length >= entry.name.length
    )
  }
}
