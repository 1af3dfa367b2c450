// The preferred_address transport parameter (RFC 9000 sections 9.6 and 18.2), between bytes and the texts that sockets
// speak. IPv6 texts are canonical (RFC 5952), because paths are told apart by them. Called by the handshake.
import { type PreferredAddress, QuicError, TransportErrorCode } from '../wire/index.ts'
import type { ConnectionOptions } from './connection-options.ts'
import type { RemoteAddress } from './datagram-batch.ts'
import type { IssuedConnectionId } from './local-connection-ids.ts'

const IPV4_LENGTH = 4
const IPV6_LENGTH = 16
const GROUPS = 8

/** The parameter, with the second connection ID; undefined when no address is preferred. */
export function preferredAddressOf(
  { role, preferredAddress }: ConnectionOptions,
  issue: () => IssuedConnectionId,
): PreferredAddress | undefined {
  if (role === 'client' || preferredAddress === undefined) return undefined
  const { ipv4, ipv6 } = preferredAddress
  const { bytes, statelessResetToken } = issue()
  return {
    ipv4: ipv4 === undefined ? new Uint8Array(IPV4_LENGTH) : addressBytes(ipv4.address),
    ipv4Port: ipv4?.port ?? 0,
    ipv6: ipv6 === undefined ? new Uint8Array(IPV6_LENGTH) : addressBytes(ipv6.address),
    ipv6Port: ipv6?.port ?? 0,
    connectionId: bytes,
    statelessResetToken,
  }
}

/** The address of one IP version; undefined when none of it is offered. */
export function remoteFrom(preferred: PreferredAddress, family: 4 | 6): RemoteAddress | undefined {
  const port = family === 4 ? preferred.ipv4Port : preferred.ipv6Port
  if (port === 0) return undefined
  const address = family === 4 ? preferred.ipv4.join('.') : ipv6Text(preferred.ipv6)
  return { address, port, family }
}

/**
 * The bytes of an address: 4 or 16.
 * @throws QuicError INTERNAL_ERROR for a text that is none: the options are at fault
 */
export function addressBytes(text: string): Uint8Array {
  const bytes = text.includes(':') ? ipv6Bytes(text) : Uint8Array.from(text.split('.'), Number)
  const isRight = bytes.length === (text.includes(':') ? IPV6_LENGTH : IPV4_LENGTH)
  if (!isRight) throw new QuicError(TransportErrorCode.INTERNAL_ERROR, 'preferred address is no IP address')
  return bytes
}

function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const missing = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length)
  const groups = [...before, ...new Array<number>(missing).fill(0), ...after]
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]))
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/** RFC 5952: no leading zeros, lower case, the longest run of two zero groups or more as "::", the first of equals. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: GROUPS }, (_, i) =>
    ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16),
  )
  let start = 0
  let longest = 1
  for (let i = 0; i < GROUPS; i++) {
    let end = i
    while (end < GROUPS && groups[end] === '0') end++
    if (end - i > longest) {
      start = i
      longest = end - i
    }
  }
  if (longest === 1) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`
}
