// What is shown of one connection: on the admin port at /connections, and by server.connections(). Of the peer only its
// address and port; no connection ID beyond the name under which stuck reports and qlog know the connection.
import { connectionLife } from '../machines/index.ts'
import type { ConnectionMetrics } from '../transport/connection/index.ts'
import { toHex } from '../transport/wire/index.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import { CONNECTION_LIST } from './limits.ts'

/** The numbers of one connection at one moment. */
export interface ConnectionReport {
  /** Name for the connection's whole life: the client's first destination connection ID, in hex. */
  readonly connection: string
  /** `address:port` of the peer, as far as it is proved. */
  readonly remote: string
  /** QUIC version, e.g. 1. */
  readonly version: number
  /** Name of its machine's state. */
  readonly state: string
  /** Live streams, and handlers that have not ended. */
  readonly streams: number
  /** Handlers that have not ended. */
  readonly handlers: number
  /** Numbers of QUIC. */
  readonly metrics: ConnectionMetrics
  /** Numbers of HTTP/3: the dynamic tables of header compression, and who waits for them. */
  readonly application: Readonly<Record<string, number>>
}

/** The oldest `most` connections. */
export function listConnections(
  entries: Iterable<ConnectionEntry>,
  most: number = CONNECTION_LIST,
): ConnectionReport[] {
  const reports: ConnectionReport[] = []
  for (const entry of entries) {
    if (reports.length === most) break
    reports.push(reportOf(entry.supervisor))
  }
  return reports
}

/** The numbers of one connection now. */
export function reportOf(supervisor: ConnectionSupervisor): ConnectionReport {
  const { connection, handlerCount, application } = supervisor
  const { originalDestinationConnectionId: id, remote, version, actor, streams } = connection
  return {
    connection: toHex(id, 0, id.length),
    remote: remote.family === 6 ? `[${remote.address}]:${remote.port}` : `${remote.address}:${remote.port}`,
    version,
    state: connectionLife.name[actor.state],
    streams: streams.size,
    handlers: handlerCount,
    metrics: connection.metrics(),
    application: application.report?.() ?? {},
  }
}
