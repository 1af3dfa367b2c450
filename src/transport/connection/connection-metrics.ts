// The numbers of one connection as a plain object, for /connections, logs and tests. Called by QuicConnection.metrics().
import type { QuicConnection } from './connection.ts'

/** Times in ms, sizes in bytes, rates in bytes per ms; counts only grow. */
export interface ConnectionMetrics {
  readonly latestRtt: number
  readonly smoothedRtt: number
  readonly rttVariance: number
  readonly minRtt: number
  readonly congestionController: string
  /** What the controller is doing now, such as `slowStart` or `probeBwUp`. */
  readonly congestionPhase: string
  readonly congestionWindow: number
  /** Infinity before the first loss. */
  readonly slowStartThreshold: number
  readonly bytesInFlight: number
  /** 0 when the pacer derives it from the window. */
  readonly pacingRate: number
  readonly datagramsSent: number
  readonly datagramsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Bytes of packets in flight that were acknowledged, and that were declared lost. */
  readonly bytesAcknowledged: number
  readonly bytesLost: number
  readonly packetsSent: number
  readonly packetsAcknowledged: number
  readonly packetsLost: number
  /** Packets declared lost that had arrived after all. */
  readonly spuriousLosses: number
  readonly probeTimeouts: number
  readonly persistentCongestions: number
  readonly maxDatagramSize: number
  readonly pathMtuState: string
  readonly pathMtuProbes: number
  readonly pathMtuProbesLost: number
  readonly pathMtuBlackHoles: number
  readonly ecnState: string
  /** CE marks that the peer has reported. */
  readonly congestionMarks: number
  /** The handshake rested on a ticket. */
  readonly isResumed: boolean
  /** What became of the client's early data; undefined where there was none. */
  readonly earlyData: 'accepted' | 'rejected' | undefined
  /** Moves to another path that stood. */
  readonly migrations: number
  readonly keyUpdates: number
  /** Window of the connection that we keep open for the peer. */
  readonly receiveWindow: number
  readonly receiveBufferedBytes: number
  readonly sendBufferedBytes: number
}

export function connectionMetrics(connection: QuicConnection): ConnectionMetrics {
  const { recovery, stats, mtu, host } = connection
  const { rtt, congestion, counters, ecn } = recovery
  const { delivery } = recovery.flight
  return {
    latestRtt: rtt.latest,
    smoothedRtt: rtt.smoothed,
    rttVariance: rtt.variance,
    minRtt: rtt.min,
    congestionController: congestion.name,
    congestionPhase: congestion.phase,
    congestionWindow: congestion.window,
    slowStartThreshold: congestion.ssthresh,
    bytesInFlight: recovery.bytesInFlight,
    pacingRate: congestion.pacingRate,
    datagramsSent: stats.datagramsSent,
    datagramsReceived: stats.datagramsReceived,
    bytesSent: stats.bytesSent,
    bytesReceived: stats.bytesReceived,
    bytesAcknowledged: delivery.delivered,
    bytesLost: delivery.lost,
    packetsSent: counters.sent,
    packetsAcknowledged: counters.acked,
    packetsLost: counters.lost,
    spuriousLosses: counters.spurious,
    probeTimeouts: counters.ptos,
    persistentCongestions: counters.persistentCongestion,
    maxDatagramSize: mtu.current,
    pathMtuState: mtu.state,
    pathMtuProbes: mtu.counters.probes,
    pathMtuProbesLost: mtu.counters.probesLost,
    pathMtuBlackHoles: mtu.counters.blackHoles,
    ecnState: ecn.state,
    congestionMarks: ecn.congestionMarks,
    isResumed: connection.tls.isResumed,
    earlyData: connection.handshake.early.verdict,
    migrations: connection.paths.counters.migrations,
    keyUpdates: connection.applicationKeys?.updates ?? 0,
    receiveWindow: host.receiveCredit.window,
    receiveBufferedBytes: connection.receiveBufferedBytes,
    sendBufferedBytes: connection.sendBufferedBytes,
  }
}
