// What the connection room offers to HTTP/3, to the endpoint and to tests.
export type { CloseInfo } from './closing.ts'
export { QuicConnection } from './connection.ts'
export type { ConnectionMetrics } from './connection-metrics.ts'
export type {
  ClientTlsOptions,
  ConnectionApplication,
  ConnectionOptions,
  ConnectionResumption,
  PreferredAddresses,
  ServerTlsOptions,
} from './connection-options.ts'
export { ConnectionStats } from './connection-stats.ts'
export { DatagramBatch, type RemoteAddress } from './datagram-batch.ts'
export type { DatagramWatcher } from './datagram-queue.ts'
export type { RememberedLimits, ResumableSession } from './early-data.ts'
export * from './limits.ts'
export type { ConnectionIdSource, IssuedConnectionId } from './local-connection-ids.ts'
export type { OpenQlog, QlogData } from './qlog/sink.ts'
export { DEFAULT_TRANSPORT_SETTINGS, type TransportSettings } from './settings.ts'
export {
  buildInitialClose,
  buildRetry,
  buildStatelessReset,
  buildVersionNegotiation,
  MAX_RESET_LENGTH,
  MIN_RESET_LENGTH,
} from './stateless.ts'
export { QUIC_VERSIONS, type QuicVersionName, selectVersion, versionsNamed } from './versions.ts'
