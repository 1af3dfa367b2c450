// What all connections of an endpoint did on the wire, together. A connection counts for itself while it lives, so that
// nothing is added per packet; what it counted is added here when it ends. Used by endpoint.ts and for /metrics.
import type { QuicConnection } from '../transport/connection/index.ts'
import { Counters } from './counters.ts'
import type { Endpoint } from './endpoint.ts'

/** Adds what a connection has counted so far. */
export function addTransport(counters: Counters, connection: QuicConnection): void {
  const { counters: recovery } = connection.recovery
  const { early } = connection.handshake
  counters.packetsSent += recovery.sent
  counters.packetsAcknowledged += recovery.acked
  counters.packetsLost += recovery.lost
  counters.spuriousLosses += recovery.spurious
  counters.probeTimeouts += recovery.ptos
  counters.persistentCongestions += recovery.persistentCongestion
  counters.migrations += connection.paths.counters.migrations
  counters.keyUpdates += connection.applicationKeys?.updates ?? 0
  if (connection.tls.isResumed) counters.handshakesResumed++
  if (early.verdict === 'accepted') counters.earlyDataAccepted++
  else if (early.verdict === 'rejected') counters.earlyDataRejected++
}

/** The endpoint's counters at this moment, with those of its live connections. */
export function countersOf(endpoint: Endpoint): Counters {
  const counters = Object.assign(new Counters(), endpoint.counters)
  for (const { supervisor } of endpoint.entries) addTransport(counters, supervisor.connection)
  return counters
}
