// Looks up the name of a CONNECT-UDP target, not for ever. Used by udp-proxy.ts.
import { lookup } from 'node:dns/promises'
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import { DNS_TIMEOUT } from '../limits.ts'
import { ProxyError } from './proxy-error.ts'

/** Addresses of a name, the best first; rejects when there are none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>

/** As the system resolves names. */
export async function resolveBySystem(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** @throws ProxyError dns_error or dns_timeout */
export async function resolveWithin(
  resolve: ResolveHost,
  host: string,
  clock: Clock,
): Promise<readonly string[]> {
  let timer: TimerHandle | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const error = new ProxyError(504, 'dns_timeout', 'the name was not resolved in time')
    timer = clock.setTimer(clock.now() + DNS_TIMEOUT, () => reject(error))
  })
  try {
    return await Promise.race([resolve(host), late])
  } catch (error) {
    throw error instanceof ProxyError ? error : new ProxyError(502, 'dns_error', 'the name was not resolved')
  } finally {
    if (timer !== undefined) clock.clearTimer(timer)
  }
}
