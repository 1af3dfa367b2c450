// CONNECT-UDP (RFC 9298): a request becomes a UDP socket towards its target, datagrams of context 0 are its payloads. Off
// unless serve({ connectUdp }) turns it on. One object per server, a tunnel per request; made by server-tunnels.ts.
import { isIP } from 'node:net'
import { H3ErrorCode } from '../../http3/index.ts'
import type { RemoteAddress } from '../../transport/connection/index.ts'
import type { Clock } from '../../transport/io/clock.ts'
import type { OpenRelaySocket, RelaySocket } from '../../transport/io/relay-socket.ts'
import type { DatagramTunnel, Exchange } from '../exchange.ts'
import { MAX_UDP_SOCKETS, MAX_UDP_SOCKETS_PER_CONNECTION, UDP_IDLE_TIMEOUT } from '../limits.ts'
import { type UdpAllowList, UdpPolicy } from './policy.ts'
import { ProxyError, type ProxyErrorType } from './proxy-error.ts'
import { type ResolveHost, resolveWithin } from './resolve-host.ts'
import { parseUdpTarget, type UdpTarget } from './target.ts'
import { noCounts, type RelayCounts, UdpRelay } from './udp-relay.ts'

/** What a CONNECT-UDP proxy may do (RFC 9298). */
export interface ConnectUdpOptions {
  /** Which hosts and ports may be reached. Addresses that are not public need an entry that names them. */
  readonly allow: UdpAllowList
  /** For a function as `allow`: entries of addresses that may be reached although they are not public. */
  readonly allowSpecial?: readonly string[]
  /** UDP sockets of one client connection; default 16. */
  readonly maxSocketsPerConnection?: number
  /** UDP sockets in all; default 256. */
  readonly maxSockets?: number
  /** A tunnel without datagrams ends after so many ms; default two minutes. */
  readonly idleTimeout?: number
  /** Told about every request when it is over: for logs and for counting. */
  readonly onEnd?: (report: UdpTunnelReport) => void
}

/** What became of one CONNECT-UDP request. */
export interface UdpTunnelReport {
  /** Who asked. */
  readonly client: RemoteAddress
  /** Path of the request, as sent. */
  readonly path: string
  /** The address that was talked to; undefined when it did not come to that. */
  readonly target: RemoteAddress | undefined
  /** Why the request was refused: a type of RFC 9209. */
  readonly refusal: ProxyErrorType | undefined
  /** How many datagrams went each way, and how many did not. */
  readonly datagrams: Readonly<RelayCounts>
}

export interface UdpProxyServices {
  readonly clock: Clock
  readonly openSocket: OpenRelaySocket
  readonly resolve: ResolveHost
}

/** RFC 9297 section 3.2: fields that a message of the capsule protocol must not have. */
const CONTENT_FIELDS = ['content-length', 'content-type', 'transfer-encoding']

export class UdpProxy {
  /** Sockets that are open or being opened. */
  open = 0
  /** Requests that were turned down, and datagrams of all tunnels. */
  readonly counters = { refused: 0, ...noCounts() }
  readonly #policy: UdpPolicy
  readonly #options: ConnectUdpOptions
  readonly #services: UdpProxyServices
  readonly #perConnection = new WeakMap<object, number>()

  /** @throws TypeError for an allow-list that means nothing */
  constructor(options: ConnectUdpOptions, services: UdpProxyServices) {
    this.#options = options
    this.#services = services
    this.#policy = new UdpPolicy(options.allow, options.allowSpecial)
  }

  /** The handler for the upgrade token `connect-udp`. */
  handle = async (exchange: Exchange): Promise<void> => {
    // "A receiver that observes a violation of these requirements MUST treat the HTTP message as malformed."
    if (CONTENT_FIELDS.some((name) => exchange.header(name) !== undefined)) {
      exchange.reset(H3ErrorCode.H3_MESSAGE_ERROR)
      return
    }
    const key = exchange.connectionKey
    const relay = new UdpRelay(this.counters)
    let isCounted = false
    let refusal: ProxyErrorType | undefined
    try {
      const target = this.#judge(exchange)
      this.#reserve(key)
      isCounted = true
      await this.#relay(exchange, target, relay)
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error
      refusal = error.type
      this.counters.refused++
      exchange.respond(error.status, ['proxy-status', error.proxyStatus])
    } finally {
      if (isCounted) this.#release(key)
      this.#report(exchange, relay, refusal)
    }
  }

  #report(exchange: Exchange, relay: UdpRelay, refusal: ProxyErrorType | undefined): void {
    const { onEnd } = this.#options
    if (onEnd === undefined) return
    const { remote: client, path } = exchange
    const report = { client, path, target: relay.target, refusal, datagrams: relay.counts }
    exchange.contain(() => onEnd(report))
  }

  #judge(exchange: Exchange): UdpTarget {
    const target = parseUdpTarget(exchange.path)
    if (target === undefined) throw new ProxyError(400, 'http_request_error', 'no target in the path')
    if (!this.#policy.allowsHost(target.host, target.port)) {
      throw new ProxyError(403, 'http_request_denied', 'the target is not allowed')
    }
    return target
  }

  /** The caps on sockets; the one place where a socket is counted. */
  #reserve(key: object): void {
    const { maxSockets = MAX_UDP_SOCKETS } = this.#options
    const { maxSocketsPerConnection = MAX_UDP_SOCKETS_PER_CONNECTION } = this.#options
    const own = this.#perConnection.get(key) ?? 0
    if (this.open >= maxSockets || own >= maxSocketsPerConnection) {
      throw new ProxyError(503, 'connection_limit_reached', 'too many UDP sockets')
    }
    this.open++
    this.#perConnection.set(key, own + 1)
  }

  #release(key: object): void {
    this.open--
    this.#perConnection.set(key, (this.#perConnection.get(key) ?? 1) - 1)
  }

  async #relay(exchange: Exchange, target: UdpTarget, relay: UdpRelay): Promise<void> {
    const remote = await this.#locate(target)
    if (exchange.isEnded) return
    relay.target = remote
    let socket: RelaySocket
    try {
      socket = await this.#services.openSocket(remote, relay)
    } catch (error) {
      throw new ProxyError(502, 'destination_unavailable', error instanceof Error ? error.message : '')
    }
    try {
      if (exchange.isEnded) return
      await this.#run(relay, socket, exchange.acceptDatagrams())
    } finally {
      socket.close()
    }
  }

  async #run(relay: UdpRelay, socket: RelaySocket, tunnel: DatagramTunnel): Promise<void> {
    const { clock } = this.#services
    const idle = relay.watchIdle(clock, this.#options.idleTimeout ?? UDP_IDLE_TIMEOUT)
    try {
      const isOver = await Promise.race([relay.join(tunnel, socket), idle.over, tunnel.gone])
      // RFC 9298 section 3.1: an end of either side is the end of both.
      if (isOver === 'broken') tunnel.destroy()
      else tunnel.end()
    } finally {
      idle.stop()
      tunnel.onDatagram = undefined
    }
  }

  /** The address to talk to: the decision is about what the name stands for now, and that address is used. */
  async #locate({ host, port }: UdpTarget): Promise<RemoteAddress> {
    const { clock, resolve } = this.#services
    const addresses = isIP(host) === 0 ? await resolveWithin(resolve, host, clock) : [host]
    const address = addresses.find((candidate) => this.#policy.allowsAddress(candidate, port))
    if (address === undefined) {
      throw new ProxyError(403, 'destination_ip_prohibited', 'the address of the target is not allowed')
    }
    return { address, port, family: isIP(address) === 6 ? 6 : 4 }
  }
}
