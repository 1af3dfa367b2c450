// The public surface of quactor, and nothing else. What is not exported here is free to change.

export type { WebTransportHash } from './client/certificate-hashes.ts'
export { ClientError, type ClientErrorKind } from './client/client-error.ts'
export type { SentRequest } from './client/client-exchange.ts'
export type { ClientResponse } from './client/client-response.ts'
export { type OpenTunnel, type TunnelInput, TunnelRefusedError } from './client/client-tunnel.ts'
export { type ConnectOptions, connect } from './client/connect.ts'
export type { ConnectUdpInput, UdpTunnel } from './client/connect-udp.ts'
export type { FetchInit } from './client/fetch.ts'
export type { FetchResponse } from './client/fetch-response.ts'
export { HttpClient, type HttpClientOptions } from './client/http-client.ts'
export type { RequestInput } from './client/request-input.ts'
export type { Http3Mode } from './client/route-chooser.ts'
export type { ClientSession } from './client/session.ts'
export { MemorySessionStore, type SessionStore, type StoredSession } from './client/session-store.ts'
export { fetch } from './client/shared-client.ts'
export { TokenStore } from './client/token-store.ts'
export type { WebSocketInput } from './client/websocket.ts'
export { WebTransport, type WebTransportOptions } from './client/webtransport.ts'
export type { WebTransportClientSession, WebTransportSessionOptions } from './client/webtransport-session.ts'
export type { UdpAllowList } from './handlers/connect-udp/policy.ts'
export type { ConnectUdpOptions, UdpTunnelReport } from './handlers/connect-udp/udp-proxy.ts'
export type {
  DatagramTunnel,
  Exchange,
  ExchangeDatagrams,
  ExchangeHandler,
  ExchangeProtocol,
} from './handlers/exchange.ts'
export { CancelledError } from './handlers/exchange.ts'
export { FastResponse } from './handlers/fast-response.ts'
export type { FetchHandler } from './handlers/fetch-handler.ts'
export { fetchHandler } from './handlers/fetch-handler.ts'
export type { ServerRequest } from './handlers/lazy-request.ts'
export { BodyTooLargeError } from './handlers/limited-body.ts'
export {
  type LiveConnection,
  observeBody,
  observeDatagrams,
  type ReceivedDatagram,
} from './handlers/live-connections.ts'
export * from './handlers/machine-service/index.ts'
export { type NodeListener, nodeListener } from './handlers/node-listener.ts'
export { createServer, NodeServer, type NodeServerOptions } from './handlers/node-server.ts'
export { type AccessLogOptions, accessLog } from './handlers/observation/access-log.ts'
export type { RequestMessage } from './handlers/observation/diagnostics.ts'
export { type OpenTelemetryApi, traced } from './handlers/observation/open-telemetry.ts'
export { type RouteHandler, type RouteMatch, type RouteTable, routes } from './handlers/routes.ts'
export type { CertificateAndKey, QuactorServer, ServeOptions } from './handlers/serve.ts'
export { serve } from './handlers/serve.ts'
export { staticFiles } from './handlers/static-files.ts'
export { type SupervisedOptions, supervised } from './handlers/supervised.ts'
export type {
  WebSocketOpenHandler,
  WebSocketRequest,
  WebSocketService,
} from './handlers/websocket-handler.ts'
export type {
  WebTransportAcceptOptions,
  WebTransportHandler,
  WebTransportRejectOptions,
  WebTransportServerSession,
  WebTransportService,
} from './handlers/webtransport-session.ts'
export { type Priority, usesCapsules } from './http3/index.ts'
export type { RetryMode } from './supervisor/address-validation.ts'
export type { ConnectionReport } from './supervisor/connection-report.ts'
export type { DrainReport } from './supervisor/endpoint-drain.ts'
export type { InvariantMode } from './supervisor/invariants.ts'
export type { MissedTransition } from './supervisor/missed-transitions.ts'
export type { ServerStatus, WorkerStatus } from './supervisor/status.ts'
export type { StuckCause, StuckReport } from './supervisor/stuck-report.ts'
export { describeStuck } from './supervisor/stuck-report.ts'
export type { HandlerFault, SupervisionSettings } from './supervisor/supervision.ts'
export type { WebTransportDatagrams } from './supervisor/webtransport/datagrams.ts'
export { WebTransportError } from './supervisor/webtransport/error.ts'
export type {
  WebTransportCloseInfo,
  WebTransportSendOptions,
} from './supervisor/webtransport/session-surface.ts'
export type {
  WebTransportBidirectionalStream,
  WebTransportReceiveStream,
  WebTransportSendStream,
} from './supervisor/webtransport/streams.ts'
export type {
  ConnectionMetrics,
  PreferredAddresses,
  QuicVersionName,
  RemoteAddress,
  TransportSettings,
} from './transport/connection/index.ts'
export type { TicketSecrets } from './transport/tls/index.ts'
export { HandshakeError } from './tunnels/handshake-error.ts'
export type {
  WebSocketConnection,
  WebSocketData,
  WebSocketEvents,
  WebSocketLimits,
} from './tunnels/websocket-connection.ts'
