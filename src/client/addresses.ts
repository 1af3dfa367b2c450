// From a name to the addresses to try, in the order of trying: RFC 8305 section 4. Used by connect.ts.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { RemoteAddress } from '../transport/connection/index.ts'
import { ClientError } from './client-error.ts'
import { MAX_ADDRESSES } from './limits.ts'

/** Answers with all addresses of a name, the preferred ones first. */
export type Resolver = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

const systemResolver: Resolver = (host) => lookup(host, { all: true, order: 'verbatim' })

/** @throws ClientError of kind 'connect' when there is no such name */
export async function addressesOf(
  host: string,
  port: number,
  resolve: Resolver = systemResolver,
): Promise<RemoteAddress[]> {
  const literal = isIP(host)
  if (literal !== 0) return [{ address: host, port, family: literal === 6 ? 6 : 4 }]
  try {
    const found = await resolve(host)
    const addresses = found.map(({ address, family }): RemoteAddress => {
      return { address, port, family: family === 6 ? 6 : 4 }
    })
    return interleave(addresses).slice(0, MAX_ADDRESSES)
  } catch (cause) {
    throw new ClientError('connect', `the host ${host} was not found`, undefined, { cause })
  }
}

/**
 * RFC 8305 section 4: "interleave address families", beginning with that of the first address, so that a family that is
 * broken costs one head start and not one per address.
 */
function interleave(addresses: readonly RemoteAddress[]): RemoteAddress[] {
  const first = addresses[0]?.family
  const preferred = addresses.filter(({ family }) => family === first)
  const others = addresses.filter(({ family }) => family !== first)
  const mixed: RemoteAddress[] = []
  for (let i = 0; i < Math.max(preferred.length, others.length); i++) {
    if (i < preferred.length) mixed.push(preferred[i]!)
    if (i < others.length) mixed.push(others[i]!)
  }
  return mixed
}
