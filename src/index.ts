// The public surface of quactor, and nothing else. What is not exported here is free to change.
export { ClientError, type ClientErrorKind } from './client/client-error.ts'
export type { SentRequest } from './client/client-exchange.ts'
export type { ClientResponse } from './client/client-response.ts'
export { type ConnectOptions, connect } from './client/connect.ts'
export { HttpClient } from './client/http-client.ts'
export type { ClientSession, RequestInput } from './client/session.ts'
export { MemorySessionStore, type SessionStore, type StoredSession } from './client/session-store.ts'
export { TokenStore } from './client/token-store.ts'
export type { Exchange, ExchangeDatagrams, ExchangeHandler, ExchangeProtocol } from './handlers/exchange.ts'
export { CancelledError } from './handlers/exchange.ts'
export type { FetchHandler } from './handlers/fetch-handler.ts'
export { fetchHandler } from './handlers/fetch-handler.ts'
export type { ServerRequest } from './handlers/lazy-request.ts'
export type { CertificateAndKey, QuactorServer, ServeOptions } from './handlers/serve.ts'
export { serve } from './handlers/serve.ts'
export { staticFiles } from './handlers/static-files.ts'
export type { Priority } from './http3/index.ts'
export type { RetryMode } from './supervisor/address-validation.ts'
export type { DrainReport } from './supervisor/endpoint-drain.ts'
export type { InvariantMode } from './supervisor/invariants.ts'
export type { MissedTransition } from './supervisor/missed-transitions.ts'
export type { ServerStatus } from './supervisor/status.ts'
export type { StuckCause, StuckReport } from './supervisor/stuck-report.ts'
export { describeStuck } from './supervisor/stuck-report.ts'
export type { HandlerFault, SupervisionSettings } from './supervisor/supervision.ts'
export type {
  PreferredAddresses,
  QuicVersionName,
  RemoteAddress,
  TransportSettings,
} from './transport/connection/index.ts'
export type { TicketSecrets } from './transport/tls/index.ts'
