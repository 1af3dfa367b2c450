// The numbers beside the chart: of the connection and of the stream that are selected. Called by feed-link.ts per tick.
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import { findStreamReason } from '../supervisor/stuck-reason.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import { versionName } from './population.ts'
import type { ConnectionPanel, StreamPanel } from './protocol.ts'

/** RFC 9218 section 4.1 */
const URGENCIES = 8

export function connectionPanel(uid: number, supervisor: ConnectionSupervisor): ConnectionPanel {
  const { connection, children, application, name } = supervisor
  const { host, remote, version, paths } = connection
  const urgencies = new Array<number>(URGENCIES).fill(0)
  for (const { urgency } of children.streams.values()) {
    if (urgency >= 0 && urgency < URGENCIES) urgencies[urgency]++
  }
  let datagramsQueued = 0
  for (const { queued } of children.channels.values()) datagramsQueued += queued
  return {
    uid,
    name,
    remote: addressText(remote),
    version: versionName(version),
    metrics: plain(connection.metrics()),
    application: application.report?.() ?? {},
    flow: {
      sendMax: host.sendCredit.max,
      sent: host.sendCredit.used,
      receiveMax: host.receiveCredit.advertised,
      received: host.receiveCredit.received,
    },
    urgencies,
    datagramChannels: children.channels.size,
    datagramsQueued,
    paths: paths.list.map((path) => ({
      remote: addressText(path.remote),
      state: path.actor.table.name[path.actor.state]!,
      isActive: path === paths.active,
      rtt: path === paths.active ? connection.recovery.rtt.smoothed : 0,
      bytesSent: path.bytesSent,
      bytesReceived: path.bytesReceived,
    })),
  }
}

function addressText({
  family,
  address,
  port,
}: {
  readonly family: number
  readonly address: string
  readonly port: number
}): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`
}

/** What JSON has no word for is left out: Infinity and undefined. */
function plain(metrics: object): Record<string, number | string | boolean> {
  const result: Record<string, number | string | boolean> = {}
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value === 'number' ? Number.isFinite(value) : value !== undefined) result[name] = value
  }
  return result
}

export function streamPanel(uid: number, stream: QuicStream, supervisor: ConnectionSupervisor): StreamPanel {
  const { sending, receiving, urgency, incremental } = stream
  const hasHandler = supervisor.hasRunningHandler(stream.id)
  return {
    uid,
    bytesSent: sending?.credit.used ?? 0,
    bytesAcknowledged: sending?.buffer.base ?? 0,
    sendMax: sending?.credit.max ?? 0,
    bytesReceived: receiving?.credit.received ?? 0,
    bytesRead: receiving?.buffer.readOffset ?? 0,
    receiveMax: receiving?.credit.advertised ?? 0,
    urgency,
    isIncremental: incremental,
    ...findStreamReason(stream, supervisor.connection, hasHandler),
  }
}
