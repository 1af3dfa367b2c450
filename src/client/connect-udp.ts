// UDP through a proxy: CONNECT-UDP of the client (RFC 9298), ClientSession.connectUdp().

import type { TunnelDatagrams } from '../tunnels/tunnel-datagrams.ts'
import { MAX_UDP_PAYLOAD, readContextId, withContextId } from '../tunnels/udp-payload.ts'
import { openTunnel, type TunnelInput } from './client-tunnel.ts'
import { flattenHeaders } from './fields.ts'
import type { ClientSession } from './session.ts'

/** How a CONNECT-UDP proxy is asked (RFC 9298). */
export interface ConnectUdpInput extends Pick<TunnelInput, 'headers' | 'authority' | 'signal'> {
  /** Path of the proxy's URI template with {target_host} and {target_port} (RFC 9298 section 2). */
  readonly template?: string
}

const DEFAULT_TEMPLATE = '/.well-known/masque/udp/{target_host}/{target_port}/'

/** A UDP socket behind the proxy, towards one target. */
export class UdpTunnel implements AsyncIterable<Uint8Array> {
  /** Resolves when the proxy has ended the tunnel, or it is gone. */
  readonly closed: Promise<void>
  readonly #datagrams: TunnelDatagrams

  constructor(datagrams: TunnelDatagrams) {
    this.#datagrams = datagrams
    this.closed = datagrams.gone
  }

  /** Largest UDP payload that send() takes now, bytes; 0 once the tunnel is gone. */
  get maxPayload(): number {
    return Math.max(0, Math.min(MAX_UDP_PAYLOAD, this.#datagrams.maxPayload - 1))
  }

  /**
   * Sends a UDP payload; it is copied, and may get lost.
   * @throws RangeError when it is larger than maxPayload
   */
  send(payload: Uint8Array): void {
    if (payload.length > MAX_UDP_PAYLOAD) throw new RangeError('no UDP datagram is that large')
    this.#datagrams.send(withContextId(payload))
  }

  /** Calls `listener` with each UDP payload, borrowed for the call, instead of iterating. */
  listen(listener: (payload: Uint8Array) => void): void {
    this.#datagrams.onDatagram = (datagram) => {
      const payload = readContextId(datagram)
      if (payload === 'malformed') this.#datagrams.destroy()
      else if (payload !== 'unknown') listener(payload)
    }
  }

  /** UDP payloads as they arrive, until the tunnel is gone. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const datagram of this.#datagrams) {
      const payload = readContextId(datagram)
      if (payload === 'malformed') this.#datagrams.destroy()
      else if (payload !== 'unknown') yield payload
    }
  }

  /** Ends the tunnel; the proxy closes its socket. */
  close(): void {
    this.#datagrams.end()
  }
}

/**
 * Opens a UDP socket at the proxy.
 * @param host name or address of the target, IPv6 without brackets
 * @throws TunnelRefusedError (its `proxy-status` field says why), ClientError
 */
export async function openUdpTunnel(
  session: ClientSession,
  host: string,
  port: number,
  { template = DEFAULT_TEMPLATE, headers, ...more }: ConnectUdpInput = {},
): Promise<UdpTunnel> {
  const path = template
    .replace('{target_host}', encodeURIComponent(host))
    .replace('{target_port}', String(port))
  const fields = new Headers([['capsule-protocol', '?1']])
  const own = flattenHeaders(headers)
  for (let index = 0; index < own.length; index += 2) fields.append(own[index]!, own[index + 1]!)
  const tunnel = await openTunnel(session, {
    ...more,
    path,
    protocol: 'connect-udp',
    headers: fields,
    usesDatagrams: true,
  })
  return new UdpTunnel(tunnel.datagrams())
}
