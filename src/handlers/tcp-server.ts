// HTTP/2 and HTTP/1.1 over TLS on the TCP port of the same number, so that clients find the server before they know
// that it speaks HTTP/3 (RFC 9114 section 3.1.1, RFC 7838). Runs the same handlers. Started by serve().
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { HandlerFault } from '../supervisor/supervision.ts'
import { type AltSvc, altSvcField } from './alternative-service.ts'
import type { CertificateStore } from './certificate-store.ts'
import type { ExchangeHandler } from './exchange.ts'
import { MAX_TCP_CONNECTIONS, TCP_IDLE_TIMEOUT } from './limits.ts'
import { NodeExchange, type NodeRequest, type NodeResponse, type ReportFault } from './node-exchange.ts'
import type { Upgrade } from './node-tunnel.ts'
import { runExchange } from './run-exchange.ts'
import type { ClientCertificateOptions } from './serve.ts'
import { listenForTunnels } from './tcp-tunnels.ts'
import { NO_TUNNELS, routeOf, type TunnelRoutes } from './tunnel-routes.ts'

export interface TcpServerOptions {
  readonly address: string
  readonly port: number
  /** Other processes listen on the same port (SO_REUSEPORT). */
  readonly shared?: boolean
  readonly certificates: CertificateStore
  readonly clientCertificates?: ClientCertificateOptions | undefined
  readonly handler: ExchangeHandler
  /** What is spoken on tunnels; default nothing. */
  readonly tunnels?: TunnelRoutes
  /** What responses say about HTTP/3; default that it is there. */
  readonly altSvc?: AltSvc
  readonly report: (fault: HandlerFault) => void
}

export class TcpServer {
  readonly port: number
  readonly #server: Http2SecureServer
  readonly #sessions: Set<Http2Session>
  readonly #sockets: Set<Socket>
  readonly #tunnels: ReadonlySet<NodeExchange>

  constructor(
    server: Http2SecureServer,
    sessions: Set<Http2Session>,
    sockets: Set<Socket>,
    tunnels: ReadonlySet<NodeExchange>,
  ) {
    this.#server = server
    this.#tunnels = tunnels
    this.#sessions = sessions
    this.#sockets = sockets
    this.port = (server.address() as AddressInfo).port
  }

  /** For new connections without a server name; those with a name ask the store. */
  setSecureContext(options: SecureContextOptions): void {
    this.#server.setSecureContext(options)
  }

  /** Stops accepting, lets requests finish for `timeout` ms, then cuts what is left. */
  close(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy()
      }, timeout)
      this.#server.close(() => {
        clearTimeout(cut)
        resolve()
      })
      for (const exchange of this.#tunnels) exchange.handleDrain()
      for (const session of this.#sessions) session.close()
      // Node closes idle HTTP/1.1 connections only when it is asked to.
      Reflect.get(this.#server, 'closeIdleConnections')?.call(this.#server)
    })
  }
}

/** Listens; rejects with the system's error when the port cannot be had. */
export function listenTcp(options: TcpServerOptions): Promise<TcpServer> {
  const server = createSecureServer({
    ...options.certificates.first,
    SNICallback: (name, done) => done(null, options.certificates.contextFor(name)),
    ...(options.clientCertificates && {
      requestCert: true,
      rejectUnauthorized: options.clientCertificates.require === true,
    }),
    allowHTTP1: true,
    minVersion: 'TLSv1.2',
    // RFC 8441 section 3
    settings: { enableConnectProtocol: (options.tunnels ?? NO_TUNNELS).size > 0 },
  })
  server.maxConnections = MAX_TCP_CONNECTIONS
  server.setTimeout(TCP_IDLE_TIMEOUT, (socket?: { destroy(): void }) => socket?.destroy())
  const sessions = trackSessions(server)
  const sockets = trackSockets(server)
  const tunnels = new Set<NodeExchange>()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(
      {
        host: options.address,
        port: options.port,
        ipv6Only: options.address.includes(':'),
        reusePort: options.shared === true,
      },
      () => {
        server.removeListener('error', reject)
        server.on('error', ignore)
        const tcp = new TcpServer(server, sessions, sockets, tunnels)
        listenForRequests(server, options, tcp.port, tunnels)
        resolve(tcp)
      },
    )
  })
}

function listenForRequests(
  server: Http2SecureServer,
  options: TcpServerOptions,
  port: number,
  open: Set<NodeExchange>,
): void {
  const alternative = altSvcField(options.altSvc ?? {}, port)
  const { tunnels = NO_TUNNELS, handler } = options
  const exchangeOf = (
    request: NodeRequest,
    response: NodeResponse,
    more?: { readonly upgrade?: Upgrade; readonly expectsContinue?: boolean },
  ): NodeExchange => {
    if (alternative !== undefined) response.setHeader('alt-svc', alternative)
    const { method, url } = request
    const report: ReportFault = (kind, error) => options.report({ kind, method, path: url, error })
    return new NodeExchange(request, response, report, more)
  }
  const answer = (request: NodeRequest, response: NodeResponse): void =>
    void runExchange(handler, exchangeOf(request, response))
  server.on('request', answer)
  // RFC 9110 section 10.1.1: whether the body is wanted is the handler's decision. Node refuses other expectations: 417.
  server.on('checkContinue', (request: NodeRequest, response: NodeResponse) => {
    void runExchange(handler, exchangeOf(request, response, { expectsContinue: true }))
  })
  listenForTunnels(server, tunnels, (request, response, upgrade) => {
    const exchange = exchangeOf(request, response, upgrade && { upgrade })
    const route = routeOf(exchange.upgradeToken, tunnels, handler)
    open.add(exchange)
    void runExchange(route, exchange).finally(() => open.delete(exchange))
  })
}

function trackSessions(server: Http2SecureServer): Set<Http2Session> {
  const sessions = new Set<Http2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', ignore)
    session.on('close', () => sessions.delete(session))
  })
  server.on('sessionError', ignore)
  server.on('tlsClientError', ignore)
  return sessions
}

function trackSockets(server: Http2SecureServer): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', ignore)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

/** A broken client is no news; an emitter without a listener would end the process. */
function ignore(): void {}
