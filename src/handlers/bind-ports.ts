// Gets one port number on UDP and TCP, for IPv4 and IPv6. Used by serve().

import type { PreferredAddresses } from '../transport/connection/index.ts'
import { bindNodeSocket, type NodeSocket } from '../transport/io/node-socket.ts'
import { SERVER_PORT_ATTEMPTS } from './limits.ts'
import { listenTcp, type TcpServer, type TcpServerOptions } from './tcp-server.ts'

export interface PortOptions {
  /** Address, or `localhost`; undefined = every address. */
  readonly host: string | undefined
  /** 0 lets the system choose one that is free on all of them. */
  readonly port: number
  /** Other processes share the port; it is given then, and free. */
  readonly shared?: boolean
  /** UDP addresses beside the port: where clients are asked to move to. */
  readonly preferred?: PreferredAddresses | undefined
  /** Without it no TCP port is opened. */
  readonly tcp: Omit<TcpServerOptions, 'address' | 'port' | 'shared'> | undefined
}

export interface BoundPorts {
  readonly udp: NodeSocket[]
  readonly tcp: TcpServer[]
}

/** Not every machine has IPv6: without it, IPv4 alone is enough. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT'])

/** Rejects with the system's error when the port is busy or may not be bound; nothing stays open then. */
export async function bindPorts(options: PortOptions): Promise<BoundPorts> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindOnce(options)
    } catch (error) {
      // A port that the system chose for the first socket may be taken on the others: another one then.
      const isRetry = options.port === 0 && codeOf(error) === 'EADDRINUSE' && attempt < SERVER_PORT_ATTEMPTS
      if (!isRetry) throw error
    }
  }
}

async function bindOnce(options: PortOptions): Promise<BoundPorts> {
  const ports: BoundPorts = { udp: [], tcp: [] }
  try {
    for (const address of addressesOf(options.host)) await bindAddress(options, address, ports)
    const { ipv4, ipv6 } = options.preferred ?? {}
    for (const preferred of [ipv4, ipv6]) {
      if (preferred === undefined) continue
      ports.udp.push(await bindNodeSocket({ ...preferred, shared: options.shared === true }))
    }
    return ports
  } catch (error) {
    await Promise.all([...ports.udp.map((socket) => socket.close()), ...ports.tcp.map((tcp) => tcp.close(0))])
    throw error
  }
}

async function bindAddress(options: PortOptions, address: string, ports: BoundPorts): Promise<void> {
  const shared = options.shared === true
  const port = ports.udp[0]?.localPort ?? options.port
  try {
    ports.udp.push(await bindNodeSocket({ address, port, shared }))
  } catch (error) {
    const isSpare = address.includes(':') && ports.udp.length > 0
    if (isSpare && NO_IPV6.has(codeOf(error))) return
    throw error
  }
  if (options.tcp !== undefined) {
    ports.tcp.push(await listenTcp({ ...options.tcp, address, port: ports.udp[0].localPort, shared }))
  }
}

function addressesOf(host: string | undefined): string[] {
  if (host === undefined) return ['0.0.0.0', '::']
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
