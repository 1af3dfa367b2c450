// Puts a whole server together: UDP sockets, endpoint and HTTP/3; the TCP fallback on the same port number; the admin
// port. The only place on the server's side that knows real sockets, the real clock and the process. Called by serve().
import { Endpoint } from '../supervisor/endpoint.ts'
import { checkSecret } from '../supervisor/endpoint-secret.ts'
import { type ServerTlsOptions, versionsNamed } from '../transport/connection/index.ts'
import { selectBackends } from '../transport/crypto/index.ts'
import { type Clock, systemClock } from '../transport/io/clock.ts'
import { systemEntropy } from '../transport/io/entropy.ts'
import { QlogDirectory } from '../transport/io/qlog-directory.ts'
import { type AntiReplay, SessionTickets } from '../transport/tls/index.ts'
import { checkedAltSvc } from './alternative-service.ts'
import { bindPorts } from './bind-ports.ts'
import { CertificateStore } from './certificate-store.ts'
import { clientVerifier } from './client-certificates.ts'
import { type DemoOptions, demoRoutes } from './demo-routes.ts'
import type { ExchangeHandler } from './exchange.ts'
import { reporterOf } from './fault-report.ts'
import { fetchHandler } from './fetch-handler.ts'
import { httpDates } from './http-date.ts'
import { earlyDataSettings, type Http3Options, http3Service } from './http3-service.ts'
import { MAX_DATAGRAM_FRAME_SIZE } from './limits.ts'
import { accessLog } from './observation/access-log.ts'
import { publishFault, publishRequests } from './observation/diagnostics.ts'
import { RunningServer } from './running-server.ts'
import type { ServeOptions } from './serve.ts'
import { certificateOf } from './server-certificate.ts'
import { tunnelRoutesOf } from './server-tunnels.ts'
import { webtransportOf } from './server-webtransport.ts'
import type { WorkerShare } from './workers/worker-share.ts'

/**
 * See serve().
 * @param share what a worker has in common with the others; absent for a server of one process
 */
export async function startServer(options: ServeOptions, share?: WorkerShare): Promise<RunningServer> {
  const reporter = reporterOf(options)
  const report: typeof reporter = (fault) => {
    publishFault(fault)
    reporter(fault)
  }
  if (options.secret !== undefined) checkSecret(options.secret)
  const qlog = options.qlogDirectory === undefined ? undefined : new QlogDirectory(options.qlogDirectory)
  const clock = systemClock()
  const certificate = share?.certificate ?? (await certificateOf(options))
  const certificates = new CertificateStore(certificate.chains, options.clientCertificates?.ca)
  const tunnels = tunnelRoutesOf(options, clock)
  const { origins, qpack } = options
  const http3: Http3Options = { tunnels, origins, qpack, webtransport: webtransportOf(options) }
  const handler = handlerOf(options, {
    clock,
    ...(options.root === undefined ? {} : { root: options.root }),
    ...(certificate.selfSigned && { certificateHash: certificate.selfSigned.certificateHash }),
  })
  const altSvc = checkedAltSvc(options.altSvc ?? {})
  const application = http3Service(handler, httpDates(), http3)
  const tickets = ticketsOf({ ...options, ...share?.tickets }, clock, http3, share?.antiReplay)
  const ports = await bindPorts({
    host: options.host,
    port: share?.port ?? options.port ?? 4433,
    shared: share !== undefined,
    preferred: options.preferredAddress,
    tcp:
      options.tcp === false
        ? undefined
        : {
            certificates,
            clientCertificates: options.clientCertificates,
            handler,
            tunnels,
            altSvc,
            report,
          },
  })
  const secret = share?.secret ?? options.secret
  const endpoint = new Endpoint({
    clock,
    entropy: systemEntropy(),
    sockets: ports.udp,
    backends: selectBackends(),
    server: {
      tls: tlsOf(certificates, options, tickets),
      application,
      ...(options.clientCertificates && {
        verifyCertificate: clientVerifier(options.clientCertificates, clock),
      }),
      ...(options.preferredAddress && { preferredAddress: options.preferredAddress }),
    },
    report,
    transport: { maxDatagramFrameSize: MAX_DATAGRAM_FRAME_SIZE, ...options.transport },
    ...(options.versions && { versions: versionsNamed(options.versions) }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(secret === undefined ? {} : { secret }),
    ...(share && { worker: share.role }),
    ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
    ...(options.keyLog === undefined ? {} : { keyLog: options.keyLog }),
    ...(qlog && { openQlog: qlog.open }),
  })
  const server = new RunningServer(
    endpoint,
    ports,
    { certificates, selfSigned: certificate.selfSigned, qlog },
    share,
  )
  try {
    if (options.inspector && share === undefined) await server.openAdmin(options.inspector.port)
  } catch (error) {
    await server.end(0)
    throw error
  }
  if (options.containErrors !== false) server.containErrors()
  endpoint.start()
  return server
}

/** What new connections take is what the store has when they come. */
function tlsOf(
  certificates: CertificateStore,
  { clientCertificates }: ServeOptions,
  tickets: SessionTickets | undefined,
): ServerTlsOptions {
  return {
    get identities() {
      return certificates.identities
    },
    alpn: ['h3'],
    ...(tickets && { resumption: tickets }),
    ...(clientCertificates && {
      clientAuthentication: clientCertificates.require === true ? 'require' : 'request',
    }),
  }
}

/** @throws RangeError for ticket keys that cannot be used */
function ticketsOf(
  { ticketKeys, earlyData }: ServeOptions,
  clock: Clock,
  http3: Http3Options,
  antiReplay: AntiReplay | undefined,
): SessionTickets | undefined {
  if (ticketKeys === false) return undefined
  return new SessionTickets({
    entropy: systemEntropy(),
    now: () => clock.wallTime(),
    keys: ticketKeys,
    earlyData,
    antiReplay,
    applicationState: earlyDataSettings(http3),
  })
}

function handlerOf(options: ServeOptions, demo: DemoOptions): ExchangeHandler {
  const handler = publishRequests(plainHandlerOf(options, demo))
  const { accessLog: log = false } = options
  return log === false ? handler : accessLog(handler, log === true ? {} : log)
}

function plainHandlerOf(options: ServeOptions, demo: DemoOptions): ExchangeHandler {
  if (options.handler !== undefined) return options.handler
  return options.fetch === undefined ? demoRoutes(demo) : fetchHandler(options.fetch)
}
